from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.consistency.periods import Period, name_a_year, period_marks
from weighbridge.types import Document

DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31))


@given(DAYS, st.sampled_from(["%B %d, %Y", "%d %B %Y", "%b %d %Y", "%Y-%m-%d"]))
def test_a_day_is_the_same_mark_however_it_is_written(day: date, form: str) -> None:
    assert set(period_marks(f"As of {day.strftime(form)}, all was well.")) == {day.isoformat()}


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("in Q2 2023", {"2023-q2"}),
        ("LOCKS_2022Q3_10Q", {"2022-q3"}),
        ("the first quarter of 2024", {"q1", "2024"}),
        ("FY23 and FY 2024", {"2023", "2024"}),
        ("March 31 and 4 April", {"03-31", "04-04"}),
        ("May 2026", {"2026-05"}),
        ("You may order 2026 cups, 20261 plates, room 1404 and 19.99", {"2026"}),
        ("$2,023.50 in 12 months", set()),
    ],
)
def test_what_a_text_dates(text: str, marks: set[str]) -> None:
    assert set(period_marks(text)) == marks


def test_which_marks_name_a_year() -> None:
    assert name_a_year(["03-31", "2026-q1"])
    assert not name_a_year(["03-31", "q1"])


def about(text: str = "", *, name: str = "report", title: str = "") -> Period:
    return Period(Document(id=name, text=text, title=title))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (about(name="acme-2025q1"), about(name="acme-2025q2")),
        (about(title="Budget 2025"), about(title="Budget 2026")),
        (about(name="2025/minutes"), about(name="2026/minutes")),
        (about("For the quarterly period ended March 31, 2025"), about("For the quarterly period ended June 30, 2025")),
        (about("Prices as of 1 March 2025"), about("Prices as of 1 May 2025")),
        (about("31 May 2025. " * 9), about("31 May 2026. " * 9)),
    ],
)
def test_documents_of_different_periods(one: Period, other: Period) -> None:
    assert one.differs(other)
    assert other.differs(one)
    assert not one.differs(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (about(name="rules"), about(name="rules-2025")),
        (about(name="copy of 2025-01-31/rules"), about(name="copy of 2025-02-28/rules")),
        (about(name="acme-2025q1", title="2025"), about(name="acme-2025q1")),
        (about("31 May 2025. " * 3), about("31 May 2026. " * 3)),
        (about("31 May 2025. " * 9), about("31 May 2025. " * 8 + "1 June 2025.")),
    ],
)
def test_documents_that_may_be_of_one_period(one: Period, other: Period) -> None:
    assert not one.differs(other)
    assert not other.differs(one)


def test_days_in_the_names_of_versions_are_when_they_were_written() -> None:
    draft, final = about(name="offer draft 2025-03-01"), about(name="offer final 2025-03-09")
    assert draft.differs(final)
    assert not draft.differs(final, ignore_days=True)
