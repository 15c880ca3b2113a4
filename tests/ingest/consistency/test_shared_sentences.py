import pytest

from weighbridge.ingest.consistency.conflicts import find_conflicts
from weighbridge.types import Document

PLAIN = [
    ("The entrance fee is {} euro per person.", ("18", "15")),
    ("The gate closes at {} pm on Fridays.", ("5", "6")),
    ("The emergency number of the plant is {}.", ("4471", "4472")),
    ("The load must not exceed {} tonnes.", ("18", "15")),
]


def folder_of(*texts: str, size: int) -> list[Document]:
    """Documents with these texts among others that have no sentence in common."""
    fillers = [f"Topic {chr(97 + at)}{at}x is told elsewhere by the author of leaf {at}." for at in range(size)]
    return [
        Document(id=f"{at:02}.md", text=text) for at, text in enumerate([*texts, *fillers][: max(size, len(texts))])
    ]


@pytest.mark.parametrize("size", [2, 5, 12, 30])
@pytest.mark.parametrize(("sentence", "values"), PLAIN)
def test_a_plain_sentence_is_compared_in_folders_of_every_size(
    sentence: str, values: tuple[str, str], size: int
) -> None:
    (conflict,) = find_conflicts(folder_of(*map(sentence.format, values), size=size))
    assert tuple(reading.value for reading in conflict.readings) == values


@pytest.mark.parametrize("size", [4, 12, 25])
@pytest.mark.parametrize(("count", "found"), [(2, 1), (3, 1), (4, 0)])
def test_a_plain_sentence_counts_in_up_to_three_short_documents(count: int, found: int, size: int) -> None:
    sentence, values = PLAIN[0]
    unlike = [
        "Dogs wait outside of the old hall.",
        "Tea and cake can be bought near the pond.",
        "Lifts lead to all floors but the attic.",
        "Bring warm clothes in winter, since nobody heats the rooms.",
    ]
    texts = [f"{sentence.format(values[at % 2])} {other}" for at, other in enumerate(unlike)]
    conflicts = find_conflicts(folder_of(*texts[:count], size=size))
    assert len(conflicts) == found
    assert sum(len(one.readings) for one in conflicts) == found * count


@pytest.mark.parametrize("size", [2, 12])
def test_two_short_documents_may_contradict_each_other_in_several_things(size: int) -> None:
    one, other = (" ".join(sentence.format(values[at]) for sentence, values in PLAIN) for at in (0, 1))
    texts = (f"# Visitors\n\nWelcome to all. {one}", f"# Prices\n\nWhat it costs, and how to come in.\n\n{other}")
    assert len(find_conflicts(folder_of(*texts, size=size))) == len(PLAIN)


@pytest.mark.parametrize("size", [2, 5, 12])
def test_what_two_short_documents_fill_into_a_form_is_not_compared(size: int) -> None:
    fields = ("permit", "licence", "locker", "badge", "desk")
    one, other = (
        " ".join(f"The applicant named above holds {field} {start + at}." for at, field in enumerate(fields))
        for start in (100, 300)
    )
    texts = (f"# Salt\n\nOf the north wing, as agreed. {one}", f"# Lunn\n\n{other} Signed in the hall by both.")
    assert not find_conflicts(folder_of(*texts, size=size))


@pytest.mark.parametrize("size", [3, 5, 12])
@pytest.mark.parametrize(("sentence", "values"), PLAIN)
def test_what_each_of_several_short_documents_says_otherwise_is_a_form(
    sentence: str, values: tuple[str, str], size: int
) -> None:
    assert not find_conflicts(folder_of(*map(sentence.format, (*values, "77")), size=size))


@pytest.mark.parametrize(("sentence", "values"), PLAIN)
def test_a_plain_sentence_of_short_documents_of_two_periods_is_not_compared(
    sentence: str, values: tuple[str, str]
) -> None:
    texts = map(sentence.format, values)
    assert not find_conflicts([Document(id=f"notes 2026-q{at}", text=text) for at, text in enumerate(texts, start=1)])


@pytest.mark.parametrize(("sentence", "values"), PLAIN)
def test_a_plain_sentence_of_two_long_documents_is_not_compared(sentence: str, values: tuple[str, str]) -> None:
    texts = (
        " ".join([sentence.format(value), *(f"Of {name}{at} little is known to {name}s." for at in range(200))])
        for name, value in zip(("oak", "elm"), values, strict=True)
    )
    assert not find_conflicts(folder_of(*texts, size=2))
