# ruff: noqa: RUF001 - the signs of many alphabets are what is tested

import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.decode.charsets import codec_of
from weighbridge.ingest.decode.encodings import decode, decode_head, outline

WRITTEN = st.text(st.characters(exclude_categories=["C"]), min_size=1)
WORDS = {
    "pl": "zamyka się źródło wody jest obok łąki żółta tablica wskazuje drogę zezwolenie wydaje ochrona święto też",
    "cs": "příliš žluťoučký kůň úpěl ďábelské ódy zámek je zavřený před polednem klíč má správce u vrátnice",
    "de": "für über schließen Schlüssel Türen öffnen Straße Überstunden zählen mäßig täglich größer müssen könnte",
    "fr": "déjà été où garçon forêt élève très après hôtel être fenêtre réservé fermée à côté entrée clé née",
    "ru": "склад закрыт по пятницам пропуск выдаёт охрана ключ лежит на столе договор вступает в силу сегодня",
    "el": "η αποθήκη κλείνει κάθε παρασκευή στις πέντε το κλειδί είναι στον φύλακα της πύλης και η άδεια",
    "he": "המחסן סגור ביום שישי המפתח נמצא אצל השומר בכניסה האישור ניתן במשרד קוד השער הוא סודי מאוד",
    "th": "คลังสินค้าปิดทุกวันศุกร์ กุญแจอยู่ที่ยาม รหัสประตูเป็นความลับ ติดต่อสำนักงานเพื่อขอใบอนุญาต เวลาเปิด",
    "ja": "倉庫の鍵は 警備員が 保管しています。 商品の番号と 単価を 確認する。 門の暗証番号は 毎月 変わります。",
    "zh": "仓库每周五 下午五点关闭。 钥匙由门卫 保管。 本协议自今年 五月一日起生效。 违约金为 合同总额的 百分之五。",
    "tw": "倉庫每週五 下午五點關閉。 鑰匙由門衛 保管。 本協議自今年 五月一日起生效。 違約金為 合約總額的 百分之五。",
    "ko": "창고는 매주 금요일에 문을 닫습니다. 열쇠는 경비원이 보관합니다. 출입문 비밀번호는 매달 바뀝니다.",
}
ENCODINGS = [
    ("pl", "cp1250"), ("pl", "iso8859-2"), ("cs", "cp1250"), ("de", "cp1252"), ("fr", "cp1252"), ("ru", "cp1251"),
    ("ru", "koi8-r"), ("ru", "cp866"), ("el", "cp1253"), ("he", "cp1255"), ("th", "cp874"), ("ja", "cp932"),
    ("ja", "euc_jp"), ("zh", "gb18030"), ("tw", "big5"), ("ko", "cp949"),
]  # fmt: skip
FULL = {"koi8-r", "cp866", "iso8859-2"}
"""Encodings in which each byte is a character."""
LABELS = [
    ("gb2312", "朱镕基 4417", "gbk"), ("GBK", "碁 4417", "gbk"), ("shift_jis", "①㈱髙 4417", "cp932"),
    ("Windows-31J", "①㈱ 4417", "cp932"), ("x-sjis", "㈱", "cp932"), ("euc-kr", "똠방각하 4417", "cp949"),
    ("ks_c_5601-1987", "똠방 4417", "cp949"), ("iso-8859-1", "café’s – 4417", "cp1252"),
    ("us-ascii", "café’s – 4417", "cp1252"), ("iso-8859-8-i", "קוד 4417", "iso8859-8"),
    ("windows-874", "รหัส 4417", "cp874"), ("tis-620", "รหัส", "cp874"), ("iso-2022-jp", "番号 4417", "iso2022_jp"),
    ("unicode-1-1-utf-7", "cafй 4417", "utf-7"), ("hz-gb-2312", "密码 4417", "hz"), ("ibm850", "Grün", "cp850"),
    ("big5", "密碼 4417", "big5"), ("koi8-r", "код 4417", "koi8-r"), ("euc-jp", "① 4417", "euc_jis_2004"),
    ("x-mac-roman", "Grün", "mac-roman"), ('"utf-8"', "Grün", "utf-8"), ("latin1", "Grün", "utf-8"),
    ("iso-8859-2", "łąka 4417", "utf-8"), ("gb2312", "规则与条款 4417", "utf-8"),
]  # fmt: skip


def sentences(language: str, seed: int, least: int = 40) -> str:
    """Return words of a language in any order, with so many characters beyond ASCII at least."""
    chance = random.Random(seed)
    text = ""
    while len(text) - len(text.encode("ascii", "ignore")) < least:
        text += chance.choice(WORDS[language].split()) + " "
    return text


