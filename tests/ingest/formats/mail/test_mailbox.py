import quopri
import random
import re
from base64 import b64encode, encodebytes
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.content import Enclosed, Loss, Parsed, UnreadableError
from weighbridge.ingest.files.kinds import sniff
from weighbridge.ingest.formats.mail.mailbox import read_email, read_mbox

HEAD = b"From: a@b.c\nSubject: x\n"


def _read(message: EmailMessage | bytes, folder: Path) -> Parsed:
    (folder / "a.eml").write_bytes(message if isinstance(message, bytes) else message.as_bytes())
    return read_email(folder / "a.eml")


def _message(text: str = "High water\nat noon.\n-- \nAnn\n") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Die Fl\u00fcsse  am   Abend"
    message["From"] = "J\u00f6rg <j@example.org>"
    message["To"] = "ann@example.org"
    message["Date"] = "Fri, 01 Mar 2024 12:30:00 +0100"
    message.set_content(text)
    return message


BEFORE = [
    b"", b"\xef\xbb\xbf", b"\n", b"\r\n\n", b"X-Store-Info:J++/abc\n", b"X-Empty:\n", b"From ada@example.org\n",
    b">From ada@example.org Tue Mar  5 10:00:00 2024\n", b"\xef\xbb\xbf\nFrom a@b.c\n", b"Received : by x\n",
    b"From a@b.c Mon Jan  1 10:00:00 2024\n",
]  # fmt: skip


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("after", [b"", b"a line that is no field\nX-Last: y\n"])
def test_unusual_first_lines_leave_the_message_whole(tmp_path: Path, before: bytes, ends: bytes, after: bytes) -> None:
    head = before + b"From: Ada <a@b.c>\nSubject: Note\n" + after + b"Content-Type: text/plain; charset=utf-8\n"
    body = b"Content-Transfer-Encoding: base64\n\n" + b64encode("The gate code is 4417 \u2013 ask.".encode())
    parsed = _read((head + body).replace(b"\r\n", b"\n").replace(b"\n", ends), tmp_path)
    text = parsed.contents[0].text
    assert text.startswith("# Note")
    assert "From: Ada <a@b.c>" in text
    assert text.endswith("\n\nThe gate code is 4417 \u2013 ask.")
    assert not parsed.losses


@pytest.mark.parametrize("colon", [" :", "\t:", "  :"])
def test_a_sender_with_a_blank_before_the_colon_is_no_line_between_mails(tmp_path: Path, colon: str) -> None:
    content = f"From{colon} Ada <a@b.c>\nTo{colon} x@y.z\nSubject{colon} Note\n\nbody".encode()
    assert _read(content, tmp_path).contents[0].text == "# Note\n\nFrom: Ada <a@b.c>\nTo: x@y.z\n\nbody"
    assert sniff(tmp_path / "a.eml") == "email"


def test_a_first_line_that_is_no_field_is_told(tmp_path: Path) -> None:
    parsed = _read(b"HTTP/1.1 200 OK\n" + HEAD + b"\nx", tmp_path)
    assert parsed.contents[0].text == "# x\n\nFrom: a@b.c\n\nx"
    assert parsed.losses == (Loss("header", "begins with a line that is no field: 'HTTP/1.1 200 OK'; left out"),)


def test_a_mail_in_utf16(tmp_path: Path) -> None:
    assert _read((HEAD + b"\nThe code is 4417").decode().encode("utf-16"), tmp_path).contents[0].text.endswith("4417")


def test_a_message(tmp_path: Path) -> None:
    content = _read(_message(), tmp_path).contents[0]
    assert content.title == "Die Fl\u00fcsse am Abend"
    assert content.text == (
        "# Die Fl\u00fcsse am Abend\n\nFrom: J\u00f6rg <j@example.org>\nTo: ann@example.org\n"
        "Date: 2024-03-01 12:30+01:00\n\nHigh water\nat noon.\n\n-- \nAnn"
    )


def test_plain_text_is_taken_before_html_and_blank_text_is_not(tmp_path: Path) -> None:
    message = _message("plain\n")
    message.add_alternative("<p>rich</p>", subtype="html")
    assert _read(message, tmp_path).contents[0].text.endswith("\n\nplain")
    blank = _message(" \n")
    blank.add_alternative("<h2>Rich</h2><p>text</p><script>x</script>", subtype="html")
    assert _read(blank, tmp_path).contents[0].text.endswith("\n\n## Rich\n\ntext")


def test_attachments_are_enclosed(tmp_path: Path) -> None:
    message = _message()
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../../etc/\u00fcber.pdf")
    message.add_attachment(b"{}", maintype="application", subtype="json")
    message.add_attachment("a,b", subtype="csv", filename="a.csv")
    message.add_attachment(_message("forwarded\n"))
    parsed = _read(message, tmp_path)
    names = [file.name for file in parsed.enclosed]
    assert names == ["\u00fcber.pdf", "attachment 2.json", "a.csv", "attachment 4.eml"]
    assert parsed.enclosed[0].content == b"%PDF"
    assert _read(parsed.enclosed[3].content, tmp_path).contents[0].text.endswith("\n\nforwarded")


