from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.dataset import split as splitting
from weighbridge.dataset.near_duplicates import NearDuplicatePairs, normalise_question
from weighbridge.dataset.split import Embed, split_examples
from weighbridge.errors import DataError, SettingsError
from weighbridge.settings.schema import SplitSettings
from weighbridge.types import Example, Question, Split

WORDS = ("ferry", "harbour", "winter", "ticket", "engine", "pension", "canteen", "mileage", "livestock", "radio")
SETTINGS = SplitSettings(dev=0.2, test=0.4)


def example(
    number: int,
    text: str,
    *,
    answer: str = "",
    family: str = "",
    evidence: tuple[str, ...] = (),
    answerable: bool = True,
) -> Example:
    answers = (answer or f"answer {number}",) if answerable else ()
    return Example(
        id=f"e{number}",
        question=Question(text),
        answers=answers,
        evidence=evidence,
        answerable=answerable,
        family=family,
    )


def distinct(number: int) -> str:
    """Return a question that is like no other: words of random letters."""
    letters = np.random.default_rng(number).choice(list("abcdefghijklmnopqrstuvwxyz"), 40)
    return " ".join("".join(letters[place : place + 8]) for place in range(0, 40, 8))


def sides(examples: Sequence[Example]) -> dict[str, set[Split]]:
    found: dict[str, set[Split]] = defaultdict(set)
    for one in examples:
        found[one.family].add(one.split)
    return found


EXAMPLES = st.lists(
    st.builds(
        example,
        st.integers(),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
        answer=st.sampled_from(["", "yes", "no"]),
        family=st.sampled_from(["", "f1", "f2", "f3"]),
        evidence=st.sets(st.sampled_from("abcdefgh"), max_size=2).map(tuple),
        answerable=st.booleans(),
    ),
    min_size=3,
    max_size=40,
)


@settings(max_examples=60)
@given(examples=EXAMPLES, by=st.sampled_from(["auto", "similarity"]), seed=st.integers(0, 3))
def test_no_family_is_cut_nothing_leaks_and_nothing_is_lost(
    embed: Embed, examples: list[Example], by: str, seed: int
) -> None:
    chosen = SplitSettings.model_validate({"by": by, "dev": 0.2, "test": 0.4, "seed": seed})
    splits = split_examples(examples, settings=chosen, embed=embed)
    assert [one.id for one in splits.examples] == [one.id for one in examples]
    assert all(len(found) == 1 for family, found in sides(splits.examples).items() if family)
    texts = defaultdict(set)
    for one in splits.examples:
        texts[one.question.text].add(one.split)
    assert all(len(found) == 1 for found in texts.values())
    report = splits.report
    assert report.leaks == 0
    assert Counter(one.split for one in splits.examples) == Counter(
        {name: count for name in ("train", "dev", "test") if (count := getattr(report, name))}
    )
    questions = {normalise_question(one.question.text): one.split for one in splits.examples}
    tested = sum(split == "test" for split in questions.values())
    assert report.checked_pairs == tested * (len(questions) - tested)
    assert splits == split_examples(examples, settings=chosen, embed=embed)


def test_paraphrases_with_equal_answers_are_never_on_both_sides(embed: Embed) -> None:
    examples = [
        example(2 * n + twin, f"{'please, ' * twin}{distinct(n)}", answer=f"a{n}")
        for n in range(100)
        for twin in (0, 1)
    ]
    splits = split_examples(examples, settings=SETTINGS, embed=embed)
    pairs = zip(splits.examples[::2], splits.examples[1::2], strict=True)
    assert all(left.split == right.split for left, right in pairs)
    assert splits.report.merged_near_duplicates == 100
    assert splits.report.by == "similarity"


NO_PAIRS = NearDuplicatePairs(np.array([], np.int64), np.array([], np.int64), np.array([], np.float64), 0.9)


