import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.files.scan import name_files, reason_to_skip, relative_name

FOLDER = Path("folder")
NAMES = st.sets(st.from_regex(r"[ab]{1,2}(\.(md|txt)){0,3}", fullmatch=True), max_size=6)


@given(history=st.lists(NAMES, min_size=1, max_size=5))
def test_ids_are_unique_and_stay_while_their_file_is_there(history: list[set[str]]) -> None:
    given_before: dict[str, str] = {}
    for names in history:
        now = {path.name: name for path, name in name_files(FOLDER, [FOLDER / n for n in names], given_before).items()}
        assert now.keys() == names
        assert len(set(now.values())) == len(names)
        assert all(now[name] == given_before[name] for name in names & given_before.keys())
        given_before = now


@given(names=NAMES)
def test_a_file_by_itself_has_no_suffix_in_its_id(names: set[str]) -> None:
    stems = Counter(Path(name).with_suffix("").name for name in names)
    for path, name in name_files(FOLDER, [FOLDER / name for name in names], {}).items():
        alone = stems[path.with_suffix("").name] == 1 and path.with_suffix("").name not in names - {path.name}
        assert name == (path.with_suffix("").name if alone else path.name)


def test_names_that_are_no_text_are_escaped() -> None:
    odd = os.fsdecode(b"a\xff\n.txt")
    assert relative_name(Path("folder"), Path("folder", odd)) == "a\\xff\\n.txt"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("file", ""),
        ("large", "larger than 1 MB"),
        ("gone", "a broken link"),
        ("loop", "a broken link"),
        ("pipe", "not a regular file"),
    ],
)
def test_unsuitable(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "large").write_bytes(bytes(1_000_001))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    assert reason_to_skip(tmp_path / name, largest=1_000_000) == expected


GIVEN: list[tuple[dict[str, str], list[str]]] = [
    ({"a.md": "a"}, ["a", "a.txt"]),
    ({"a.txt": "a"}, ["a.md", "a"]),
    ({"a.md": "a.txt"}, ["a.txt", "a.txt (2)"]),
    ({"a.md": "a", "a.txt": "a"}, ["a", "a.txt"]),
    ({"gone.md": "a"}, ["a.md", "a.txt"]),
    ({}, ["a.md", "a.txt"]),
]


@pytest.mark.parametrize(("given_before", "ids"), GIVEN)
def test_a_new_file_takes_no_id_that_another_was_given(given_before: dict[str, str], ids: list[str]) -> None:
    named = name_files(FOLDER, [FOLDER / "a.md", FOLDER / "a.txt"], given_before)
    assert list(map(named.get, (FOLDER / "a.md", FOLDER / "a.txt"))) == ids
