"""What only the PostgreSQL store promises: a graph that misses little, clear errors, and no password shown."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes
from weighbridge.retrieve.stores.postgres import index as postgres_index
from weighbridge.retrieve.stores.postgres.store import PostgresStore
from weighbridge.types import PUBLIC, Chunk

DIMENSIONS = 16
SECRET = "p@s/s:w%rd"  # noqa: S105 - of a server that lives as long as the tests
ENVIRONMENT = {"DB_PASSWORD": SECRET}
WRITER = """
import sys, numpy as np
from pathlib import Path
from weighbridge.protocols import Changes
from weighbridge.retrieve.stores.postgres.store import PostgresStore
from weighbridge.types import Chunk
index, me = PostgresStore(sys.argv[1], Path(sys.argv[2])).open("i", dimensions=16), sys.argv[3]
for turn in range(100_000):
    rows = [Chunk(id=f"{me}{i}", document_id=me, text=f"{me} mark turn{turn}", start=i, end=i) for i in range(3)]
    index.apply(Changes(removed=frozenset({me}), added=rows, vectors=np.full((3, 16), turn, np.float32)))
    print(turn, flush=True)
"""


def chunks(first: int, last: int) -> list[Chunk]:
    audiences = (PUBLIC, frozenset({"a"}), *([PUBLIC] * 8))
    return [
        Chunk(id=f"c{i:05d}", document_id=f"d{i}", text=f"tide {i}", start=0, end=1, groups=audiences[i % 10])
        for i in range(first, last)
    ]


def clustered(count: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(20, DIMENSIONS))[rng.integers(0, 20, count)] + rng.normal(size=(count, DIMENSIONS)) / 3
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def reader_url(postgres_url: str) -> Iterator[str]:
    """The URL of somebody who may do nothing yet, with a password."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("drop role if exists reader")
        connection.execute("create role reader login password 'p@s/s:w%rd'")
        yield f"postgresql://reader:${{DB_PASSWORD}}@/postgres?{postgres_url.partition('?')[2]}"
        connection.execute("drop owned by reader")
        connection.execute("drop role reader")


def test_a_graph_finds_what_comparing_all_finds(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_index, "_EXACT", 500)
    index = PostgresStore(postgres_url, tmp_path).open("i", dimensions=DIMENSIONS)
    vectors, queries = clustered(3000), clustered(10, seed=1)
    index.apply(Changes(added=chunks(0, 2900), vectors=vectors[:2900]))
    index.optimise()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select count(*) from pg_indexes where indexname = 'graph'").fetchone() == (1,)
    gone = frozenset(f"d{i}" for i in range(100))
    index.apply(Changes(removed=gone, added=chunks(2900, 3000), vectors=vectors[2900:]))
    for groups, left in ((frozenset("a"), range(100, 3000)), (PUBLIC, [i for i in range(100, 3000) if i % 10 != 1])):
        overlap = []
        for query in queries:
            order = np.argsort(-(vectors[left] @ query), kind="stable")[:10]
            passages = index.nearest(query, limit=10, groups=groups)
            overlap.append(len({f"c{left[place]:05d}" for place in order} & {p.chunk.id for p in passages}) / 10)
        assert np.mean(overlap) > 0.97
        assert len(index.nearest(queries[0], limit=3000, groups=groups)) == len(left)


def test_processes_write_and_read_whole_changes(postgres_url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, postgres_url, str(tmp_path)]
    with (
        subprocess.Popen([*command, "a"], stdout=subprocess.PIPE) as first,
        subprocess.Popen([*command, "b"], stdout=subprocess.PIPE) as second,
    ):
        try:
            assert first.stdout is not None
            assert second.stdout is not None
            index = PostgresStore(postgres_url, tmp_path).open("i", dimensions=DIMENSIONS)
            while {"a", "b"} - index.documents().keys():
                first.stdout.readline()
                second.stdout.readline()
            for _ in range(50):
                found = index.search_text("mark", limit=20, groups=PUBLIC)
                for name in ("a", "b"):
                    texts = [passage.chunk.text for passage in found if passage.chunk.document_id == name]
                    assert len(texts) == 3
                    assert len(set(texts)) == 1
            assert first.poll() is second.poll() is None
        finally:
            first.kill()
            second.kill()
    whole = index.contents(["a"])
    assert len({chunk.text for chunk in whole.chunks}) == len(np.unique(whole.vectors)) == 1
    assert (len(whole.chunks), index.count()) == (3, 6)


