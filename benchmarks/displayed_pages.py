"""Pages, mails, tables of text and PDFs with numbers in every markup, charset and transfer encoding."""

import base64
import io
import quopri
import random
from collections.abc import Iterator
from pathlib import Path

from displayed import END, Item, Made, Written
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

_A_PAGE, _A_MAIL, _A_DRAWN = 200, 20, 50
_FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
_PAGE_CHARSETS = ("utf-8", "windows-1252", "iso-8859-15", "utf-16", "koi8-r", "windows-1251")
_MAIL_CHARSETS = (
    "utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "koi8-r", "windows-1251", "shift_jis",
    "iso-2022-jp", "gb2312", "euc-kr",
)  # fmt: skip
_WORDS = {"koi8-r": "цена", "windows-1251": "цена", "shift_jis": "価格", "iso-2022-jp": "価格", "gb2312": "价格",
          "euc-kr": "가격", "us-ascii": "price", "utf-16": "prix élevé"}  # fmt: skip
_TEX = (
    "<math><semantics><mfrac><mn>{above}</mn><mn>{below}</mn></mfrac>"
    "<annotation encoding='application/x-tex'>\\frac{{{above}}}{{{below}}}</annotation></semantics></math>"
)
_FILLER = "The committee met in the spring and spoke of what the members had found in the years before. "
"""A page of numbers alone is not an article; and some words make a charset certain."""


def _write_markup(dice: random.Random) -> Written:
    """Return a number in some markup of a page."""
    small, part, large = dice.randint(2, 9), dice.randint(10, 99), dice.randint(1_000, 99_999)
    grouped, other = f"{large:,}", dice.randint(100, 999)
    spaced = grouped.replace(",", " ")
    forms: tuple[Written, ...] = (
        ("plain", f"{large}", f"{large}"),
        ("thousands", f"{grouped}.25", f"{grouped}.25"),
        ("thousands, &nbsp;", grouped.replace(",", "&nbsp;"), spaced),
        ("thousands, &#8239;", grouped.replace(",", "&#8239;"), spaced),
        ("thousands, &thinsp;", grouped.replace(",", "&thinsp;"), spaced),
        ("decimal comma", f"{part},{small}5", f"{part},{small}5"),
        ("currency", f"${grouped}", f"${grouped}"),
        ("currency", f"&pound;{grouped}", f"£{grouped}"),
        ("percent", f"{part}.{small}&nbsp;%", f"{part}.{small} %"),
        ("minus", f"&minus;{large}", f"-{large}"),
        ("leading zeros", f"{large:09}", f"{large:09}"),
        ("date", f'<time datetime="2019-07-0{small}">{small} July 2019</time>', f"{small} July 2019"),
        ("superscript", f"10<sup>{small}</sup>", f"10^{small}"),
        ("superscript", f"10<sup>&minus;{small}</sup>", f"10^-{small}"),
        ("superscript by style", f'10<span style="vertical-align: super">{small}</span>', f"10^{small}"),
        ("subscript", f"C<sub>{part}</sub>", f"C{part}"),
        ("base", f"{other}<sub>{small}</sub>", f"{other}_{small}"),
        ("note mark", f'{grouped}<sup><a href="#n{small}">{small}</a></sup>', f"{grouped}^{small}"),
        ("note mark", f"{grouped}<sup>[{small}]</sup>", f"{grouped}[{small}]"),
        ("fraction", f"{part}&frac12;", f"{part} 1/2"),
        ("MathML fraction", f"<math><mfrac><mn>{small}</mn><mn>{part}</mn></mfrac></math>", f"{small}/{part}"),
        ("MathML power", f"<math><msup><mn>10</mn><mn>{small}</mn></msup></math>", f"10^{small}"),
        ("MathML mixed", f"<math><mn>{part}</mn><mfrac><mn>1</mn><mn>{small}</mn></mfrac></math>", f"{part} 1/{small}"),
        ("MathML with TeX", _TEX.format(above=small, below=part), f"{small}/{part}"),
        ("split by a tag", f"{part}<b>{small}</b><span>{part}</span>", f"{part}{small}{part}"),
        ("split by <wbr>", f"{part}<wbr>{large}", f"{part}{large}"),
        ("split by &shy;", f"{part}&shy;{large}", f"{part}{large}"),
        ("line break", f"{part}<br>{small}", f"{part} {small}"),
        ("hidden", f'{part}<span style="display: none">{large}</span>', f"{part}"),
        ("hidden", f"{part}<span hidden>{large}</span>", f"{part}"),
        ("comment", f"{part}<!-- {large} -->", f"{part}"),
        ("script", f"{part}<script>var x = {large};</script>", f"{part}"),
        ("attribute", f'<data value="{large}" title="{large}">{part}</data>', f"{part}"),
        ("struck out", f"<del>{part}</del> {small}", f"{part} {small}"),
        ("right to left", f'<bdi dir="rtl">سعر {grouped} ريال</bdi>', f"سعر {grouped} ريال"),
    )  # fmt: skip
    return dice.choice(forms)