def test_pictures_in_the_text_and_seals_are_reported(tmp_path: Path) -> None:
    message = _message()
    message.add_alternative('<img src="cid:1">', subtype="html")
    message.get_payload()[1].add_related(b"x", "image", "png", cid="<1>")
    message.add_attachment(b"x", maintype="application", subtype="pgp-signature")
    losses = _read(message, tmp_path).losses
    assert losses == (Loss("", "signature left out"), Loss("", "1 picture(s) in the text left out"))


@pytest.mark.parametrize(
    ("named", "content", "shown", "loss"),
    [
        (
            "utf-8",
            "\u00e9t\u00e9 \u00e0 la plage".encode("cp1252"),
            "\u00e9t\u00e9 \u00e0 la plage",
            "is not in utf-8, as it says",
        ),
        ("no-such-thing", "\u00e9t\u00e9".encode(), "\u00e9t\u00e9", ""),
        (
            "no-such-thing",
            "\u00e9t\u00e9 \u00e0 la plage".encode("cp1252"),
            "\u00e9t\u00e9 \u00e0 la plage",
            "is a guess",
        ),
        ("zlib", b"abc", "abc", ""),
        (
            "ascii",
            b"ok \x81\x8d\x8f\x90",
            "ok \ufffd\ufffd\ufffd\ufffd",
            "4 bytes not in ascii, the first at character 4",
        ),
    ],
)
def test_broken_encodings_survive(tmp_path: Path, named: str, content: bytes, shown: str, loss: str) -> None:
    head = HEAD + f"Content-Type: text/plain; charset={named}\nContent-Transfer-Encoding: 8bit\n\n".encode()
    parsed = _read(head + content, tmp_path)
    assert parsed.contents[0].text.endswith(f"\n\n{shown}")
    assert [loss in told.what for told in parsed.losses] == ([True] if loss else [])


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\n", b"no header at all", HEAD, b"Subject: \xe9\xff\n\nx",
        b"Subject: =?utf-8?b?%%%?= =?nope?q?x?=\n\nx",
        HEAD + b"Content-Type: multipart/mixed\n\nno boundary",
        HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n--x\n",
        HEAD + b"Content-Transfer-Encoding: base64\n\nnot*base64!", HEAD + b"Content-Type: ;;;=\n\nx",
        HEAD + b"Content-Type: message/rfc822\n\nSubject: in\n\nx", HEAD + b"Date: 99 Foo 99999 99:99\n\nx",
        HEAD + b"Content-Type: message/delivery-status\n\nStatus: 5.1.1\n\nReason: none\n",
        HEAD + b"To: " + b"(" * 100_000 + b"\n\nx",
        HEAD + b'Content-Disposition: attachment; filename="' + b"\\" * 50_000 + b'"\n\nx',
        b"Subject: " + b"=?utf-8?q?x?= " * 20_000 + b"\n\nx",
    ],
)  # fmt: skip
def test_odd_messages_are_read(tmp_path: Path, message: bytes) -> None:
    for content in _read(message, tmp_path).contents:
        content.text.encode()


def test_parts_nested_without_end(tmp_path: Path) -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3_000))
    with pytest.raises(UnreadableError, match="taken apart"):
        _read(HEAD + deep, tmp_path)
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_050
    assert _read(HEAD + wide, tmp_path).losses == (Loss("", "parts after the first 10,000 left out"),)


@given(content=st.binary(max_size=120))
def test_any_bytes_are_a_message(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    assert len(_read(content, tmp_path_factory.mktemp("mail")).contents) == 1


def test_a_mailbox_has_a_document_a_message(tmp_path: Path) -> None:
    first = _message("one\n\nFrom here on, see below\n>From the start\n")
    second = _message()
    second.add_attachment(b"x", maintype="application", subtype="pdf", filename="a.pdf")
    second.add_attachment(b"y", maintype="application", subtype="pgp-signature")
    line = b"From ann@example.org Fri Mar  1 12:30:00 2024\n"
    (tmp_path / "a.mbox").write_bytes(b"".join(line + message.as_bytes() + b"\n" for message in (first, second)))
    parsed = read_mbox(tmp_path / "a.mbox")
    assert [content.name for content in parsed.contents] == ["message 1", "message 2"]
    assert parsed.contents[0].text.endswith("one\n\nFrom here on, see below\nFrom the start")
    assert parsed.enclosed == (Enclosed("message 2/a.pdf", b"x"),)
    assert parsed.losses == (Loss("message 2", "signature left out"),)


def test_a_mailbox_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "a.mbox").open("wb") as file:
        file.write(b"From a@b.c\nSubject: x\n\n")
        for _ in range(51):
            file.write(b"x" * 999_999 + b"\n")
        file.write(b"\nFrom a@b.c\nSubject: y\n\n" + b"From a@b.c\n\n" * 50_000)
    parsed = read_mbox(tmp_path / "a.mbox")
    assert (len(parsed.contents), parsed.losses[0]) == (49_999, Loss("message 1", "longer than 50 MB"))
    assert parsed.losses[1] == Loss("message 50,001", "left out, with all that follow: the mailbox is too large")


