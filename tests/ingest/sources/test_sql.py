"""Real databases: SQLite files, and a PostgreSQL that is started for these tests."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from weighbridge.errors import DataError, UserError
from weighbridge.ingest.content import Loss
from weighbridge.ingest.sources.entity import Entity, entity_text, make_documents
from weighbridge.ingest.sources.sql import read_sql
from weighbridge.settings.file import load_settings
from weighbridge.settings.sources import SqlSource
from weighbridge.types import Progress

from ...postgres_server import postgres_server

HOW_TO = Path(__file__).parents[3] / "docs/how-to/sources.md"
SHOP = """
create table products (id integer primary key, name text, price real, care text, photo blob, team text);
create table reviews (product_id integer, stars integer, body text);
insert into products values (1, 'Kettle', 24.5, 'Descale it', null, null), (2, 'Lamp', 10, null, x'00ff', 'a, b');
insert into reviews values (1, 5, 'Quiet | quick'), (1, 2, 'The lid sticks');
"""
LONG = "word " * 40


def database(folder: Path, script: str = SHOP, name: str = "shop.db") -> str:
    with sqlite3.connect(folder / name) as connection:
        connection.executescript(script)
    connection.close()
    return f"sqlite:///{folder / name}"


@pytest.fixture
def shop(tmp_path: Path) -> SqlSource:
    return SqlSource(sql=database(tmp_path), query="select id, name, price, care from products", id="id", title="name")


def told(source: SqlSource, **changes: object) -> str:
    with pytest.raises(UserError) as caught:
        read_sql(SqlSource.model_validate({**source.model_dump(), **changes}))
    return str(caught.value)


def test_a_row_becomes_a_document(shop: SqlSource) -> None:
    kettle, lamp = read_sql(shop).contents
    assert (kettle.name, kettle.title, kettle.text) == ("1", "Kettle", "# Kettle\n\n- price: 24.5\n- care: Descale it")
    assert (lamp.name, lamp.text, lamp.groups) == ("2", "# Lamp\n\n- price: 10.0", frozenset())


def test_the_how_to_is_so(tmp_path: Path) -> None:
    blocks = re.findall(r"```(\w+)\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    database(tmp_path, next(text for kind, text in blocks if kind == "sql"))
    settings = [text for kind, text in blocks if kind == "yaml"]
    loaded = []
    for number, text in enumerate(settings):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text if "examples:" in text else f"examples: e\n{text}", encoding="utf-8")
        loaded.append(load_settings(file))
    (source,) = next(each for each in loaded if str(each.examples).endswith("questions.jsonl")).sources
    assert isinstance(source, SqlSource)
    kettle, lamp = read_sql(source).contents
    assert kettle.text + "\n" == next(text for kind, text in blocks if kind == "markdown")
    assert source.label == "shop"
    assert kettle.name == "1"
    assert (kettle.groups, lamp.groups) == (frozenset(), frozenset({"design", "buyers"}))


def test_rows_of_other_tables_join_their_document(shop: SqlSource) -> None:
    reviews = "select stars, body from reviews where product_id = :id;"
    source = shop.model_copy(update={"related": {"reviews": reviews, "bodies": "select body from reviews"}})
    kettle, lamp = read_sql(source).contents
    table = "| stars | body |\n| --- | --- |\n| 5 | Quiet \\| quick |\n| 2 | The lid sticks |"
    bodies = "## bodies\n\n- Quiet | quick\n- The lid sticks"
    assert kettle.text == f"# Kettle\n\n- price: 24.5\n- care: Descale it\n\n## reviews\n\n{table}\n\n{bodies}"
    assert lamp.text == f"# Lamp\n\n- price: 10.0\n\n{bodies}"


def test_bytes_blank_rows_and_rows_without_an_id_are_losses(shop: SqlSource) -> None:
    query = "select id, photo, care from products union all select null, null, 'x' union all select 9, null, ' '"
    parsed = read_sql(shop.model_copy(update={"query": query, "title": ""}))
    assert [content.text for content in parsed.contents] == ["- care: Descale it"]
    assert parsed.losses == (
        Loss("row 2", "photo: is binary, not text"),
        Loss("row 2 and 1 more", "left out: it has no text"),
        Loss("row 3", "left out: it has no id"),
    )


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (None, []),
        ("  ", []),
        ("[]", []),
        ("finance", ["finance"]),
        (" people team , finance,", None),
        ("people team, finance", ["finance", "people team"]),
        ('["a, b", 7]', ["7", "a, b"]),
        ('["a"', None),
        ('[["a"]]', None),
        ('[""]', None),
        ("[null]", None),
        (["a", "b"], ["a", "b"]),
        ({"a": 1}, None),
        (True, None),
        (b"a", None),
    ],
)
def test_groups_that_cannot_be_read_are_never_public(held: object, expected: list[str] | None) -> None:
    parsed = make_documents([Entity(place="row 1", id=1, groups=held, fields={"x": "text"})], "shop")
    assert [sorted(content.groups) for content in parsed.contents] == ([] if expected is None else [expected])
    assert parsed.losses == ((Loss("row 1", "left out: it has no readable access groups"),) if expected is None else ())


def test_two_rows_of_one_id_are_refused_unless_they_are_the_same(shop: SqlSource) -> None:
    twice = "select id, name, care from products where id = 1 union all select 1, 'Kettle', 'Descale it'"
    assert len(read_sql(shop.model_copy(update={"query": twice})).contents) == 1
    assert "row 1 and row 2 have the same id, '1', and differ" in told(shop, query=twice.replace("Descale", "Rinse"))


def test_no_more_rows_than_wanted(shop: SqlSource) -> None:
    parsed = read_sql(shop.model_copy(update={"maximum_documents": 1}))
    assert len(parsed.contents) == 1
    assert parsed.losses == (Loss("row 2", "left out, with all that follows: maximum_documents is 1"),)


def test_progress_is_told(shop: SqlSource) -> None:
    seen: list[Progress] = []
    query = "with recursive n(id) as (select 1 union all select id + 1 from n limit 1200) select id, id as name from n"
    parsed = read_sql(shop.model_copy(update={"query": query}), notify=seen.append)
    assert len(parsed.contents) == 1200
    assert [progress.done for progress in seen] == [500, 1000]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"id": "ids"}, "id: the query has no column 'ids'; did you mean 'id'?"),
        ({"title": "zzz"}, "title: the query has no column 'zzz'; it has id, name, price, care"),
        ({"groups": "Care"}, "groups: the query has no column 'Care'; did you mean 'care'?"),
        ({"query": "select id, name, name from products"}, "two columns are called 'name'; name one of them otherwise"),
        ({"query": "select id from product"}, "the query failed: no such table: product"),
        ({"query": "select id from from"}, 'the query failed: near "from": syntax error'),
        ({"related": {"r": "select :idd"}}, "related.r: `:idd` is no column of the query; did you mean 'id'?"),
        ({"related": {"r": "select 1 from reviewz"}}, "the query of related.r failed: no such table: reviewz"),
        ({"related": {"care": "select 1"}}, "related.care: the query has a column of this name too"),
        ({"related": {"r": "select 1 as a, 2 as a"}}, "related.r: two columns are called 'a'"),
        ({"sql": "sqlite:////nowhere/shop.db"}, "there is no such database file; correct 'sql' under documents"),
        ({"sql": f"sqlite:///{HOW_TO}"}, "the query failed: file is not a database"),
        ({"sql": "mysql://me:hush@host/shop"}, "its driver is not installed: pip install mysqlclient"),
        ({"sql": "duck://me:hush@host/shop"}, "SQLAlchemy knows no database called 'duck'"),
        ({"sql": "postgresql://me:hush@host:port/shop"}, "shop: `sql` is not a database URL"),
        ({"sql": "${NOT_SET_ANYWHERE}"}, "the environment variable NOT_SET_ANYWHERE is not set"),
        ({"sql": "postgresql://me:hush@localhost:1/shop"}, "cannot be reached: connection failed"),
        ({"query": "with x as (select 1) delete from products returning id"}, "attempt to write a readonly database"),
    ],
)
def test_an_error_says_what_and_where_and_never_a_password(
    shop: SqlSource, changes: dict[str, object], expected: str
) -> None:
    message = told(shop, **changes)
    assert expected in message
    assert "hush" not in message


def test_nothing_is_written(tmp_path: Path, shop: SqlSource) -> None:
    before = (tmp_path / "shop.db").read_bytes()
    told(shop, query="with x as (select 1) insert into reviews values (1, 1, 'x') returning 1 as id, 2 as name")
    read_sql(shop)
    assert (tmp_path / "shop.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db"]


@pytest.mark.parametrize(
    ("query", "accepted"),
    [
        ("select 1", True),
        (" -- first\n/* and; */ (SELECT ';--' as x);\n", True),
        ("with a as (select 1) select * from a", True),
        ("values (1)", True),
        ("delete from products", False),
        ("select 1; drop table products", False),
        ("-- select", False),
        ("", False),
    ],
)
def test_only_one_statement_that_reads(query: str, accepted: bool) -> None:  # noqa: FBT001 - a parameter
    if accepted:
        assert SqlSource(sql="sqlite:///a.db", query=query, id="id").query == query
        return
    with pytest.raises(ValidationError):
        SqlSource(sql="sqlite:///a.db", query=query, id="id")
    with pytest.raises(ValidationError):
        SqlSource(sql="sqlite:///a.db", query="select 1", id="id", related={"r": query})


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("sqlite:///data/shop.db", "shop"),
        ("sqlite:////srv/a@b:c/shop.db?timeout=3", "shop"),
        ("postgresql+psycopg://me:p/a?s[s@db.example:5432/shop?sslmode=require", "shop"),
        ("postgresql://me:secret@host", "sql"),
        ("postgresql://me:${PASSWORD}@host/shop", "shop"),
        ("${DATABASE_URL}", "sql"),
    ],
)
def test_a_source_is_called_by_its_database_and_never_by_its_password(url: str, label: str) -> None:
    source = SqlSource(sql=url, query="select 1", id="id")
    assert source.label == label
    assert url not in repr(source)
    assert source.model_copy(update={"name": "mine"}).label == "mine"


@given(value=st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
))  # fmt: skip
def test_any_value_becomes_text_that_can_be_written(value: object) -> None:
    text = entity_text("A title", {"field": value, "other": value})
    assert text.startswith("# A title")
    assert "\0" not in text
    text.encode()


def test_long_fields_markup_and_tables_with_long_cells() -> None:
    rows = [{"stars": 5, "body": LONG}, {"stars": 1, "body": None}]
    fields = {"body": "<p>One</p><ul><li>a<li>b</ul>", "code": "&lt;b&gt; &amp; &copy", "made": None, "reviews": rows}
    assert entity_text("", fields) == (
        "- code: <b> & &copy\n\n## body\n\nOne\n\n- a\n- b\n\n"
        f"## reviews\n\n- stars: 5; body: {LONG.strip()}\n- stars: 1"
    )
    assert entity_text("", {"reviews": [{"stars": None}], "photos": [{"photo": b"x"}]}) == ""
    assert entity_text("T", {"only": "1 < 2 and <b> is bold", "tags": []}) == "# T\n\n1 < 2 and <b> is bold"


def test_what_is_nested_without_end_costs_itself_alone() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    parsed = make_documents(
        [Entity(place="a", id=1, fields={"x": deep}), Entity(place="b", id=2, fields={"x": 1})], "s"
    )
    assert [content.name for content in parsed.contents] == ["2"]
    assert parsed.losses == (Loss("a", "left out: it is nested too deeply"),)
    while deep:
        deep = deep.pop()


def test_importing_this_loads_no_sqlalchemy_and_no_http() -> None:
    code = (
        "import sys, weighbridge.ingest.sources.sql, weighbridge.ingest.sources.rest\n"
        "print([name for name in ('sqlalchemy', 'httpx2', 'selectolax') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.fixture(scope="module")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a PostgreSQL server, with a database `shop`, of its own folder."""
    with postgres_server(request.config.getoption("--postgres")) as server:
        server.psql("create database shop;")
        server.psql("create role reader login password 'p@s/s:w%rd';")
        socket = server.get_uri().partition("host=")[2]
        yield f"postgresql://reader:${{DB_PASSWORD}}@/shop?host={socket}"


