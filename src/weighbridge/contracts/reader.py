"""Tests of a `Reader`: it gives text with parts in order, leaves the file alone, and survives broken files."""

from collections.abc import Sequence
from pathlib import Path

from weighbridge.ingest.content import Parsed, Reader


def test_a_file_gives_text_with_its_parts_in_order(reader: Reader, samples: Sequence[Path]) -> None:
    for path in samples:
        parsed = reader(path)
        assert parsed.contents
        for content in parsed.contents:
            assert content.text.strip()
            end = 0
            for part in content.parts:
                assert part.name
                assert end <= part.start <= part.end <= len(content.text)
                end = part.end


def test_the_names_of_the_documents_in_a_file_differ(reader: Reader, samples: Sequence[Path]) -> None:
    for path in samples:
        names = [content.name for content in reader(path).contents]
        assert len(set(names)) == len(names)


def test_the_same_file_gives_the_same_and_stays_as_it_is(reader: Reader, samples: Sequence[Path]) -> None:
    for path in samples:
        before = path.read_bytes()
        assert reader(path) == reader(path)
        assert path.read_bytes() == before


def test_a_broken_file_is_an_error_or_read_as_far_as_it_goes(
    reader: Reader, samples: Sequence[Path], tmp_path: Path
) -> None:
    for path in samples:
        whole = path.read_bytes()
        for number, content in enumerate((b"", whole[: len(whole) // 2], whole[::-1], b"\x00\xff" * 500, b"{" * 5000)):
            broken = tmp_path / f"broken-{number}{path.suffix}"
            broken.write_bytes(content)
            try:
                parsed = reader(broken)
            except Exception:  # noqa: BLE001, S112 - any error costs this file alone
                continue
            assert isinstance(parsed, Parsed)
