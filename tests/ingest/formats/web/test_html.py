import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.content import Loss, UnreadableError
from weighbridge.ingest.formats.web.html import read_html, read_page


def text_of(page: str) -> str:
    return read_page(page.encode()).contents[0].text


def test_a_page_becomes_markdown(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        """<!doctype html><html><head><title> The  tide </title><style>p{}</style></head><body>
        <nav><a href=x>Home</a></nav><h1>Tide <b>tables</b></h1><p>High water
        at&nbsp;noon &amp; mid&shy;night.<br>Ask.</p><!-- no --><button>Go</button><script>alert(1)</script>
        <h2>Ports</h2><table><caption>All</caption><tr><th>Port</th><th>Time</th></tr><tr><td>A</td><td>1|2<br>3</td></tr>
        </table><p hidden>no</p><p style="color: red; display: none">no</p></body></html>"""
    )
    (content,) = read_html(tmp_path / "a.html").contents
    assert content.title == "The tide"
    assert content.text == (
        "# Tide tables\n\nHigh water at noon & midnight.\nAsk.\n\n## Ports\n\nAll\n\n"
        "| Port | Time |\n| --- | --- |\n| A | 1\\|2 3 |"
    )


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<ul><li>one<li><p>two</p><li>three</ul><p>after", "- one\n- two\n- three\n\nafter"),
        ("<ul><li>one<ul><li>in</ul><li><p>x<p>y</ul>", "- one\n  - in\n- x\n\n  y"),
        ("<ol start=3><li>a<ol><li>b</ol><li>c</ol>", "3. a\n   1. b\n4. c"),
        ("<ol start=250><li>a<li value=9>b<li>c</ol>", "250. a\n9. b\n10. c"),
        ("<ol start=0><li>a<li value=x>b</ol><ol start=-1><li>c</ol>", "0. a\n1. b\n\n-1. c"),
        ("<ol reversed><li>a<ul><li>b</ul><li>c</ol>", "2. a\n   - b\n1. c"),
        ("<ol type=a start=26><li>a<li>b</ol><ol type=I><li>c<ol><li>d</ol></ol>", "- z. a\n- aa. b\n\n- I. c\n  1. d"),
        ("<dl><dt>ebb<dd>falling<dt>flood<dd><p>rising</dl>", "ebb\n: falling\nflood\n: rising"),
        ("<blockquote>said</blockquote>x", "> said\n\nx"),
        (
            '<p>a</p><pre><code class="x language-py">\nif a:\n    b\n</code></pre>c',
            "a\n\n```py\nif a:\n    b\n```\n\nc",
        ),
        ("<pre>```\nx</pre>", "````\n```\nx\n````"),
        ("<p># no heading<p>``` no fence", "\\# no heading\n\n\\``` no fence"),
        ("<h1>Open<p>text</p>", "# Open\n\ntext"),
        ("<h1><div>a</div><div>b</div></h1>", "# a\nb"),
        ("<p>a<img alt='a cat' src=x>b", "a a cat b"),
        ("<table><tr><td>alone</table>", "alone"),
        ("<table><tr><td>a<td>b</table>", "a\n\nb"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("<frameset><frame src=x></frameset>", ""),
        ("", ""),
    ],
)
def test_structure(page: str, expected: str) -> None:
    assert text_of(page) == expected


def test_merged_cells_are_set_apart() -> None:
    parsed = read_page(
        b"<table><tr><th rowspan=2>Port<th colspan=2>Time<tr><td>h<td>m"
        b"<tr><td rowspan=999>A<td>1<td>2<tr><td>3<td>4</table>"
    )
    assert parsed.contents[0].text == (
        "| Port | Time |  |\n| --- | --- | --- |\n| Port | h | m |\n| A | 1 | 2 |\n| A | 3 | 4 |"
    )
    assert parsed.losses == (Loss("the page", "tables with merged cells, which were set apart: 1"),)


def test_a_table_around_a_page_is_given_up() -> None:
    parsed = read_page(
        b"<table><tr><td>menu<td>side</tr><tr><td><h2>News</h2>text"
        b"<table><tr><th>a<th>b<tr><td>1<td>2</table>tail</td><td>more</table>end"
    )
    assert parsed.contents[0].text == (
        "menu\n\nside\n\n## News\n\ntext\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\ntail\nmore\n\nend"
    )
    assert parsed.losses == (Loss("the page", "tables around headings, code or tables, read as plain text: 1"),)


def test_what_is_lost_is_counted() -> None:
    parsed = read_page(b"<p>a<img src=x><img src=y alt=''><img><iframe src=z>no</iframe><video>no</video>")
    assert parsed.contents[0].text == "a"
    assert [loss.what for loss in parsed.losses] == [
        "embedded <iframe>: 1", "embedded <video>: 1", "pictures without a description: 2",
    ]  # fmt: skip


def test_a_page_without_a_title_is_called_as_its_heading() -> None:
    assert read_page(b"<h1>Tide</h1>x").contents[0].title == "Tide"


