import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.formats.web.html import read_page

SENTENCES = (
    "The crane was installed in the spring of 2021 and lifts loads of forty tonnes from the quay to the rail. "
    "It replaced two older ones, which had served the harbour for thirty-one years without a serious accident. "
)
ARTICLE = (
    "<h1>New crane at Varde</h1>"
    + f"<p>{SENTENCES}</p>" * 6
    + "<table><tr><td>Load<td>40 t<tr><td>Reach<td>52 m</table>"
)
LINKS = "".join(f"<li><a href=/{n}>Another story number {n}</a></li>" for n in range(6))

FURNITURE = [
    ('<div class="site-header"><a href=/>Home</a> <a href=/n>News</a></div>', "navigation"),
    ('<div class="breadcrumb"><a href=/>Home</a> / <a href=/n>Stories</a></div>', "navigation"),
    (f'<div class="relatedPosts"><h3>Paint your hull</h3><ul>{LINKS}</ul></div>', "related links"),
    (f"<div><h2>Mehr zum Thema</h2><ul>{LINKS}</ul></div>", "related links"),
    (
        "<div id=cookie-consent><p>We and our partners keep cookies on your device.</p><a>More</a></div>",
        "cookie notice",
    ),
    ("<div class=share-bar>Tweet <a href=t>Mail</a></div>", "share buttons"),
    ("<div class=newsletter-box><p>Get the best of the harbour every week.</p></div>", "newsletter"),
    ("<div role=complementary><p>Weather: rain on Friday</p></div>", "sidebar"),
    ("<aside><p>Weather: rain on Friday</p></aside>", "sidebar"),
    ("<footer><p>Harbour news, Varde</p></footer>", "footer"),
    ("<div id=respond><p>Your address will not be shown.</p><form><label>Name</label></form></div>", "comment form"),
    (f"<div><ul>{LINKS}</ul></div>", "lists of links"),
]


def read(page: str) -> tuple[str, list[str]]:
    parsed = read_page(page.encode(), furniture=False)
    return parsed.contents[0].text, [loss.what for loss in parsed.losses]


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("around", ["article", "div"])
@pytest.mark.parametrize(("furniture", "kind"), FURNITURE)
def test_what_surrounds_an_article_is_left_out_and_told(furniture: str, kind: str, around: str, place: str) -> None:
    article = f"<{around}>{ARTICLE}</{around}>"
    expected, losses = read(f"<body>{article}</body>")
    assert not losses
    text, losses = read(f"<body>{furniture * (place == 'before')}{article}{furniture * (place == 'after')}</body>")
    words = len(re.sub("<[^>]*>", " ", furniture).split())
    assert text == expected
    assert losses == [f"words of page furniture left out, {kind}: {words}"]


@pytest.mark.parametrize(("furniture", "kind"), FURNITURE)
def test_the_caller_may_keep_it(furniture: str, kind: str) -> None:
    del kind
    parsed = read_page(f"<body>{furniture}<article>{ARTICLE}</article>".encode())
    assert set(re.findall(r"\w+", re.sub("<[^>]*>", " ", furniture))) <= set(
        re.findall(r"\w+", parsed.contents[0].text)
    )
    assert not parsed.losses


@pytest.mark.parametrize(
    "page",
    [
        f"<h1>All stories</h1><ul>{LINKS}</ul><div class=footer><p>Open from 9 to 17</p></div>",
        "<h1>Prices</h1><table><tr><th>Ticket<th>Price<tr><td>Day<td>19 euro</table><aside>Children: 9 euro</aside>",
        "<p>The overnight fee is 23 euro.</p><div class=sidebar>Dogs: 4 euro</div>",
    ],
)
def test_a_page_without_an_article_keeps_all(page: str) -> None:
    parsed = read_page(page.encode())
    assert read(page) == (parsed.contents[0].text, [])


