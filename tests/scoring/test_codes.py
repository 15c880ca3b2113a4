"""Every character of a code counts; what a code is not is left to the other kinds."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from weighbridge.scoring.codes import code_key, find_codes, holds_code, is_code_asked
from weighbridge.scoring.values import compare_values

# ABR is a month in Spanish, DEC one in English: the form makes them codes.
MONTHS = st.sampled_from(("ABR", "DEC", "SEP", "MRZ"))
LETTERS = MONTHS | st.text(alphabet="ABCDFGHJKLNPRSTVWXZ", min_size=2, max_size=4)
GROUPS = st.lists(st.integers(min_value=1, max_value=9999).map(str), min_size=2, max_size=4)


def relation(question, reference, answer):
    return [(match.kind, match.relation) for match in compare_values(question, reference, answer)]


@given(letters=LETTERS, groups=GROUPS)
def test_a_code_is_found_again_whatever_stands_around_it(letters, groups):
    code = "-".join((letters, *groups))
    for answer in (code, f"The part is {code}.", code.lower(), f"**{code}**", f"({code})"):
        assert relation("Which part?", code, answer) == [("code", "same")], answer


@given(letters=LETTERS, groups=GROUPS, data=st.data())
def test_a_changed_character_is_another_code(letters, groups, data):
    code = "-".join((letters, *groups))
    place = data.draw(st.sampled_from([place for place, character in enumerate(code) if character.isdigit()]))
    changed = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
    assert relation("Which part?", code, f"It is {changed}.") == [("code", "different")]


@given(groups=GROUPS)
def test_a_moved_or_lost_separator_between_digits_is_another_code(groups):
    code, joined = "AB-" + "-".join(groups), "AB-" + "".join(groups)
    assert relation("Which part?", code, joined) == [("code", "different")]
    digits = "".join(groups)
    moved = f"AB-{digits[:1]}-{digits[1:]}"
    assume(code_key(moved) != code_key(code))
    assert relation("Which part?", code, moved) in ([("code", "different")], [("code", "missing")])


@given(parts=st.lists(st.integers(min_value=0, max_value=99).map(str), min_size=3, max_size=4))
def test_versions_are_compared_part_by_part(parts):
    version = ".".join(parts)
    assume(not all(len(part) == 3 for part in parts[1:]))
    assert relation("Which firmware is needed?", version, f"version {version}") == [("code", "same")]
    assert relation("Which firmware is needed?", version, "v" + version) == [("code", "same")]
    assert relation("Which firmware is needed?", version, ".".join((*parts[:-1], parts[-1] + "1"))) == [
        ("code", "different")
    ]
    assert relation("Which firmware is needed?", version, "".join(parts)) == [("code", "different")]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("vitamin B12 and Hepatitis A", ["B12", "Hepatitis A"]),
        ("HTTP/2 on 192.168.0.1", ["HTTP/2", "192.168.0.1"]),
        ("blood of Type O", ["Type O"]),
        ("5mg, a 20-year lease, mid-1988, 47th, the 1980s, 4-inch, 5-10, 5k, 1.250.000", []),
        ("12:30, 2024-03-05, 17h30, 9pm", []),
        ("I saw a Test. John F. Kennedy", []),
        ("GPT-4 and COVID-19", ["GPT-4", "COVID-19"]),
    ],
)
def test_what_is_a_code(text, codes):
    assert [code.text for code in find_codes(text)] == codes


@pytest.mark.parametrize(
    ("question", "reference", "answer", "wanted"),
    [
        ("Which vitamin?", "vitamin B12", "vitamin B-12", "same"),
        ("Which vitamin?", "vitamin B12", "vitamin B6", "different"),
        ("Which truck?", "F-150", "the F150", "same"),
        ("Which vaccine?", "Hepatitis A", "hepatitis A", "same"),
        ("Which vaccine?", "Hepatitis A", "Hepatitis B", "different"),
        ("Which vaccine?", "Hepatitis A", "Hepatitis", "missing"),
        ("Which type of hepatitis?", "Hepatitis A", "A", "same"),
        ("Which gate?", "Gate C", "It leaves from gate D.", "different"),
        ("Which version?", "3.10", "3.1", "different"),
        ("Which version?", "3.10", "3.10", "same"),
        ("What is the postcode?", "01067", "1067", "different"),
        ("What is the article number?", "4711", "4711", "same"),
    ],
)
def test_codes_of_each_kind(question, reference, answer, wanted):
    assert relation(question, reference, answer) == [("code", wanted)]


def test_the_question_tells_whether_digits_are_a_code():
    assert is_code_asked("What is the serial number?") is True
    assert is_code_asked("How many numbers are there?") is False
    (code,) = find_codes("AB-12-4")
    assert holds_code("use AB 12-4 only", code)
    assert not holds_code("use AB-12-41", code)


def test_only_the_v_of_a_version_is_left_out():
    assert code_key("v2.1") == code_key("2.1")
    assert code_key("V12") != code_key("12")
    assert code_key("VX-7") != code_key("X-7")
