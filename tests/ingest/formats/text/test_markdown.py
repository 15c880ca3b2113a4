from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.ingest.content import Content, UnreadableError
from weighbridge.ingest.formats.text.markdown import read_markdown


def read(folder: Path, text: str) -> Content:
    (folder / "a.md").write_text(text, encoding="utf-8")
    (content,) = read_markdown(folder / "a.md").contents
    return content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# The *long* `way`\n\nText\n", Content(text="# The *long* `way`\n\nText\n", title="The long way")),
        ("```\n# no\n```\nYes\n===\n", Content(text="```\n# no\n```\nYes\n===\n", title="Yes")),
        ("just text", Content(text="just text")),
        ("---\ntitle: A title\n---\n\n# Other\n", Content(text="# Other\n", title="A title")),
        (
            "---\nGroups: [hr, it ]\nauthor: x\n---\n# Pay\n",
            Content(text="# Pay\n", title="Pay", groups=frozenset({"hr", "it"})),
        ),
        ("---\n---\ntext", Content(text="text")),
        (
            "---\nA rule, and a text.\n---\nMore",
            Content(text="---\nA rule, and a text.\n---\nMore", title="A rule, and a text."),
        ),
        ("---\nno end", Content(text="---\nno end")),
    ],
)
def test_markdown(tmp_path: Path, text: str, expected: Content) -> None:
    assert read(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ngroups: hr\n---\nx", "^'groups' in the front matter must be a list of names"),
        ("---\ngroups: [1]\n---\nx", "must be a list of names"),
        ("---\nfoo: 1\ngroups: [hr\n---\nx", "^line 3: the front matter is not valid YAML"),
        ("---\ngroups: [hr]\n\nx", "^line 1: the front matter that begins here has no closing line"),
    ],
)
def test_access_groups_are_never_lost(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(UnreadableError, match=expected):
        read(tmp_path, text)


@given(text=st.text(st.sampled_from("#-=ab: [\n`"), max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_markdown_that_claims_no_front_matter_is_kept_whole(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"\n{text}").text == f"\n{text}"


def test_groups_that_are_named_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ngroups: [hr]\nGroups:\n---\nsecret\n")
    with pytest.raises(UnreadableError, match="differ in case alone"):
        read_markdown(tmp_path / "a.md")