def test_an_empty_mailbox(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(b"\n\nnothing")
    assert read_mbox(tmp_path / "a.mbox") == Parsed(())


def test_a_page_is_read_where_the_plain_text_but_points_to_it(tmp_path: Path) -> None:
    message = _message("Your program cannot show this mail.\n")
    message.add_alternative("<p>" + "The ferry leaves at nine. " * 20 + "</p>", subtype="html")
    (tmp_path / "a.eml").write_bytes(message.as_bytes())
    assert read_email(tmp_path / "a.eml").contents[0].text.count("nine") == 20
    long = _message("The ferry leaves at nine. " * 20)
    long.add_alternative("<p>" + "The ferry leaves at ten. " * 90 + "</p>", subtype="html")
    (tmp_path / "a.eml").write_bytes(long.as_bytes())
    assert "ten" not in read_email(tmp_path / "a.eml").contents[0].text


CHARSETS = [
    ("utf-8", "utf-8"), ("iso-8859-1", "cp1252"), ("us-ascii", "cp1252"), ("windows-1251", "cp1251"),
    ("koi8-r", "koi8-r"), ("gb2312", "gb18030"), ("big5", "big5"), ("shift_jis", "cp932"),
    ("iso-2022-jp", "iso2022_jp"), ("euc-kr", "cp949"), ("ks_c_5601-1987", "cp949"), ("utf-16", "utf-16"),
    ("utf-16le", "utf-16-le"), ("unicode-1-1-utf-7", "utf-7"),
    ("iso-8859-8-i", "iso8859-8"), ("windows-874", "cp874"), ("", "utf-8"),
]  # fmt: skip
ALONGSIDE = {"cp1252": "déjà \u2013 ", "cp1251": "цена ",
             "koi8-r": "цена ", "gb18030": "价格 ", "big5": "價格 ", "cp932": "①価格 ",
             "iso2022_jp": "価格 ", "cp949": "가격똠 ", "iso8859-8": "מחיר ", "cp874": "ราคา "}  # fmt: skip


@pytest.mark.parametrize(("label", "codec"), CHARSETS)
@pytest.mark.parametrize("transfer", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize("subtype", ["plain", "html"])
def test_numbers_read_back_unchanged(tmp_path: Path, label: str, codec: str, transfer: str, subtype: str) -> None:
    if transfer == "8bit" and codec.startswith("utf-16"):
        pytest.skip("text with null bytes is never sent as it is")
    chance = random.Random(f"{label}{transfer}{subtype}")
    numbers = [_number(chance) for _ in range(60)]
    beside = ALONGSIDE.get(codec, "prix ")
    body = "\r\n".join(f"{beside}{number};" for number in numbers)
    content = (f"<p>{body}</p>" if subtype == "html" else body).encode(codec)
    encoded = {"base64": encodebytes, "quoted-printable": quopri.encodestring, "8bit": bytes}[transfer](content)
    kind = f"Content-Type: text/{subtype}" + (f"; charset={label}" if label else "")
    subject = f"=?{label or 'utf-8'}?b?{b64encode(f'{beside}{numbers[0]}'.encode(codec)).decode()}?="
    head = f"From: a@b.c\nSubject: {subject}\n{kind}\nContent-Transfer-Encoding: {transfer}\n\n"
    parsed = _read(head.encode() + encoded, tmp_path)
    text = parsed.contents[0].text.partition("a@b.c")[2]
    assert parsed.contents[0].title == f"{beside}{numbers[0]}"
    assert [word for word in re.split(r"[;\s]+", text) if any(map(str.isdigit, word)) and word != "①価格"] == numbers
    assert not parsed.losses


def _number(chance: random.Random) -> str:
    whole, part = chance.randrange(10**7), chance.randrange(1000)
    forms = [f"{whole}", f"{whole:,}", f"{whole}.{part:03}", f"-{part}", f"{part}%", f"00{part}", f"{part}/{whole}"]
    return chance.choice([*forms, f"+{whole}", f"{part:03}-{whole:07}", f"{part}:30", f"{part}e-7"])


@pytest.mark.parametrize(
    ("label", "codec"), [("shift_jis", "cp932"), ("windows-1250", "cp1250"), ("gb2312", "gb18030")]
)
def test_attached_texts_are_in_the_encoding_that_the_mail_names(tmp_path: Path, label: str, codec: str) -> None:
    text = {"cp932": "品番,①\n", "cp1250": "łąka,7\n", "gb18030": "朱镕基,7\n"}[codec]
    kind = f"Content-Type: text/csv; charset={label}\nContent-Disposition: attachment; filename=a.csv\n"
    message = HEAD + kind.encode() + b"Content-Transfer-Encoding: base64\n\n" + b64encode(text.encode(codec))
    assert _read(message, tmp_path).enclosed == (Enclosed("a.csv", text.encode()),)