def test_what_the_search_for_pairs_misses_the_check_finds_and_joins(
    embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = [
        example(2 * n + twin, f"{'please, ' * twin}{distinct(n)}", answer=f"a{n}") for n in range(40) for twin in (0, 1)
    ]
    monkeypatch.setattr(splitting, "find_near_duplicates", lambda *_, **__: NO_PAIRS)
    splits = split_examples(examples, settings=SETTINGS, embed=embed)
    pairs = zip(splits.examples[::2], splits.examples[1::2], strict=True)
    assert all("test" not in {left.split, right.split} or left.split == right.split for left, right in pairs)
    assert splits.report.merged_near_duplicates > 0


def test_a_grouping_that_cuts_what_it_knew_to_be_alike_stops_the_run(
    embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = [example(n, f"{'please, ' * (n % 2)}{distinct(n // 2)}", answer=f"a{n // 2}") for n in range(40)]
    monkeypatch.setattr(splitting, "_connected_components", lambda count, _: np.arange(count))
    with pytest.raises(DataError, match=r"questions straddle the split, the first being '.*report this"):
        split_examples(examples, settings=SETTINGS, embed=embed)


def test_questions_of_one_template_stay_apart(embed: Embed) -> None:
    examples = [example(n, f"What is the dose of {distinct(n).split()[0]} for a dog?") for n in range(100)]
    splits = split_examples(examples, settings=SplitSettings(similarity=0.5), embed=embed)
    assert (splits.report.train, splits.report.dev, splits.report.test) == (50, 10, 40)
    assert splits.report.merged_near_duplicates == 0


def test_shared_evidence_stays_together(embed: Embed) -> None:
    examples = [example(n, distinct(n), evidence=(f"d{n // 3}", f"e{n // 6}")) for n in range(120)]
    splits = split_examples(examples, settings=SETTINGS, embed=embed)
    assert splits.report.by == "evidence"
    assert all(len({one.split for one in splits.examples[n : n + 6]}) == 1 for n in range(0, 120, 6))


def test_a_page_that_every_question_cites_does_not_join_them(embed: Embed) -> None:
    examples = [example(n, distinct(n), evidence=("guide",)) for n in range(120)]
    report = split_examples(examples, settings=SETTINGS, embed=embed).report
    assert (report.by, report.train, report.dev, report.test) == ("similarity", 48, 24, 48)


@pytest.mark.parametrize(("each", "by"), [(20, "evidence"), (21, "similarity")])
def test_a_page_ties_questions_where_at_most_a_tenth_cite_it(embed: Embed, each: int, by: str) -> None:
    examples = [example(n, distinct(n), evidence=(f"d{n // each}",)) for n in range(200)]
    assert split_examples(examples, settings=SETTINGS, embed=embed).report.by == by


def test_families_stay_together_where_examples_are_divided_by_evidence(embed: Embed) -> None:
    examples = [example(n, distinct(n), evidence=(f"d{n // 2}",), family=f"f{(n + 1) // 2}") for n in range(8)]
    examples += [example(n, distinct(n), evidence=(f"d{n}",), family=f"f{n % 30}") for n in range(100, 160)]
    chosen = SplitSettings(by="evidence", dev=0.2, test=0.4)
    splits = split_examples(examples, settings=chosen, embed=embed)
    assert splits.report.by == "evidence"
    assert all(len(found) == 1 for found in sides(splits.examples).values())


def test_families_come_before_evidence(embed: Embed) -> None:
    examples = [example(n, distinct(n), evidence=("guide",), family=f"f{n // 4}") for n in range(120)]
    splits = split_examples(examples, settings=SETTINGS, embed=embed)
    assert splits.report.by == "family"
    assert all(len(found) == 1 for found in sides(splits.examples).values())


def test_equal_questions_stay_together_whatever_their_spelling_and_answers(embed: Embed) -> None:
    examples = [example(n, distinct(n // 2).upper() if n % 2 else f"{distinct(n // 2)}?") for n in range(60)]
    splits = split_examples(examples, settings=SETTINGS, embed=embed)
    assert all(one.split == two.split for one, two in zip(splits.examples[::2], splits.examples[1::2], strict=True))
    assert splits.report.merged_near_duplicates == 30


def test_unanswerable_questions_and_labels_are_spread_alike(embed: Embed) -> None:
    labels = ("billing", "outage", "plans")
    examples = [
        example(n, distinct(n), answer=labels[n % 3], answerable=n % 5 > 0, family=f"f{n // 2}") for n in range(600)
    ]
    examples = [*examples[::2], *examples[1::2]]
    divided = split_examples(examples, settings=SETTINGS, embed=embed).examples
    for split, share in (("train", 0.4), ("dev", 0.2), ("test", 0.4)):
        chosen = [one for one in divided if one.split == split]
        assert abs(len(chosen) - 600 * share) <= 2
        assert abs(sum(not one.answerable for one in chosen) - 120 * share) <= 15
        for label in labels:
            assert abs(sum(label in one.answers for one in chosen) - 160 * share) <= 15


def chained(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts along an arc: each is close to the next, and the first is far from the last."""
    angles = np.arange(len(texts)) * 0.3
    vectors = np.zeros((len(texts), len(texts) // 5 + 2), dtype=np.float32)
    for row, angle in enumerate(angles):
        axis = int(angle // (np.pi / 2))
        vectors[row, axis], vectors[row, axis + 1] = np.cos(angle % (np.pi / 2)), np.sin(angle % (np.pi / 2))
    return vectors


def test_a_chain_of_alike_messages_is_loosened_and_the_report_says_so() -> None:
    examples = [example(n, distinct(n), answer=("yes", "no")[n // 100]) for n in range(200)]
    report = split_examples(examples, settings=SETTINGS, embed=chained).report
    assert "raised to 0.9" in report.thresholds
    assert "among 200 questions that are all alike" in report.thresholds
    assert (report.train, report.dev, report.test, report.leaks) == (80, 40, 80, 0)


def test_a_few_examples_are_enough_and_fewer_are_refused(embed: Embed) -> None:
    few = [example(n, distinct(n)) for n in range(3)]
    report = split_examples(few, settings=SETTINGS, embed=embed).report
    assert (report.train, report.dev, report.test) == (1, 1, 1)
    with pytest.raises(DataError, match="2 examples cannot be divided; 3 are needed, and 10 to be of any use"):
        split_examples(few[:2], settings=SETTINGS, embed=embed)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"dev": 0.6, "test": 0.6}, "splits.dev and splits.test add up to 1.2"),
        ({"by": "family"}, "splits.by is family, but no example has 'family'"),
        ({"by": "evidence"}, "splits.by is evidence, but no example has 'doc_ids'"),
    ],
)
def test_settings_that_do_not_fit(embed: Embed, values: dict[str, object], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        split_examples(
            [example(n, distinct(n)) for n in range(9)], settings=SplitSettings.model_validate(values), embed=embed
        )


def test_all_may_be_tested(embed: Embed) -> None:
    examples = [example(n, distinct(n)) for n in range(9)]
    report = split_examples(examples, settings=SplitSettings(dev=0, test=1), embed=embed).report
    assert (report.train, report.dev, report.test, report.checked_pairs) == (0, 0, 9, 0)