@pytest.mark.parametrize(
    "inside",
    [
        "<header class=entry-header><p>Ada Holm saw the crane being lifted from its ship.</p></header>",
        "<p class=teaser>The largest crane of the coast is here.</p>",
        f"<h2>Sources</h2><ul>{LINKS}</ul><p>{SENTENCES}</p>",
        "<div class=widget-table><table><tr><td>Load<td>41 t<tr><td>Reach<td>53 m</table></div>",
        "<div><h2>Recommended dosage</h2><ul><li>5 mg in the morning<li>10 mg at night</ul></div>",
        "<div><h2>Latest prices</h2><table><tr><td>Load<td>19 euro<tr><td>Reach<td>23 euro</table></div>",
        "<p>Related work: the crane of Ribe lifts 30 tonnes.</p>",
        "<dl><dt>Tag</dt><dd>Rope at the hook</dd></dl>",
        "<div class='comment reply'><p>I saw it, too, and it is red.</p></div>",
        f"<aside><p>{SENTENCES}</p></aside>",
        "<aside class=infobox><p>Info</p><p>Closed on Sunday.</p></aside>",
        "<div class=comments><p>I saw it, and it is large.</p></div>",
    ],
)
def test_an_article_keeps_its_own(inside: str) -> None:
    page = f"<body><div class=nav><a>Home</a></div><article>{ARTICLE}{inside}<p>{SENTENCES}</p></article>"
    text, _ = read(page)
    assert set(re.findall(r"\w+", re.sub("<[^>]*>", " ", inside))) <= set(re.findall(r"\w+", text))


@pytest.mark.parametrize(
    "end",
    [
        f"<ol class=references>{LINKS}</ol>",
        f"<div class=footnotes><ul>{LINKS}</ul></div>",
        f"<div class='field field-file-attachments'><ul>{LINKS}</ul></div>",
        "".join(f"<p><a href=x>Amendment {n} to the credit agreement of {n} May 2020</a></p>" for n in range(9)),
    ],
)
def test_what_an_article_cites_at_its_end_stays(end: str) -> None:
    text, losses = read(f"<body><article>{ARTICLE}{end}</article>")
    assert set(re.findall(r"\w+", re.sub("<[^>]*>", " ", end))) <= set(re.findall(r"\w+", text))
    assert not losses


def test_links_under_a_heading_of_furniture_go_with_it() -> None:
    text, losses = read(
        f"<body><article>{ARTICLE}<h2>Read also</h2><ul>{LINKS}</ul><h2>Cost</h2><p>{SENTENCES}</p>"
        "<p>Lesen Sie auch: <a href=x>Ten boats to see this year in the north</a></p></article>"
    )
    assert "Another story" not in text
    assert "Ten boats" not in text
    assert "Read also" not in text
    assert "## Cost" in text
    assert losses == ["words of page furniture left out, related links: 38"]


def test_scripts_are_no_words() -> None:
    _, losses = read(f"<article>{ARTICLE}</article><div class=footer><script>var a = b + c;</script>Two words</div>")
    assert losses == ["words of page furniture left out, footer: 2"]


def test_a_declared_article_may_be_short() -> None:
    text, losses = read(
        "<div class=head><h2>More stories</h2><p>Read next: Ten boats to see</p></div>"
        "<article><h1>New crane</h1><p>It lifts 40 tonnes.</p></article>"
        "<div class=foot><h3>Related content</h3><p>Weather: Rain on Friday</p></div>"
    )
    assert text == "# New crane\n\nIt lifts 40 tonnes."
    assert losses == [
        "words of page furniture left out, beside the article: 8", "words of page furniture left out, footer: 6",
    ]  # fmt: skip


def test_a_page_shown_by_scripts_is_read_as_browsers_without_show_it() -> None:
    text, losses = read(f"<div>Loading</div><noscript><h1>Fees</h1><p>{SENTENCES}</p></noscript>")
    assert text.startswith("Loading\n\n# Fees\n\nThe crane")
    assert not losses


NAMES = ["", "related", "share", "sidebar", "content", "nav", "comments", "footer", "post"]
PIECES = st.recursive(
    st.integers(0, 10**6).map(lambda number: f"<p>w{number}x <a href=x>w{number + 1}x</a></p>"),
    lambda inside: st.builds(
        lambda tag, name, inner: f"<{tag} class='{name}'>{''.join(inner)}</{tag}>",
        st.sampled_from(["div", "ul", "section", "aside", "article", "footer", "form"]),
        st.sampled_from(NAMES),
        st.lists(inside, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=30)
@given(before=PIECES, after=PIECES)
def test_every_word_is_in_the_text_or_counted(before: str, after: str) -> None:
    page = f"<body>{before}<article>{ARTICLE}</article>{after}</body>"
    everything = len(re.sub("<[^>]*>", " ", before + after).split())
    text, losses = read(page)
    counted = sum(int(loss.rpartition(" ")[2]) for loss in losses)
    assert len(re.findall(r"w\d+x", text)) + counted == everything
    assert all("furniture" in loss for loss in losses)
    assert text.count("It replaced two older ones") == 6
