import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import DataError
from weighbridge.ingest.formats import Content, read_html, read_markdown, read_plain


def test_plain_text_is_kept() -> None:
    assert read_plain("# a\n", "a.txt") == Content(text="# a\n")


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
def test_markdown(text: str, expected: Content) -> None:
    assert read_markdown(text, "a.md") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ngroups: hr\n---\nx", r"a\.md: 'groups' in the front matter must be a list of names"),
        ("---\ngroups: [1]\n---\nx", "must be a list of names"),
        ("---\nfoo: 1\ngroups: [hr\n---\nx", r"a\.md:3: the front matter is not valid YAML"),
        ("---\ngroups: [hr]\n\nx", r"a\.md:1: the front matter that begins here has no closing line"),
    ],
)
def test_access_groups_are_never_lost(text: str, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        read_markdown(text, "a.md")


def test_html_becomes_lines() -> None:
    page = """<!doctype html><html><head><title> The  tide </title><style>p{}</style></head><body>
    <nav><a href=x>Home</a></nav><h1>Tide <b>tables</b></h1><p>High water
    at&nbsp;noon &amp; midnight.<br>Ask.</p><!-- no --><ul><li>one</li><li><p>two</p></li></ul>
    <table><tr><th>Port</th><th>Time</th></tr><tr><td>A</td><td>1</td></tr></table>
    <pre>a
  b</pre><script>alert(1)</script></body></html>"""
    assert read_html(page, "a.html") == Content(
        title="The tide",
        text="Tide tables\n\nHigh water at noon & midnight.\nAsk.\n\n- one\n- two\n\nPort | Time\nA | 1\n\na\nb",
    )


def test_a_page_without_a_title_is_called_as_its_heading() -> None:
    assert read_html("<h1>Tide</h1>x", "a.html").title == "Tide"


def test_a_deeply_nested_page_is_read() -> None:
    assert read_html("<div>" * 20_000 + "deep", "a.html").text == "deep"


@given(text=st.text(st.sampled_from("<>/abdiv -!&;#=\"'\n"), max_size=60))
def test_any_page_is_read(text: str) -> None:
    assert "<script" not in read_html(text, "a.html").text


@given(text=st.text(st.sampled_from("#-=ab: [\n`"), max_size=40))
def test_markdown_that_claims_no_front_matter_is_kept_whole(text: str) -> None:
    assert read_markdown(f"\n{text}", "a.md").text == f"\n{text}"
