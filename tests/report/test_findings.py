"""What both reports say of a weighing."""

from dataclasses import replace

from weighbridge.figures import FIGURES
from weighbridge.report.findings import (
    against_leader,
    headline,
    kinds_taken,
    leader,
    limit_sentences,
    notes,
    shortfalls,
    steps,
    too_small_model,
    why_absent,
)
from weighbridge.results import AppliedCap, Score, Weighing

from .sample import ERROR, measurement, share, weighing


def test_comparisons_are_turned_so_that_the_leader_is_on_the_left() -> None:
    turned = against_leader(weighing())
    others = ("raft", "prompt", "few-shot", "fine-tuned")
    assert [(c.left, c.right) for c in turned] == [("rag", name) for name in others]
    gap = turned[1].difference
    assert (round(gap.value, 2), round(gap.low, 2), round(gap.high, 2)) == (0.58, 0.36, 0.82)


OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits")


def test_how_sure_it_is_tells_difference_from_chance() -> None:
    sure = headline(weighing()).sure.replace("\u00a0", " ")
    told = "rag is ahead of prompt and few-shot beyond chance: the 95 % interval and the test agree."
    assert sure == f"By your priorities, {told}"
    unsure = headline(weighing("not decisive")).sure
    told = "rag is ahead of fine-tuned, prompt and few-shot beyond chance; its lead over raft could be chance."
    assert unsure == f"By your priorities, {told}"


def test_a_recommendation_is_never_told_beside_chance() -> None:
    """rag and raft differ by nothing (p = 0.71); raft breaks a limit, so that is not what the decision rests on."""
    said = headline(weighing())
    assert said.text == "Use rag."
    assert "chance" in said.sure
    assert "could be chance" not in said.sure
    assert "raft" not in said.sure


def test_the_last_one_standing_was_compared_with_none() -> None:
    value = weighing()
    out = tuple(
        replace(verdict, broken_limits=("it is slow",)) if verdict.strategy != "rag" else verdict
        for verdict in value.decision.verdicts
    )
    alone = replace(value, decision=replace(value.decision, verdicts=out))
    assert headline(alone).sure == "No other strategy keeps every limit."
    single = replace(value, decision=replace(value.decision, verdicts=value.decision.verdicts[:1]))
    assert headline(single).sure == "No other strategy was weighed."


def test_where_none_is_good_enough_the_best_is_named_with_its_accuracy() -> None:
    said = headline(weighing("none is good enough"))
    assert said.text == "None of the strategies is good enough."
    assert said.sure.replace("\u00a0", " ") == (
        "rag, the best by your priorities, is right on 83 % (55\u201395) of the questions."
    )


def test_what_a_number_of_the_settings_left_out_is_told() -> None:
    cap = AppliedCap(what="training examples are learnt", used=128, available=2000, remedy="set it to 2000")
    value = replace(weighing(), caps=(cap,))
    assert "128 of 2,000 training examples are learnt; set it to 2000." in shortfalls(value, kinds_taken(value))


def test_the_smallest_model_is_told_to_be_too_small_only_where_none_is_good_enough() -> None:
    bad = weighing("none is good enough")
    assert "weighbridge init --model small" in too_small_model(bad)
    assert too_small_model(replace(bad, settings={**bad.settings, "model": "Qwen3-4B"})) == ""
    assert too_small_model(weighing("recommended")) == ""
    several = tuple(replace(one, strategy=f"{one.strategy}@{base}") for one in bad.measurements for base in ("a", "b"))
    assert too_small_model(replace(bad, measurements=several)) == "", "a larger one was weighed beside it"


def test_a_number_of_questions_is_told_with_the_chance_that_none_will_do() -> None:
    value = weighing("not decisive")
    decision = value.decision

    def told(needed: int | None, possible: tuple[int, int | None] | None) -> str:
        changed = replace(decision, examples_needed=needed, examples_range=possible)
        return headline(replace(value, decision=changed)).text.replace("\u00a0", " ")

    between = "No clear winner between rag and raft."
    assert told(132, (40, 300)) == f"{between} About 120 more questions would settle it."
    assert told(132, (40, None)) == f"{between} About 120 more questions would settle it, unless they are equally good."
    assert told(None, None) == f"{between} More questions may not settle it: they may be equally good."


def test_a_decision_without_a_winner_is_led_by_the_best_by_points() -> None:
    assert [leader(weighing(outlook).decision) for outlook in OUTLOOKS] == ["rag"] * len(OUTLOOKS)
    bare = replace(weighing("none meets your limits").decision, verdicts=())
    assert leader(bare) is None


def test_absent_figures_have_a_reason() -> None:
    assert notes(weighing(), FIGURES.values())[0:1] == ("not measured in this run",)
    assert why_absent(FIGURES["recall"], measurement("prompt")) == "reads no passages"
    failed = replace(measurement("rag"), failures=12)
    assert why_absent(FIGURES["recall"], failed) == "every attempt failed"


