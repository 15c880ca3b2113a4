"""Page furniture: navigation, related links, notices, forms and the like around the article of a web page.

A page has furniture only where it has an article: sentences, most of them below one element, or an <article> with the
heading of the page. Lists of links, tables and prices of a page without one are its content. A block beside or in an
article is recognised by its tags, roles and classes, by its share of links, and by its own sentences. Where these do
not agree, it stays: text lost costs more than a link too many.

Of trafilatura's evaluation set (990 pages, 2,951 strings that must stay, 2,966 that should go) it costs 7 of 2,938
strings that must stay, and leaves 29 % of those that should go (84 % without it); three in four of these stand inside
of articles. In the same run, trafilatura keeps 94.5 and 10.7 %, resiliparse 96.0 and 31.6 %, readability 86.4 and
11.2 %.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weighbridge.ingest.formats.web.to_markdown import DROPPED, EMBEDDED, WITHOUT_TEXT, is_hidden

_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
})  # fmt: skip
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_ROWS = frozenset({"li", "dt", "dd", "tr", "td", "th", "tbody", "thead"})
"""Parts of lists and tables: they go or stay with the whole unless their own names are those of furniture."""

_SENTENCES = 80
"""The own text of a block, links aside, counts as sentences from so many letters on."""
_SHORT_ARTICLE, _LONG_ARTICLE = 300, 1000
"""A page has an article from so many letters in sentences on. Below the second, only names decide on furniture."""
_INNER = 0.75
"""The share of the sentences that the article's element keeps of those of the element around it. At 0.85, two more
required strings stay and 57 more unwanted ones."""
_SHORT = 150
"""A block beside the article is furniture up to so many letters, even without links."""

_CALLED = {
    "cookie notice": r"cookies?|consent|gdpr|dsgvo|onetrust|cookie(?:bar|banner|law)|cc-window|didomi",
    "newsletter": r"newsletter|subscribe|subscription|sign-?up|mailchimp|optin|abo-?box",
    "share buttons": (
        r"shar(?:e|es|ing)|share(?:bar|daddy)|social|socials|socialmedia|addthis|addtoany|shariff|follow-?us|follow|teilen"
    ),
    "related links": (
        r"related|relatedposts|yarpp|teasers?|recommend(?:ed|ation|ations)?|outbrain|taboola|popular|trending|similar"
        r"|most-?(?:read|viewed)|also-?like|read-?(?:more|next)|up-?next|more-?(?:from|news|stories)|latest|recent"
        r"|(?:next|prev|previous)-?post|post-?navigation|nav-?links|recent-?posts|meistgelesen|weiterlesen|empfehlungen"
        r"|mehr-zum-thema|linklist|crosslinks?|(?:post|entry|article)?-?tags?|tag-?(?:list|links|cloud)|categories"
        r"|cat-?links"
    ),
    "comment form": r"(?:comment|reply)-?form|comment-?respond|respond|leave-?(?:reply|comment)|kommentar-?formular",
    "advertisement": (
        r"ads?|advert(?:s|isement|ising)?|adsense|adbox|ad-?slot|promos?|promotion|sponsor(?:ed|s)?|banner|anzeige"
        r"|werbung|affiliates?|dfp|googlead"
    ),
    "login": r"log-?in|sign-?in|register|registration|(?:user|account)-?menu|paywall",
    "footer": r"(?:page-?)?footer|foot|site-?info|copyright|colophon|imprint|impressum|legal|bottom",
    "navigation": (
        r"nav|navi|navbar|navigation|menus?|(?:main|sub)menu|breadcrumbs?|breadcrumb-?trail|pagination|pager|paging"
        r"|sitemap|skip-?links?|top-?bar|toolbar|(?:site-?|page-?)?header|masthead|search(?:-?form)?|suche|languages?"
        r"|language-?switcher"
    ),
    "sidebar": (
        r"side-?bar|aside|(?<!elementor-)widget|widgets|widget-?area|rail|(?:left|right)-?col(?:umn)?|marginal"
        r"|secondary|complementary"
    ),
    "about the author": (
        r"author-?(?:box|bio|info|card|description|profile)|about-?(?:the-?)?author|bio|biography|post-?author"
        r"|autor-?(?:box|info)"
    ),
}
"""Names that classes and ids give to furniture, as whole words."""
_KINDS = tuple((kind, re.compile(rf"(?<![a-z])(?:{names})(?![a-z])")) for kind, names in _CALLED.items())
_TAGS = {"aside": "sidebar", "footer": "footer", "form": "forms"}
_ROLES = {
    "navigation": "navigation", "banner": "navigation", "search": "navigation", "menu": "navigation",
    "menubar": "navigation", "contentinfo": "footer", "complementary": "sidebar", "dialog": "dialogs",
    "alertdialog": "dialogs", "alert": "dialogs",
}  # fmt: skip
_CONTENT = re.compile(
    r"comment|(?<![a-z])(?:content|article|main|post|entry|story|body|recipe|ingredients?|product|answers?|questions?"
    r"|lead|intro|abstract|summary|text|para|tabs?|details?|specs?)(?![a-z])"
)
"""Names that content has; a block with such a name besides one of furniture must look like furniture."""
_SOURCES = re.compile(
    r"reference|footnote|endnote|citation|source|bibliograph|literatur|attachment|download|file|document"
)
"""Names of the sources and files of an article."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MENTIONED = frozenset({"newsletter", "comment form", "about the author", "cookie notice"})
"""Furniture that stands inside articles too, with sentences of its own."""
_SMALL = frozenset({"share buttons", "forms"}) | _MENTIONED
_VAGUE = frozenset({"navigation", "related links", "footer", "sidebar", "login"})
"""Kinds with names that content has as well: a header or footer of an article, a class "related" on a paragraph."""
_TITLES = re.compile(
    r"related|read (?:also|more|next)|more (?:from|on|stories|news|articles)|you (?:may|might) (?:also )?(?:like|enjoy)"
    r"|recommended|popular|trending|most (?:read|viewed|popular)|latest|recent (?:posts|comments|articles)|share"
    r"|follow us|newsletter|subscribe|tags|categories|leave a (?:reply|comment)|about the author|advertisement"
    r"|mehr (?:zum thema|aus|von|über|zu|lesen)|auch interessant|das könnte|weitere (?:artikel|themen|meldungen)"
    r"|weitere (?:beiträge|nachrichten)|ähnliche|verwandte|meist ?gelesen|beliebt|aktuelle|neueste|teilen"
    r"|lesen sie (?:auch|mehr)|zum thema|kommentar|schreibe? einen|anzeige|schlagw|kategorien|folgen|artikel teilen"
    r"|lire aussi|à lire|sur le même|dans la même|articles (?:liés|similaires)|partager|suivez|commentaires?$"
    r"|noticias relacionadas|relacionad|te puede interesar|le[ae] también|más (?:noticias|leíd)|compart[ie]|síguenos"
    r"|leggi anche|articoli correlati|condividi|potrebbe interessarti|zobacz też|czytaj (?:także|też|również)|polecamy"
    r"|podobne|udostępnij|komentarze|lees ook|meer over|leia também|veja também|läs också",
    re.IGNORECASE,
)
"""Beginnings of the headings of furniture."""


