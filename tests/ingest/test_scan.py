import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.scan import inside, short_names, unsuitable


@given(names=st.sets(st.from_regex(r"[ab]{1,2}(\.(md|txt)){0,3}", fullmatch=True), min_size=1, max_size=8))
def test_ids_are_unique(names: set[str]) -> None:
    paths = [Path("folder", name) for name in names]
    assert len(set(short_names(Path("folder"), paths))) == len(names)


def test_names_that_are_no_text_are_escaped() -> None:
    odd = os.fsdecode(b"a\xff\n.txt")
    assert inside(Path("folder"), Path("folder", odd)) == "a\\xff\\n.txt"


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
    assert unsuitable(tmp_path / name, largest=1_000_000) == expected