@pytest.mark.parametrize(
    "source",
    [
        "<p>Grün für é".encode(),
        "\ufeff<p>Grün für é".encode("utf-16"),
        "<p>Grün für é".encode("utf-8-sig"),
        "<meta charset=latin1><p>Grün für é".encode(),
        "<meta charset=iso-8859-15><p>Grün für é".encode("iso-8859-15"),
        '<meta http-equiv=content-type content="text/html; charset=x-mac-roman"><p>Grün für é'.encode("mac-roman"),
        "<meta charset=punycode><p>Grün für é".encode("cp1252"),
        "<p>Grün für é".encode("cp1252"),
    ],
)
def test_encodings(source: bytes) -> None:
    assert read_page(source).contents[0].text == "Grün für é"


def test_encodings_of_ascii_bytes() -> None:
    page = '<meta charset="iso-2022-jp"><p>日本語のページ'
    assert read_page(page.encode("iso-2022-jp")).contents[0].text == "日本語のページ"


def test_xhtml_elements_without_content_do_not_swallow_the_page() -> None:
    head = '<?xml version="1.0"?><html><head><title/><script src="x"/></head>'
    assert text_of(f'{head}<body><a id="x"/><p>all<br/>here</p></body></html>') == "all\nhere"


@pytest.mark.parametrize("source", [b"\0\1\2\3" * 100, bytes(range(256))])
def test_what_is_no_text_is_refused(source: bytes) -> None:
    with pytest.raises(UnreadableError, match="not text"):
        read_page(source)


def test_a_page_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.html").open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(UnreadableError, match="larger than 50 MB"):
        read_html(tmp_path / "a.html")


@pytest.mark.parametrize(
    ("tag", "levels"),
    [("<div>", 30_000), ("<ul><li>", 15_000), ("<table><tr><td>", 15_000), ("<b><p>", 15_000), ("<x/>", 30_000)],
)
def test_a_deeply_nested_page_is_read(tag: str, levels: int) -> None:
    assert text_of(tag * levels + "deep").endswith("deep")


@pytest.mark.parametrize(
    "page", ["<a" * 500_000, "<" * 500_000, "<p " * 300_000, "<p title='" + "<b>" * 200_000, "&" * 500_000]
)
def test_a_page_of_broken_tags_is_read(page: str) -> None:
    text_of(page)


WORDS = st.integers(0, 10**6).map(lambda number: f"w{number}x")
BLOCKS = ["div", "p", "h1", "h3", "ul", "ol", "li", "dl", "dt", "dd", "pre", "blockquote", "table", "tr", "td", "th"]
BLOCKS += ["section", "span", "b", "code", "a", "center"]
TREES = st.recursive(
    WORDS.map(lambda word: f" {word} "),
    lambda inside: st.builds(
        lambda tag, span, inner: f"<{tag}{span}>{''.join(inner)}</{tag}>",
        st.sampled_from(BLOCKS),
        st.sampled_from(["", " colspan=2", " rowspan=3"]),
        st.lists(inside, max_size=4),
    ),
    max_leaves=25,
)


@given(page=TREES)
def test_all_visible_words_survive(page: str) -> None:
    assert set(re.findall(r"w\d+x", page)) <= set(re.findall(r"w\d+x", text_of(page)))


@given(text=st.text(st.sampled_from("<>/abdiv -!&;#=\"'\nptrlu"), max_size=80))
def test_any_page_is_read(text: str) -> None:
    assert "<script" not in text_of(text)


def test_a_tag_of_endless_attributes_keeps_its_text_alone() -> None:
    attributes = b" ".join(b"a%d=1" % number for number in range(50_000))
    assert read_page(b"<p " + attributes + b" hidden>x</p><p>y</p>").contents[0].text == "x\n\ny"
    picture = b"<img alt='a tide' src='data:image/png;base64," + b"AAAA/" * 100_000 + b"'>"
    assert read_page(b"<p>" + picture + b"</p>").contents[0].text == "a tide"


TAGS_THAT_ARE_NONE = (
    '<svg class="i"><use href="#dot"/><path d="M0 0"/></svg>',
    '<script>var t = "<div><ul><li><table>";</script>',
    "<script>if (a<b) document.write('<h1>')</script>",
    "<style>p:before { content: '<div>' }</style>",
    "<!-- <div><section> -->",
    "<!-- > <div> --!>",
    '<img alt="" data-template="<div><p><ul>">',
    "<textarea><div><div></textarea>",
    "<math><mspace/><mspace/></math>",
)


@pytest.mark.parametrize("noise", TAGS_THAT_ARE_NONE)
@pytest.mark.parametrize("head", ["", '<?xml version="1.0"?>'])
def test_what_only_looks_like_tags_changes_no_structure(noise: str, head: str) -> None:
    page = f"{head}<body><nav>Home</nav>{noise * 2_000}<h1>Fees</h1><p>23 euro.</p><ul><li>a<li>b</ul></body>"
    assert text_of(page).replace("<div>", "").strip() == "# Fees\n\n23 euro.\n\n- a\n- b"