def test_postgresql(postgres: str, capfd: pytest.CaptureFixture[str]) -> None:
    source = SqlSource(
        sql=postgres,
        query="select id, 'Nr. ' || id as name, array['a', 'b'] as teams, 12.50 as price, date '2027-01-31' as until,"
        " 'x' like '%x' as odd, '12:30'::text as at, '{\"k\": [1]}'::jsonb as more, true as sold"
        " from generate_series(1, 1200) as id",
        id="id",
        title="name",
        groups="teams",
    )
    environment = {"DB_PASSWORD": "p@s/s:w%rd"}
    parsed = read_sql(source, environment=environment)
    assert len(parsed.contents) == 1200
    first = parsed.contents[0]
    assert (first.name, first.title, first.groups) == ("1", "Nr. 1", frozenset("ab"))
    assert first.text == (
        '# Nr. 1\n\n- price: 12.50\n- until: 2027-01-31\n- odd: true\n- at: 12:30\n- more: {"k": [1]}\n- sold: true'
    )
    joined = source.model_copy(update={
        "query": "select id, id as name from generate_series(1, 3) as id",
        "groups": "",
        "related": {"lower": "select n from generate_series(1, :id - 1) as n where n::text like '%'"},
    })  # fmt: skip
    assert [content.text for content in read_sql(joined, environment=environment).contents][2] == (
        "# 3\n\n## lower\n\n- 1\n- 2"
    )
    writing = "with x as (insert into t values (1) returning n) select n as id, n as name, n as teams from x"
    for change, expected in (
        ({"query": "select id frm"}, 'column "id" does not exist'),
        ({"query": "select nextval('s') as id, 1 as name, 2 as teams"}, 'relation "s" does not exist'),
        ({"query": writing}, 'relation "t" does not exist'),
    ):
        with pytest.raises(DataError, match=re.escape(expected)) as caught:
            read_sql(source.model_copy(update=change), environment=environment)
        assert environment["DB_PASSWORD"] not in str(caught.value)
    with pytest.raises(DataError, match="cannot be reached") as caught:
        read_sql(source.model_copy(update={"sql": postgres.replace("/shop", "/shed")}), environment=environment)
    assert str(caught.value).startswith("shed (postgresql+psycopg://reader:***@/shed): cannot be reached: ")