@given(text=WRITTEN, encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_marked_text_is_read_as_marked(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@given(text=WRITTEN)
def test_utf8_needs_no_mark(text: str) -> None:
    decoded = decode(text.encode())
    assert (decoded.text, decoded.losses) == (text.removeprefix("\ufeff"), ())


@given(content=st.binary(max_size=300), label=st.sampled_from(["", "gb2312", "utf-8", "iso-2022-jp", "utf-7", "zlib"]))
def test_any_bytes_are_text_or_refused(content: bytes, label: str) -> None:
    try:
        decoded = decode(content, label)
    except UnreadableError:
        return
    assert "\0" not in decoded.text
    assert bool(decoded.losses) >= ("\ufffd" in decoded.text and "\ufffd".encode() not in content)


@pytest.mark.parametrize(("label", "text", "codec"), LABELS)
def test_labels_mean_what_they_mean_to_browsers(label: str, text: str, codec: str) -> None:
    decoded = decode(text.encode(codec), label)
    told = [f"says that it is in {label} and is UTF-8; read as that"] if label == "iso-8859-2" else []
    told += ["says that it is in gb2312 and is UTF-8; read as that"] if (label, codec) == ("gb2312", "utf-8") else []
    assert (decoded.text, [loss.what for loss in decoded.losses]) == (text, told)


@pytest.mark.parametrize("label", ["zlib", "rot13", "punycode", "idna", "undefined", "unicode_escape", "", "nope"])
def test_what_is_no_encoding_of_text_is_no_label(label: str) -> None:
    assert codec_of(label) == ""


def test_japanese_mail_with_the_rows_of_nec() -> None:
    rows = bytes.fromhex("1b2442 2d21 3c75 1b2842 20343431371b2849 33 1b284a 2e")
    assert decode(rows, "iso-2022-jp").text == decode(rows).text == "①受 4417ｳ."
    assert decode(b"\x1b$B\x2d\x21\x0a\x1b(Bok", "iso-2022-jp").text == "①\nok"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("language", "codec"), ENCODINGS)
def test_what_says_nothing_is_told_by_its_letters(seed: int, language: str, codec: str) -> None:
    text = sentences(language, seed)
    decoded = decode(text.encode(codec))
    assert decoded.text == text
    assert [loss.what.startswith("its encoding is a guess: ") for loss in decoded.losses] == [True]
    assert decoded.losses[0].what.endswith("; save it as UTF-8")


@pytest.mark.parametrize(("language", "codec"), [("pl", "cp1250"), ("ja", "cp932"), ("ko", "cp949")])
def test_what_comes_late_in_a_long_text_is_told(language: str, codec: str) -> None:
    text = "plain words only\n" * 10_000 + f"{sentences(language, 0, 200)}\n" * 5
    assert decode(text.encode(codec)).text == text
    assert decode((sentences(language, 1, 200) * 300).encode(codec)).text == sentences(language, 1, 200) * 300


@pytest.mark.parametrize(("language", "codec"), [("ja", "cp932"), ("tw", "big5")])
def test_cells_of_a_table_are_told(language: str, codec: str) -> None:
    rows = "\n".join(f"A-{number},{word},{number}" for number, word in enumerate(WORDS[language].split()))
    assert decode(rows.encode(codec)).text == rows


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("language", ["de", "fr"])
def test_encodings_of_dos_are_told_or_guessed_aloud(seed: int, language: str) -> None:
    text = sentences(language, seed, 20)
    with suppress(UnreadableError):
        assert "is a guess" in decode(text.encode("cp850")).losses[0].what


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("language", "codec"), [pair for pair in ENCODINGS if pair[1] not in FULL])
@pytest.mark.parametrize("declared", ["", "as it is"])
def test_a_bad_byte_costs_one_character(seed: int, language: str, codec: str, declared: str) -> None:
    bad = {"cp932": b"\xff", "cp1252": b"\x81", "cp1253": b"\xff", "cp1255": b"\xff", "cp874": b"\xff",
           "cp1250": b"\x81", "cp1251": b"\x98"}.get(codec, b"\xff")  # fmt: skip
    before, after = sentences(language, seed), sentences(language, seed + 10)
    content = f"{before}\n".encode(codec) + bad + f"\n{after}".encode(codec)
    decoded = decode(content, codec if declared else "")
    assert decoded.text == f"{before}\n\ufffd\n{after}"
    assert decoded.losses[-1].place == "line 2"
    assert "1 byte not in " in decoded.losses[-1].what


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Der Kutter f\xe4hrt um f\xfcnf \x80".encode("latin-1"), "Der Kutter fährt um fünf €"),
        ("The price is £12 – pay there".encode("cp1252"), "The price is £12 – pay there"),
        ("Heat to 40 °C ±2".encode("cp1252"), "Heat to 40 °C ±2"),
        ("It’s “open”…".encode("cp1252"), "It’s “open”…"),
        ("Das Lager schließt um fünf. Schlüssel am Tor. Überstunden zählen.".encode("cp850"),
         "Das Lager schließt um fünf. Schlüssel am Tor. Überstunden zählen."),
        ("Fünf Äpfel, zwölf Öfen. ".encode() + b"\xe9", "Fünf Äpfel, zwölf Öfen. \ufffd"),
        (("High water at noon. " * 4).encode("utf-16-le"), "High water at noon. " * 4),
        (("High water at noon. " * 4).encode("utf-16-be"), "High water at noon. " * 4),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_read_and_told(content: bytes, text: str) -> None:
    decoded = decode(content)
    assert decoded.text == text
    assert len(decoded.losses) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not text"),
        (bytes(range(256)), "not text"),
        (b"\xff\xfea", "not text"),
        ("é\0".encode("utf-16"), "not text"),
        ("T\u00fcr".encode("cp850"), "its encoding cannot be told; if it is text, save it as UTF-8"),
        (b"\xe5\xe9 \x81", "its encoding cannot be told; if it is text, save it as UTF-8"),
        (b"caf\xe9 \x81", "its encoding cannot be told; if it is text, save it as UTF-8"),
    ],
)
def test_what_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=f"^{reason}$"):
        decode(content)