@given(noise=st.lists(st.sampled_from(TAGS_THAT_ARE_NONE), max_size=8), end=st.sampled_from(["", "</div>"]))
def test_what_only_looks_like_tags_costs_no_word(noise: list[str], end: str) -> None:
    page = "".join(f"{one}<h2>w{number}x</h2>" for number, one in enumerate(noise))
    parsed = read_page(f"<div><p>{page}{end}<p>last".encode())
    expected = [*(f"## w{number}x" for number in range(len(noise))), "last"]
    assert [line for line in parsed.contents[0].text.split("\n") if line and "div" not in line] == expected
    assert not parsed.losses


def test_tags_that_lie_too_deep_are_told() -> None:
    parsed = read_page(b"<div>" * 20_000 + b"deep")
    assert parsed.contents[0].text == "deep"
    assert parsed.losses == (Loss("the page", "tags nested deeper than 512, read as plain text: 19,488"),)


@pytest.mark.parametrize(
    "piece", ["<div></x>", "<span><div></span>", "<b></i>", "<svg><use/>", "<p a='\"", "<![CDATA["]
)
def test_a_page_of_tags_that_do_not_match_is_read_in_time(piece: str) -> None:
    assert not read_page(piece.encode() * 15_000).contents[0].text


@pytest.mark.parametrize(
    "piece", ["<p>1<b>2</b>", "<ul><li>1<li><i>2</i></ul>", "<table><tr><td>1<td>2</table>", "<dl><dt>1<dd>2</dl>"]
)
def test_a_long_page_without_optional_end_tags_is_no_deep_one(piece: str) -> None:
    parsed = read_page(piece.encode() * 5_000)
    assert parsed.contents[0].text.count("2") == 5_000
    assert not parsed.losses


def test_character_data_of_xhtml_is_text() -> None:
    assert text_of('<?xml version="1.0"?><html><body><p><![CDATA[a < b & <i>c</i>]]></p></body></html>') == (
        "a < b & <i>c</i>"
    )


def test_what_is_left_out_is_told_with_its_words() -> None:
    parsed = read_page(
        b"<nav><a>Home</a><a>All prices</a></nav><p>text<button>Buy now</button><p hidden>a b c d"
        b"<p style='display:none'>e</p><svg><title>An icon</title></svg><noscript>Turn scripts on</noscript>"
    )
    assert parsed.contents[0].text == "text"
    assert [loss.what for loss in parsed.losses] == [
        "words left out, buttons: 2", "words left out, drawings: 2", "words left out, for browsers without scripts: 3",
        "words left out, hidden: 5", "words left out, navigation: 3",
    ]  # fmt: skip


def test_text_that_is_not_taken_over_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.ingest.formats.web.to_markdown._Page.say", lambda *_: None)
    parsed = read_page(b"<p>The crane was installed in 2021 and lifts 40 tonnes.<script>var crane</script>")
    assert [loss.what for loss in parsed.losses] == ["letters that the text lacks, of 42 on the page: 42"]


ARTICLE_BODY = "The crane lifts 40 tonnes. " * 20


@pytest.mark.parametrize(
    ("data", "shown", "expected"),
    [
        ({"articleBody": ARTICLE_BODY}, "Loading", True),
        ({"@graph": [{"x": 1}, {"mainEntity": {"articleBody": ARTICLE_BODY}}]}, "Loading", True),
        ({"articleBody": f"<p>{ARTICLE_BODY}</p>"}, "Loading", True),
        ({"articleBody": ARTICLE_BODY}, ARTICLE_BODY, False),
        ({"articleBody": "Short"}, "Loading", False),
        ({"articleBody": 7, "description": ARTICLE_BODY}, "Loading", False),
    ],
)
def test_an_article_that_scripts_would_show_is_read(data: object, shown: str, expected: bool) -> None:  # noqa: FBT001
    script = f"<script type='application/ld+json'>{json.dumps(data)}</script>"
    text = text_of(f"<head>{script}</head><body><p>{shown}</p>")
    article = ARTICLE_BODY.strip()
    assert text == (f"{shown.strip()}\n\n{article}" if expected else shown.strip())


@pytest.mark.parametrize("broken", ["", "{", "[" * 100_000, "{'articleBody': 1}"])
def test_broken_data_for_search_engines_costs_nothing(broken: str) -> None:
    assert text_of(f"<script type='application/ld+json'>{broken}</script><p>text") == "text"


@pytest.mark.parametrize(("words", "shown"), [(31, True), (30, False)])
def test_a_page_that_is_all_for_browsers_without_scripts_is_read(words: int, shown: bool) -> None:  # noqa: FBT001
    said = " ".join(f"w{number}" for number in range(words))
    text = read_page(f"<p>Loading</p><noscript><p>{said}</p></noscript>".encode()).contents[0].text
    assert text == (f"Loading\n\n{said}" if shown else "Loading")
