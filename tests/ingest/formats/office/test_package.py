from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.formats.office.package import check_package, convert_errors


def _package(path: Path, **contents: bytes) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as package:
        for name, content in contents.items():
            package.writestr(name.replace("_", "."), content)
    return path


def test_a_sound_package_passes(tmp_path: Path) -> None:
    wide = "<?xml version='1.0'?><a/>".encode("utf-16")
    path = _package(tmp_path / "a", a_xml=b'<?xml version="1.0"?>\n<!-- <!DOCTYPE --><a/>', b_png=b"\x89PNG",
                    c_svg=b"<!DOCTYPE svg><svg/>", d_rels=wide, e_xml=b"")  # fmt: skip
    check_package(path)


@pytest.mark.parametrize(
    "content",
    [b"<!DOCTYPE a><a/>", b"\xef\xbb\xbf\n<!-- x --><!DOCTYPE a><a/>", "<!DOCTYPE a><a/>".encode("utf-16-le"),
     b"<?xml version='1.0'?>" + b" " * 70_000 + b"<!DOCTYPE a><a/>",
     b'<?xml encoding="cp037"?>' + "<!DOCTYPE".encode("cp037"), b'<?xml encoding="utf-7"?>+ADw-!DOCTYPE a>',
     b"<?a?>" + b"<?b " + b" " * 70_000 + b"?><!DOCTYPE a><a/>", b"<!-- cut"],
)  # fmt: skip
def test_declared_types_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"a\.xml declares a document type, or is no plain XML"):
        check_package(_package(tmp_path / "a", a_xml=content))


def test_large_members_are_refused(tmp_path: Path) -> None:
    path = _package(tmp_path / "a", a_xml=b"<a>" + b"x" * 500)
    with pytest.raises(UnreadableError, match=r"a\.xml has 503 bytes of XML"):
        check_package(path, largest=500)


def test_what_a_library_stumbles_over_is_told_without_its_insides() -> None:
    with pytest.raises(UnreadableError, match=r"^damaged, or not what it claims to be$"), convert_errors():
        raise AttributeError("'_Element' object has no attribute 'override_lst'")
    with pytest.raises(UnreadableError, match=r"not what it claims to be \(no part 'x'\)$"), convert_errors():
        raise ValueError("no part 'x'")