@dataclass(slots=True)
class _Block:
    """An element that is no part of a line: its letters, those in links, and those in sentences outside of links."""

    node: Any
    tag: str
    parent: "_Block | None" = None
    children: list["_Block"] = field(default_factory=list)
    own: int = 0
    own_linked: int = 0
    letters: int = 0
    linked: int = 0
    sentences: int = 0
    titles: int = 0
    tables: int = 0
    before: int = 0
    """Letters in sentences that come before it in the article."""

    @property
    def links(self) -> float:
        """The share of letters in links."""
        return self.linked / self.letters

    @property
    def prose(self) -> float:
        """The share of letters in sentences."""
        return self.sentences / self.letters

    def own_sentences(self) -> int:
        plain = self.own - self.own_linked
        return plain if plain >= _SENTENCES else 0

    def names(self) -> str:
        """The words of its class and id, in small letters."""
        attributes = self.node.attributes
        if not attributes:
            return ""
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        return _CAMEL.sub(" ", names).casefold().replace("_", "-")

    def declared_kind(self) -> str:
        """The kind of furniture that its tag, role or names declare; empty where they declare none."""
        role = (self.node.attributes.get("role") or "").casefold()
        if kind := _TAGS.get(self.tag) or _ROLES.get(role):
            return kind
        names = self.names()
        return next((kind for kind, pattern in _KINDS if names != " " and pattern.search(names)), "")


