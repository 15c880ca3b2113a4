"""One analyser for documents and questions: what is written alike gives the same terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.retrieve.index.analyser import STOP_WORDS, terms

words = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäéßñøждюя", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The harbours are opening", ["harbour", "open"]),
        ("harbour's harbours\u2019", ["harbour", "harbour"]),
        ("Café Zürich straße ΣΟΦΟΣ", ["cafe", "zurich", "strass", "σοφοσ"]),
        ("\ufb01ne \uff26\uff55\uff4c\uff4c", ["fine", "full"]),
        ("it costs 1,024.50 or 1,024,576 or 3.14", ["cost", "1024.50", "1024576", "3.14"]),
        ("25kg 10%", ["25kg", "25", "kg", "10"]),
        ("v2.0.1", ["v2.0.1", "v", "2.0.1"]),
        ("2024-05-01", ["2024-05-01", "2024", "05", "01"]),
        ("AB-1234", ["ab1234", "ab", "1234"]),
        ("snake_case", ["snakecas", "snake", "case"]),
        ("SnakeCase", ["snakecas", "snake", "case"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("PDFs", ["pdfs"]),
        ("E-Mails", ["email", "e", "mail"]),
        ("U.S. C++ C#", ["us", "u", "s", "c++", "c", "c#", "c"]),
        ("j.doe@example.com", ["j.doe@example.com", "j", "doe", "exampl", "com"]),
        ("/usr/local/bin", ["usr/local/bin", "usr", "local", "bin"]),
        ("std::vector", ["std::vector", "std", "vector"]),
        ("東京タワー 水", ["東京", "京タ", "タワ", "ワー", "水"]),
        ("東京2020", ["東京", "2020"]),
        ("हिन्दी", ["हिन्दी"]),
        ("har\u00adb\u200bour non\u2011stop", ["harbour", "nonstop", "non", "stop"]),
        ("to be or not to be", ["to", "be", "or", "not", "to", "be"]),
        ("does a doe do cans can", ["doe", "cans"]),
        ("", []),
        ("!? \x00 \ud800 😀 --", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("ab1234", "Part AB-1234 is out"),
        ("AB 1234", "Part AB-1234 is out"),
        ("email", "Send an e-mail"),
        ("doe", "Write to j.doe@example.com."),
        ("j.doe@example.com", "Write to J.Doe@Example.com."),
        ("1024", "It holds 1,024 litres"),
        ("2.0.1", "Since v2.0.1"),
        ("CamelCase", "the camel_case style"),
        ("camel", "the CamelCase style"),
        ("running", "He runs"),
        ("京都", "東京都の"),
    ],
)
def test_a_question_shares_a_term_with_what_it_is_about(asked: str, written: str) -> None:
    assert set(terms(asked)) & set(terms(written))


@given(text=st.text(max_size=60))
def test_any_text_gives_folded_terms_without_space(text: str) -> None:
    found = terms(text)
    assert found == terms(text)
    for term in found:
        assert term == term.casefold()
        assert term.split() == [term]
        assert 0 < len(term) <= 200
        assert term.encode()


@given(word=words)
def test_case_does_not_count(word: str) -> None:
    assert terms(word) == terms(word.upper()) == terms(word.casefold())


@given(first=words, second=words, mark=st.sampled_from("-_"))
def test_what_is_joined_is_found_whole_and_by_its_parts(first: str, second: str, mark: str) -> None:
    found = set(terms(f"{first}{mark}{second} tide"))
    assert set(terms(first)) - STOP_WORDS <= found
    assert set(terms(second)) - STOP_WORDS <= found
    assert terms(first + second)[0] in found | STOP_WORDS


@given(parts=st.lists(words, min_size=1, max_size=5), spaces=st.sampled_from([" ", "\n", " \t ", ", ", ". "]))
def test_words_do_not_depend_on_what_stands_between_them(parts: list[str], spaces: str) -> None:
    assert terms(spaces.join(["tide", *parts])) == terms(" ".join(["tide", *parts]))


@given(text=st.text(alphabet="xX1._-@/", min_size=60, max_size=400))
def test_a_long_token_is_left_to_its_parts(text: str) -> None:
    assert all(len(term) <= 200 for term in terms(text))
