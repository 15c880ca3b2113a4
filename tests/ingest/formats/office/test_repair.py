import re
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from docx import Document
from pptx import Presentation

from weighbridge.ingest.content import Loss, Parsed, UnreadableError
from weighbridge.ingest.files.kinds import sniff
from weighbridge.ingest.formats.office.powerpoint import read_pptx
from weighbridge.ingest.formats.office.repair import repair_package
from weighbridge.ingest.formats.office.word import read_docx

STRICT = "http://purl.oclc.org/ooxml/"
Members = Mapping[str, bytes]


def _saved(document: object) -> dict[str, bytes]:
    file = BytesIO()
    document.save(file)  # type: ignore[attr-defined]  # a document or a presentation
    with ZipFile(file) as package:
        return {name: package.read(name) for name in package.namelist()}


def _document() -> dict[str, bytes]:
    document = Document()
    styles = document.styles.element
    for node in styles.xpath("w:latentStyles | w:style[@w:type='table'][not(@w:default)]"):
        styles.remove(node)  # they take most of the time
    for key, relation in list(document.part.rels.items()):
        if relation.reltype.endswith("/stylesWithEffects"):
            del document.part.rels[key]
    document.core_properties.title = ""
    document.add_heading("Yard", 1)
    document.add_paragraph("Lane 4 opens at 07:20.")
    return _saved(document)


def _show() -> dict[str, bytes]:
    show = Presentation()
    show.core_properties.title = ""
    for title, text in (("Yard", "Lane 4 opens at 07:20."), ("Fees", "12 euro")):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text_frame.text = title, text
    return _saved(show)


KINDS = {"docx": (_document(), read_docx), "pptx": (_show(), read_pptx)}
"""Of each kind: the members of a sound package, and its reader."""


def _written(path: Path, members: Members) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return path


def _strict(content: bytes) -> bytes:
    """Write what Office writes when a file is saved as Strict Open XML."""
    text = re.sub(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/(?=main|relationships|chart|picture|math)",
                  STRICT.encode() + rb"\1/", content)  # fmt: skip
    return text.replace(b"relationships/metadata/", b"relationships/metadata/").replace(
        STRICT.encode() + b"package/relationships", b"http://schemas.openxmlformats.org/package/2006/relationships"
    )