def find_furniture(body: Any) -> Mapping[int, str]:
    """Return the kind of each element below `body` that is furniture, by its `mem_id`."""
    page = _measure(body)
    declared = _declared_article(page)
    if declared is None and page.sentences < _SHORT_ARTICLE:
        return {}
    article = declared or _densest(page)
    _count_before(article)
    search = _Search(page, article, short=declared is None and page.sentences < _LONG_ARTICLE)
    search.go_through()
    return search.found


@dataclass(slots=True)
class _Search:
    """The search for furniture in a page, and the kinds found."""

    page: _Block
    article: _Block
    short: bool
    """Whether the article is so short that only names decide on furniture."""
    found: dict[int, str] = field(default_factory=dict)

    def go_through(self) -> None:
        around = set[int]()
        block: _Block | None = self.article
        while block is not None:
            around.add(id(block))
            block = block.parent
        stack = [(self.page, self.page is self.article)]
        while stack:
            block, inside = stack.pop()
            title = False
            for child in block.children:
                kind = "" if id(child) in around or not child.letters else self._kind(child, inside=inside)
                if title and not kind and child.letters and id(child) not in around and _is_link_list(child):
                    kind = "related links"
                title = child.tag in _HEADINGS and _has_furniture_title(child)
                if kind:
                    self.found[child.node.mem_id] = kind
                elif child.tag != "table" or child.sentences:
                    stack.append((child, inside or child is self.article))
            if not self.short:
                self._take_headings(block)

    def _kind(self, block: _Block, *, inside: bool) -> str:
        if block.tag in _HEADINGS or (block.titles and block.tag != "footer"):
            return ""
        kind = "related links" if block.tag == "p" and _has_furniture_title(block) else block.declared_kind()
        if block.sentences > (0.4 if kind and not inside else 0.2) * self.page.sentences:
            return ""
        if inside and not self.short and self._is_at_end(block):
            return "lists of links"
        if kind == "related links" and block.links < 0.1:  # noqa: PLR2004 - it relates to hardly anything
            kind = ""
        if kind or block.tag == "p":
            return kind if self._looks_like(kind, block, inside=inside) else ""
        if block.prose < 0.5 and block.links >= 0.3 and not block.tables and _has_furniture_title(block):  # noqa: PLR2004 - a list of links
            return "related links"
        return "" if inside or self.short or block.tag in _ROWS else _unnamed_kind(block)

    def _looks_like(self, kind: str, block: _Block, *, inside: bool) -> bool:
        """Tell whether a block that is called furniture looks like it, as far as its name leaves that open."""
        if block.tag == "p":
            linked = block.links > 0.5  # noqa: PLR2004 - the larger part
            return (linked and _has_furniture_title(block)) or (not inside and (linked or kind == "comment form"))
        if block.tables and block.links < 0.3:  # noqa: PLR2004 - a table of values, not of links
            return False
        if inside and not self.short:
            if kind in _MENTIONED and block.sentences < 0.1 * self.page.sentences:
                return True
            return (block.prose < 0.5 and block.links > 0.3) or (kind in _SMALL and block.prose < 0.8)  # noqa: PLR2004
        content = _CONTENT.search(block.names()) is not None
        if kind in _VAGUE and content and block.prose > 0.3 and block.links < 0.3:  # noqa: PLR2004 - sentences, few links
            return False
        return not content or block.prose < 0.6 or block.sentences < 300  # noqa: PLR2004 - what an article says

    def _is_at_end(self, block: _Block) -> bool:
        """Tell whether a block is links alone, and stands after the article's last sentences or, a list, before all.

        Lists of sources and files are the article's own, and so are numbered ones.
        """
        if block.tag not in {"div", "ul", "section"} or block.links <= 0.8:  # noqa: PLR2004 - but for commas
            return False
        around = block.parent.names() if block.parent is not None else ""
        if self.article is self.page or _SOURCES.search(f"{block.names()} {around}"):
            return False
        return block.before >= self.article.sentences or (block.before == 0 and block.tag == "ul")

    def _take_headings(self, block: _Block) -> None:
        """Take a heading, too, where all that stood under it was taken."""
        kind = ""
        for child in reversed(block.children):
            if child.node.mem_id in self.found:
                kind = kind if kind == "kept" else self.found[child.node.mem_id]
            elif child.tag in _HEADINGS:
                if kind not in {"", "kept"} and child.tag != "h1" and not child.sentences:
                    self.found[child.node.mem_id] = kind
                kind = ""
            elif child.letters:
                kind = "kept"