def test_failures_and_unscored_answers_are_told() -> None:
    lines = [line.replace("\u00a0", " ") for line in shortfalls(weighing(), FIGURES.values())]
    assert any("fine-tuned: 1 of 12" in line and ERROR in line for line in lines)
    assert lines[-2] == (
        "Not scored since it cannot be answered: token F1 "
        "(prompt, few-shot and rag 2 of 13, fine-tuned and raft 2 of 12)."
    )
    assert lines[-1] == (
        "Latency p95 rests on 12 timings, too few to say how slow the slowest twentieth may be: 59 would do "
        "(measure.latency_questions: 60)."
    )
    assert len(shortfalls(weighing(), [FIGURES["accuracy"]])) == 3


def test_cut_answers_are_told_where_there_are_any() -> None:
    value = weighing()
    assert "truncated" not in [kind.name for kind in kinds_taken(cut_in(value))]
    assert not any("Cut" in line for line in shortfalls(cut_in(value), FIGURES.values()))
    cut = cut_in(value, prompt=3, raft=1)
    assert "truncated" in [kind.name for kind in kinds_taken(cut)]
    (line,) = [line for line in shortfalls(cut, [FIGURES["accuracy"]]) if "Cut" in line]
    assert line.replace("\u00a0", " ") == "Cut by the length limit: prompt 3 of 12, raft 1 of 12."


def cut_in(value: Weighing, **cut: int) -> Weighing:
    """Return a weighing of which so many of twelve answers were cut, none where a strategy is not named."""
    measured = tuple(
        replace(m, figures={**m.figures, "truncated": share(cut.get(m.strategy, 0), 12)}) for m in value.measurements
    )
    return replace(value, measurements=measured)


def test_figures_with_the_same_counts_and_reason_are_told_together() -> None:
    value = weighing()
    gaps = {"token_f1": 5, "exact_match": 5, "missed_abstention": 7}
    measured = tuple(
        replace(
            m,
            figures={**m.figures, **{name: replace(share(1, 10), unscored=gap) for name, gap in gaps.items()}},
        )
        for m in value.measurements
    )
    records = tuple(
        replace(record, scores=tuple(Score(name, None, "it was lost") for name in ("token_f1", "exact_match")))
        for record in value.records
    )
    (*_, line, _) = shortfalls(replace(value, measurements=measured, records=records), FIGURES.values())
    assert line.replace("\u00a0", " ") == (
        "Not scored since it was lost: exact match and token F1 (all strategies 5 of 15); "
        "for no recorded reason: missed abstention (all strategies 7 of 17)."
    )


def test_steps_are_told_in_whole_seconds_by_their_kind() -> None:
    taken = {"fetch": 0.001, "index": 7.15, "train: rag": 86.4, "train: raft": 600.0, "ask": 0.51}
    value = replace(weighing(), seconds=taken)
    assert steps(value).replace("\u00a0", " ") == "index 7 s; train: rag 86 s, raft 10.0 min; ask 1 s"
    assert steps(replace(value, seconds={"fetch": 0.4})) == ""


def test_broken_limits_are_told_once() -> None:
    decision = weighing().decision
    assert [line.split()[0] for line in limit_sentences(decision)] == ["raft", "fine-tuned"]
    told = replace(decision, reasons=(*decision.reasons, "raft is out: memory 1.08 GiB is above 1 GiB."))
    assert [line.split()[0] for line in limit_sentences(told)] == ["fine-tuned"]


def test_one_answer_to_all_questions_is_told() -> None:
    value = weighing()
    first = value.measurements[0].strategy

    def saying(text: str) -> Weighing:
        records = tuple(
            replace(r, answer=replace(r.answer, text=text)) if r.strategy == first and r.answer else r
            for r in value.records
        )
        return replace(value, records=records)

    told = f"{first} gave the same answer, “yes”, to all"
    assert any(line.startswith(told) for line in shortfalls(saying("Yes "), ()) + shortfalls(saying("yes"), ()))
    assert not any(told in line for line in shortfalls(value, ()))


def test_tokens_that_no_endpoint_reported_are_told_as_estimates() -> None:
    value = weighing()
    assert not any("reported no tokens" in line for line in shortfalls(value, FIGURES.values()))
    first = next(record for record in value.records if record.answer is not None)
    assert first.answer is not None
    counted = replace(first, answer=replace(first.answer, usage=replace(first.answer.usage, estimated=True)))
    lines = shortfalls(replace(value, records=(*value.records, counted)), FIGURES.values())
    (told,) = [line.replace("\u00a0", " ") for line in lines if "reported no tokens" in line]
    assert told.startswith(f"The endpoint reported no tokens of 1 answer of {first.strategy}: tokens, and costs")