def test_two_who_open_an_index_at_once_in_a_new_database_can_both_use_it(postgres_url: str, tmp_path: Path) -> None:
    """Both connect while there is no pgvector; one of them adds it, and the other must learn of it."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("drop database if exists fresh")
        connection.execute("create database fresh")
        PostgresStore(postgres_url, tmp_path).open("atonce", dimensions=DIMENSIONS)
        found = connection.execute("select nspname from pg_namespace where nspname like '%_atonce'").fetchone()
    fresh = postgres_url.replace("/postgres?", "/fresh?")

    def use(number: int) -> int:
        index = PostgresStore(fresh, tmp_path).open("atonce", dimensions=DIMENSIONS)
        index.apply(Changes(added=chunks(number, number + 1), vectors=clustered(1, seed=number)))
        return len(index.nearest(clustered(1)[0], limit=9, groups=frozenset("a")))

    with psycopg.connect(fresh, autocommit=True) as connection, ThreadPoolExecutor(2) as pool:
        connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", found)  # as whoever writes holds it
        using = [pool.submit(use, number) for number in range(2)]
        try:
            waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            while not any(task.done() for task in using) and connection.execute(waiting).fetchone() != (2,):
                sleep(0.01)
        finally:
            connection.execute("select pg_advisory_unlock_all()")
        assert {task.result() for task in using} in ({1, 2}, {2})


def test_someone_with_a_password_from_the_environment_has_an_index_of_their_own(
    postgres_url: str, reader_url: str, tmp_path: Path
) -> None:
    store = PostgresStore(reader_url, tmp_path, environment=ENVIRONMENT)
    with pytest.raises(WorkspaceError, match="permission denied for database") as caught:
        store.open("i", dimensions=DIMENSIONS)
    assert SECRET not in str(caught.value)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("grant create on database postgres to reader")
    index = store.open("i", dimensions=DIMENSIONS)
    assert index.apply(Changes(added=chunks(0, 5), vectors=clustered(5))) == 2
    assert index.count() == 5
    store.drop("i")


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("postgresql://me:${DB_PASSWORD}@localhost:1/shop", ENVIRONMENT, "PostgreSQL at localhost:1, database shop"),
        ("postgresql://me:p%40s%2Fs%3Aw%25rd@localhost:1/shop", {}, "cannot be reached or used"),
        ("postgresql://me@localhost:1/shop?password=${DB_PASSWORD}", ENVIRONMENT, "check that PostgreSQL runs there"),
        ("postgresql://me:${DB_PASSWORD}@host/shop", {}, "DB_PASSWORD is not set, or empty; retrieval.store"),
        ("postgresql://me:${DB_PASSWORD}@localhost:port/shop", ENVIRONMENT, "PostgreSQL at localhost:port, database"),
        ("postgresql://me:p@s/s:w%rd@host/shop", {}, "is not a URL that PostgreSQL can read"),
        ("postgresql:///shop?nonsense=1", {}, "is not a URL that PostgreSQL can read"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_without_its_password(
    url: str, environment: dict[str, str], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkspaceError) as caught:
        PostgresStore(url, tmp_path, environment=environment).open("i", dimensions=4)
    assert expected in str(caught.value)
    for part in (SECRET, "p%40s%2Fs%3Aw%25rd", "w%rd"):
        assert part not in str(caught.value)


def test_a_database_without_pgvector_says_how_to_add_it(postgres_url: str, tmp_path: Path) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("create database bare")
        connection.execute("drop role if exists plain")
        connection.execute("create role plain login")
        connection.execute("grant create on database bare to plain")
    url = postgres_url.replace("postgres:@/postgres", "plain@/bare")
    assert url != postgres_url
    with pytest.raises(WorkspaceError, match="CREATE EXTENSION vector"):
        PostgresStore(url, tmp_path).open("i", dimensions=4)


def test_an_index_that_was_dropped_meanwhile_is_named(postgres_url: str, tmp_path: Path) -> None:
    store = PostgresStore(postgres_url, tmp_path)
    index = store.open("i", dimensions=4)
    store.drop("i")
    with pytest.raises(WorkspaceError, match="index again"):
        index.count()
    assert store.open("i", dimensions=4).count() == 0


def test_connections_that_the_server_closed_are_made_again(postgres_url: str, tmp_path: Path) -> None:
    index = PostgresStore(postgres_url, tmp_path).open("i", dimensions=4)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'weighbridge'"
        )
    with pytest.raises(WorkspaceError, match="cannot be reached or used"):
        index.count()
    assert index.count() == 0


def test_workspaces_do_not_see_each_others_indexes(postgres_url: str, tmp_path: Path) -> None:
    one, other = PostgresStore(postgres_url, tmp_path / "one"), PostgresStore(postgres_url, tmp_path / "other")
    one.open("i", dimensions=4).apply(Changes(added=chunks(0, 2), vectors=np.ones((2, 4), np.float32)))
    assert (one.names(), other.names()) == (["i"], [])
    assert other.open("i", dimensions=8).count() == 0
    other.drop("i")
    assert one.open("i", dimensions=4).count() == 2