def _measure(body: Any) -> _Block:
    """Return the blocks of a page, each with the counts of its own text and of the blocks below it."""
    page = _Block(body, "body")
    blocks = [page]
    stack: list[tuple[Any, _Block, bool]] = [(body, page, False)]
    while stack:
        node, block, linked = stack.pop()
        for child in node.iter(include_text=True, skip_empty=True):
            tag: str = child.tag or "-comment"
            if tag == "-text":
                letters = len(child.text_content.strip())
                block.own += letters
                block.own_linked += letters if linked else 0
            elif tag in WITHOUT_TEXT or tag in DROPPED or tag in EMBEDDED or is_hidden(child):
                continue
            elif tag in _INLINE:
                stack.append((child, block, linked or tag == "a"))
            else:
                inner = _Block(child, tag, block, titles=int(tag == "h1"), tables=int(tag == "table"))
                block.children.append(inner)
                blocks.append(inner)
                stack.append((child, inner, linked))
    for block in reversed(blocks):
        block.letters += block.own
        block.linked += block.own_linked
        block.sentences += block.own_sentences()
        if (around := block.parent) is not None:
            around.letters += block.letters
            around.linked += block.linked
            around.sentences += block.sentences
            around.titles += block.titles
            around.tables += block.tables
    return page


def _declared_article(page: _Block) -> _Block | None:
    """Return the only <article> of a page, if it has the page's heading."""
    articles: list[_Block] = []
    stack = [page]
    while stack:
        block = stack.pop()
        if block.tag == "article":
            articles.append(block)
        else:
            stack.extend(block.children)
    return articles[0] if len(articles) == 1 and articles[0].titles == page.titles == 1 else None


def _densest(page: _Block) -> _Block:
    """Return the innermost element that has most of the page's sentences, or the outermost <article> around it."""
    article = page
    while article.children:
        inner = max(article.children, key=lambda block: block.sentences)
        enough = max(_INNER * article.sentences, 0.6 * page.sentences)
        if inner.sentences < enough or inner.tag in {"p", "li", "td"}:
            break
        article = inner
    around = article
    while around.parent is not None:
        article = around if around.tag == "article" else article
        around = around.parent
    return article


def _count_before(article: _Block) -> None:
    total = 0
    stack = [article]
    while stack:
        block = stack.pop()
        block.before = total
        total += block.own_sentences()
        stack.extend(reversed(block.children))


def _has_furniture_title(block: _Block) -> bool:
    """Tell whether a block begins with a heading of furniture, or a paragraph with such words."""
    first = block.children[0] if block.children else block
    return first.tag in _HEADINGS | {"p"} and _TITLES.match(" ".join(first.node.text().split())) is not None


def _is_link_list(block: _Block) -> bool:
    return block.links > 0.6 and block.prose < 0.3 and block.tag not in _HEADINGS  # noqa: PLR2004 - but for dates


def _unnamed_kind(block: _Block) -> str:
    """Return the kind of a block beside the article that has no name: it has many links, or says hardly anything."""
    names = block.names()
    if block.links > 0.5 and "comment" not in names:  # noqa: PLR2004 - the larger part
        return "lists of links"
    if block.prose >= 0.3 or block.tables or _CONTENT.search(names):  # noqa: PLR2004 - sentences of its own
        return ""
    return "beside the article" if block.links > 0.2 or block.letters < _SHORT else ""  # noqa: PLR2004 - a fifth