def make_pages(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield pages in several charsets, with numbers in paragraphs, lists and tables."""
    for number in range(-(-count // _A_PAGE)):
        charset = _PAGE_CHARSETS[number % len(_PAGE_CHARSETS)]
        items, body = [], []
        for at in range(min(count - number * _A_PAGE, _A_PAGE)):
            label = next(names)
            family, markup, display = _write_markup(dice)
            items.append(Item(family, label, display))
            blocks = (
                f"<p>{_FILLER}{label} {markup} {END}</p>",
                f"<ul><li>{label} {markup} {END}</li></ul>",
                f"<table><tr><th>name</th><th>end</th></tr><tr><td>{label} {markup}</td><td>{END}</td></tr></table>",
            )
            body.append(blocks[at % len(blocks)])
        word = _WORDS.get(charset, "größer")
        head = f"<title>{word}</title>" + ("" if charset == "utf-16" else f'<meta charset="{charset}">')
        page = f"<!doctype html><html><head>{head}</head><body><h1>{word}</h1>{''.join(body)}</body></html>"
        yield Made(f"page-{number}.html", page.encode(charset, "xmlcharrefreplace"), items)


def make_mails(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield mails in every charset and transfer encoding, as text and as HTML."""
    encodings = ("7bit", "8bit", "quoted-printable", "base64")
    for number in range(-(-count // _A_MAIL)):
        charset = _MAIL_CHARSETS[number % len(_MAIL_CHARSETS)]
        encoding = dice.choice(encodings[2:] if charset not in {"us-ascii", "iso-2022-jp"} else encodings)
        encoding = "8bit" if dice.random() < 0.2 and charset != "us-ascii" else encoding
        word = _WORDS.get(charset, "größer")
        items, lines = [], []
        for _ in range(min(count - number * _A_MAIL, _A_MAIL)):
            label = next(names)
            family, text = _write_plain(dice)
            items.append(Item(f"{charset}, {encoding}, {family}", label, text))
            lines.append(f"{word} {label} {text} {END}")
        is_page = number % 3 == 2
        lines.insert(0, _FILLER)
        body = f"<html><body><p>{'</p><p>'.join(lines)}</p></body></html>" if is_page else "\n".join(lines)
        yield Made(f"mail-{number}.eml", _mail(body, charset, encoding, "html" if is_page else "plain"), items)


def _mail(body: str, charset: str, encoding: str, kind: str) -> bytes:
    content = body.encode(charset)
    match encoding:
        case "base64":
            content = base64.encodebytes(content)
        case "quoted-printable":
            content = quopri.encodestring(content)
    head = (
        f"From: Ann <ann@example.org>\nTo: Bob <bob@example.org>\nSubject: Figures\nMIME-Version: 1.0\n"
        f"Content-Type: text/{kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    )
    return (head.encode() + content).replace(b"\n", b"\r\n")


def _write_plain(dice: random.Random) -> tuple[str, str]:
    """Return a number as plain text in ASCII, in which an encoding could change it."""
    small, large = dice.randint(2, 9), dice.randint(1_000, 9_999_999)
    forms = (
        ("plain", f"{large}"),
        ("thousands", f"{large:,}.5{small}"),
        ("leading zeros", f"{large:010}"),
        ("assignment", f"x={large % 90 + 10}"),
        ("percent", f"%{large % 90 + 10} 2{small}%"),
        ("date", f"2025-0{small}-1{small}"),
        ("time", f"1{small}:0{small}:3{small}"),
        ("decimal comma", f"{large % 1000},{small}"),
        ("phone", f"+49 30 {large:07}"),
        ("long", " ".join(f"{dice.randint(0, 10**9):09}" for _ in range(12))),
    )
    return dice.choice(forms)


def make_tables(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield CSV files with both separators, in several charsets."""
    for number in range(-(-count // _A_PAGE)):
        charset = ("utf-8", "utf-8-sig", "windows-1252", "utf-16")[number % 4]
        separator = ",;\t"[number % 3]
        items, lines = [], [separator.join(("name", "größe", "end"))]
        for _ in range(min(count - number * _A_PAGE, _A_PAGE)):
            label = next(names)
            family, text = _write_plain(dice)
            items.append(Item(f"CSV, {family}", label, text))
            lines.append(separator.join((label, f'"{text}"' if separator in text else text, END)))
        yield Made(f"table-{number}.csv", "\n".join(lines).encode(charset), items)


def make_papers(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield PDFs with numbers in paragraphs, with raised and lowered digits, and in tables."""
    registerFont(TTFont("DejaVu", str(_FONT)))
    style = getSampleStyleSheet()["Normal"]
    style.fontName = "DejaVu"
    for number in range(-(-count // _A_PAGE)):
        items, story, rows = [], [], [["name", "shown", "end"]]
        for at in range(min(count - number * _A_PAGE, _A_PAGE)):
            label = next(names)
            if at % 4 == 3:
                family, text = _write_plain(dice)
                if family == "long":
                    text = text[:19]
                rows.append([label, text, END])
                items.append(Item(f"table, {family}", label, text))
            else:
                family, markup, display = _write_print(dice)
                story.append(Paragraph(f"{label} {markup} {END}", style))
                items.append(Item(family, label, display))
        story.append(
            Table(rows, style=[("FONTNAME", (0, 0), (-1, -1), "DejaVu"), ("GRID", (0, 0), (-1, -1), 1, "#000")])
        )
        file = io.BytesIO()
        SimpleDocTemplate(file, pagesize=A4, invariant=1).build(story)
        yield Made(f"paper-{number}.pdf", file.getvalue(), items)


def make_drawn(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield a PDF whose numbers are drawn piece by piece: on one line as one, with a gap as two, spaced, and turned."""
    registerFont(TTFont("DejaVu", str(_FONT)))
    file = io.BytesIO()
    page = Canvas(file, pagesize=A4, invariant=1)
    items: list[Item] = []
    for at, label in enumerate(next(names) for _ in range(count)):
        line = at % _A_DRAWN
        if at and not line:
            page.showPage()
        page.setFont("DejaVu", 9)
        first, second = f"{dice.randint(10, 99_999):,}", f"{dice.randint(10, 999)}"
        family, gap, spacing = dice.choice(
            [("in pieces", 0.0, 0.0), ("kerned", 0.6, 0.0), ("apart", 14.0, 0.0), ("spaced", 0.0, 0.8)]
        )
        x, y = 60.0, 790.0 - 14 * line
        for text, after in ((f"{label} {first}", gap), (f"{second} {END}", 0.0)):
            page.drawString(x, y, text, charSpace=spacing)
            x += page.stringWidth(text, "DejaVu", 9) + spacing * len(text) + after
        items.append(Item(family, label, f"{first} {second}" if gap > 1 else f"{first}{second}"))
    page.save()
    yield Made("drawn.pdf", file.getvalue(), items)


def _write_print(dice: random.Random) -> Written:
    """Return a number in the markup of ReportLab."""
    small, large, part = dice.randint(2, 9), dice.randint(1_000, 99_999), dice.randint(10, 99)
    grouped = f"{large:,}"
    forms: tuple[Written, ...] = (
        ("plain", f"{large}", f"{large}"),
        ("thousands", f"{grouped}.75", f"{grouped}.75"),
        ("thousands, no-break space", grouped.replace(",", "\u00a0"), grouped.replace(",", " ")),
        ("currency", f"€{grouped}", f"€{grouped}"),
        ("negative", f"({grouped})", f"({grouped})"),
        ("percent", f"{part}.{small}%", f"{part}.{small}%"),
        ("minus", f"\u2212{large}", f"-{large}"),
        ("leading zeros", f"{large:09}", f"{large:09}"),
        ("date", f"1{small}/0{small}/2024", f"1{small}/0{small}/2024"),
        ("superscript", f"10<super>{small}</super>", f"10^{small}"),
        ("superscript", f"10<super>\u2212{small}</super>", f"10^-{small}"),
        ("subscript", f"CO<sub>{small}</sub>", f"CO{small}"),
        ("note mark", f"{grouped}<super>{small}</super>", f"{grouped}^{small}"),
        ("bold part", f"{part}<b>{small}</b>{part}", f"{part}{small}{part}"),
        ("ligature", f"e\ufb03cient {large}", f"efficient {large}"),
        ("vulgar fraction", f"{part}½", f"{part} 1/2"),
    )
    return dice.choice(forms)


def make_hebrew(dice: random.Random, count: int, names: Iterator[str]) -> Iterator[Made]:
    """Yield a PDF drawn in visual order: Hebrew from right to left, its numbers from left to right."""
    registerFont(TTFont("DejaVu", str(_FONT)))
    style = getSampleStyleSheet()["Normal"]
    style.fontName, style.alignment = "DejaVu", 2
    items, story = [], []
    for label in (next(names) for _ in range(count)):
        price = f"{dice.randint(1_000, 999_999):,}"
        before, after = "מחיר הספר", "שקלים חדשים"
        items.append(Item("right to left", label, f"{before} {price} {after}"))
        story.append(Paragraph(f"{END} {after[::-1]} {price} {before[::-1]} {label}", style))
    file = io.BytesIO()
    SimpleDocTemplate(file, pagesize=A4, invariant=1).build(story)
    yield Made("hebrew.pdf", file.getvalue(), items)