CHANGES: dict[str, Callable[[Members], Members]] = {
    "strict": lambda members: {name: _strict(content) for name, content in members.items()},
    "backslashes": lambda members: {name.replace("/", "\\"): content for name, content in members.items()},
    "absolute names": lambda members: {f"/{name}": content for name, content in members.items()},
    "other case": lambda members: {
        re.sub(r"(document|presentation|slide\d)\.xml$", lambda match: match[0].title(), name): content
        for name, content in members.items()
    },
    "targets with backslashes": lambda members: {
        name: re.sub(rb'(?<=Target=")[^":]+', lambda match: match[0].replace(b"/", b"\\"), content)
        if name.endswith(".rels") else content
        for name, content in members.items()
    },
    "no types for pictures": lambda members: {**members, "word/media/a.xyz": b"?"},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", CHANGES)
def test_odd_packages_read_as_sound_ones(tmp_path: Path, kind: str, change: str) -> None:
    members, read = KINDS[kind]
    sound = read(_written(tmp_path / f"a.{kind}", members))
    odd = _written(tmp_path / f"b.{kind}", CHANGES[change](members))
    assert "Lane 4 opens at 07:20." in sound.contents[0].text
    assert (sniff(odd), read(odd)) == (kind, sound)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("target", ["../NULL", "NULL", "media/image9.png"])
def test_relations_to_nothing_cost_only_their_target(tmp_path: Path, kind: str, target: str) -> None:
    members, read = KINDS[kind]
    source = "word/document.xml" if kind == "docx" else "ppt/slides/slide1.xml"
    name = re.sub(r"([^/]+)$", r"_rels/\1.rels", source)
    image = f'<Relationship Id="rId99" Type="{STRICT}officeDocument/relationships/image" Target="{target}"/>'
    rels = members[name].replace(b"</Relationships>", image.encode() + b"</Relationships>")
    parsed = read(_written(tmp_path / f"a.{kind}", {**members, name: rels}))
    assert "Lane 4 opens at 07:20." in parsed.contents[0].text
    assert parsed.losses == (Loss(source, f"image left out: the package has no {target!r}"),)


def _corrupted(path: Path, members: Members, broken: str) -> Path:
    """Write a package in which the bytes of one member do not have their checksum."""
    with ZipFile(path, "w", ZIP_STORED) as package:
        for name, content in members.items():
            package.writestr(name, content)
        place = package.getinfo(broken).header_offset + len(broken) + 30
    content = bytearray(path.read_bytes())
    content[place + 60] ^= 1
    path.write_bytes(bytes(content))
    return path


def _read_with(kind: str, path: Path, part: str, how: str) -> Parsed:
    members, read = KINDS[kind]
    content = members[part]
    half = {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "not XML": b"garbage",
        "control": content.replace(b"</", b"\1</", 1),
    }
    return read(_corrupted(path, members, part) if how == "checksum" else _written(path, {**members, part: half[how]}))


@pytest.mark.parametrize("how", ["cut", "empty", "not XML", "control", "checksum"])
@pytest.mark.parametrize(
    ("kind", "part"),
    [("docx", "word/styles.xml"), ("docx", "word/numbering.xml"), ("docx", "docProps/core.xml"),
     ("docx", "word/settings.xml"), ("docx", "docProps/thumbnail.jpeg"), ("docx", "word/theme/theme1.xml"),
     ("pptx", "ppt/slides/slide2.xml"), ("pptx", "ppt/theme/theme1.xml"), ("pptx", "docProps/core.xml"),
     ("pptx", "ppt/slideLayouts/slideLayout2.xml"), ("pptx", "ppt/presProps.xml")],
)  # fmt: skip
def test_a_damaged_part_costs_that_part(tmp_path: Path, kind: str, part: str, how: str) -> None:
    parsed = _read_with(kind, tmp_path / f"a.{kind}", part, how)
    assert "Lane 4 opens at 07:20." in parsed.contents[0].text
    damaged = (how == "checksum" or part.endswith(".xml")) and not re.search("theme|presProps", part)
    assert [loss.place for loss in parsed.losses if "; damaged" in loss.what] == [part] * damaged


_DAMAGE = {
    "an undeclared prefix": (b"<w:p>", b'<q:p><q:r q:k="1"/></q:p><w:p>'),
    "a namespace that is no address": (b"<w:body>", b'<w:body><w:p xmlns:z="h\xc3\xa9:/ z" z:k="1"/>'),
    "an attribute twice": (b"<w:p>", b'<w:p w:a="1" w:a="2">'),
    "a character that XML cannot hold": (b"Lane", b"&#2;\x02Lane"),
    "a comment that does not end": (b"</w:body>", b"</w:body><!-- "),
    "bytes of another encoding": (b"Lane", b"\xff\xfeLane"),
    "an entity that nothing declares": (b"Lane", b"&lane; Lane"),
}


@pytest.mark.parametrize("damage", _DAMAGE)
def test_damaged_markup_is_read_around(tmp_path: Path, damage: str) -> None:
    members = KINDS["docx"][0]
    before, after = _DAMAGE[damage]
    body = members["word/document.xml"]
    assert before in body
    damaged = {**members, "word/document.xml": body.replace(before, after, 1)}
    parsed = read_docx(_written(tmp_path / "a.docx", damaged))
    assert "Lane 4 opens at 07:20." in parsed.contents[0].text
    assert [loss.place for loss in parsed.losses] == ["word/document.xml"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["absent", "empty", "not XML"])
@pytest.mark.parametrize("part", ["[Content_Types].xml", "_rels/.rels", "word/_rels/document.xml.rels"])
def test_what_names_tell_is_restored(tmp_path: Path, kind: str, how: str, part: str) -> None:
    members, read = KINDS[kind]
    sound = read(_written(tmp_path / f"a.{kind}", members)).contents[0].text
    changed = {name: content for name, content in members.items() if name != part}
    if how != "absent" and part in members:
        changed[part] = b"garbage" if how == "not XML" else b""
    parsed = read(_written(tmp_path / f"b.{kind}", changed))
    assert parsed.contents[0].text == sound
    assert [loss.place for loss in parsed.losses] == ([part] if part in changed else [])


def test_a_damaged_body_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    members = KINDS["docx"][0]
    body = members["word/document.xml"]
    cut = body[: body.index(b"Lane 4") + len(b"Lane 4 opens")]
    parsed = read_docx(_written(tmp_path / "a.docx", {**members, "word/document.xml": cut}))
    assert parsed.contents[0].text.endswith("Yard\n\nLane 4 opens")
    assert [loss.what for loss in parsed.losses] == ["read as far as it can be; damaged: it is no sound XML (line 2)"]
    with pytest.raises(UnreadableError, match="damaged"):
        read_docx(_written(tmp_path / "b.docx", {**members, "word/document.xml": b"no XML"}))


def test_sound_packages_are_left_alone(tmp_path: Path) -> None:
    for kind, (members, _) in KINDS.items():
        path = _written(tmp_path / f"a.{kind}", members)
        assert repair_package(path).file == str(path)


@pytest.mark.parametrize("length", [1, 3, 20])
@pytest.mark.parametrize("part", ["[Content_Types].xml", "word/settings.xml", "word/numbering.xml", "word/styles.xml"])
def test_a_part_that_is_cut_off_in_its_first_line_costs_that_part(tmp_path: Path, part: str, length: int) -> None:
    members = {**KINDS["docx"][0]}
    members[part] = members[part][:length]
    parsed = read_docx(_written(tmp_path / "a.docx", members))
    assert parsed.contents[0].text.removeprefix("# ") == "Yard\n\nLane 4 opens at 07:20."
    assert [loss.place for loss in parsed.losses] == [part]