def test_what_declares_the_wrong_encoding_is_told() -> None:
    decoded = decode("Склад закрыт по пятницам, пропуск выдаёт охрана".encode("cp1251"), "utf-8")
    assert decoded.text == "Склад закрыт по пятницам, пропуск выдаёт охрана"
    assert (
        decoded.losses[0].what == "is not in utf-8, as it says; its encoding is a guess: windows-1251; save it as UTF-8"
    )


@given(text=WRITTEN, encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]), cut=st.integers(0, 8))
def test_a_head_may_end_within_a_character(text: str, encoding: str, cut: int) -> None:
    long = "ab" * 1_000 + text * 3
    whole = long.encode(encoding)
    head = whole[: len(whole) - cut]
    assert (outline(head) or "")[:1_900] == long[:1_900]
    assert long.startswith(decode_head(head).text.rstrip("\ufffd"))


def test_a_stray_null_costs_itself() -> None:
    page = ("<meta charset=gb2312>" + "仓库每周五下午五点关闭。" * 100).encode("gb18030")
    decoded = decode(page.replace(b"<meta", b"\0<meta"), "gb2312")
    assert decoded.text == "\ufffd" + page.decode("gb18030")
    assert [loss.what for loss in decoded.losses] == ["1 byte not in text (a null), at character 1: read as U+FFFD"]
    assert (outline(b"x" * 2_000 + b"\0") or "").startswith("xx")


def test_a_page_that_declares_utf16_in_ascii_is_not_in_it() -> None:
    page = "<meta charset=utf-16>" + sentences("fr", 0)
    assert decode(page.encode("cp1252"), "utf-16").text == page
    assert decode(page.encode(), "utf-16") == decode(page.encode())


@pytest.mark.parametrize("label", ["shift_jis", "euc-jp", "gbk", "big5", "euc-kr", "utf-8"])
@pytest.mark.parametrize("codec", ["cp1251", "cp1252"])
def test_an_encoding_with_many_bad_bytes_is_not_what_the_text_is_in(codec: str, label: str) -> None:
    text = {
        "cp1251": "Привет, как дела? Завтра мы поедем в город на новой машине, а потом домой.",
        "cp1252": "Die Fähre fährt täglich um fünf: 12 € für Große, 8 € für Kinder – nur bar.",
    }[codec]
    decoded = decode(text.encode(codec), label)
    if "\ufffd" in text.encode(codec).decode(label, "replace"):
        assert decoded.text == text
        assert [loss.what for loss in decoded.losses] == [
            f"is not in {label}, as it says; its encoding is a guess: windows-{codec[2:]}; save it as UTF-8"
        ]


@pytest.mark.parametrize(("count", "weak"), [(1, " by 1 character alone"), (7, " by 7 characters alone"), (8, "")])
def test_a_guess_by_few_characters_is_called_weak(count: int, weak: str) -> None:
    decoded = decode(("costs 5 € " * count + "and more of the plain words").encode("cp1252"))
    assert [loss.what for loss in decoded.losses] == [f"its encoding is a guess{weak}: windows-1252; save it as UTF-8"]
