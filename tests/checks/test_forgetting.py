"""Forgetting is seen, and only where there was something to forget."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.checks.forgetting import SHOT, Likelihoods, check_forgetting, option_likelihoods, probes
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import encode
from weighbridge.train.runtime.base_model import BaseFiles, load_network, load_tokenizer
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Message


def likelihoods(right: int) -> Likelihoods:
    """Return what a network makes of the probe that gets the first `right` questions right."""
    rows = []
    for number, probe in enumerate(probes()):
        picked = probe.answer if number < right else (probe.answer + 1) % 4
        rows.append([-1.0 if n == picked else -5.0 for n in range(4)])
    return rows


def test_the_probe_is_whole_and_balanced() -> None:
    asked = probes()
    assert len(asked) == 120
    assert set(Counter(probe.answer for probe in asked).values()) == {30}
    assert all(len(set(probe.options)) == 4 for probe in asked)
    assert len({probe.question for probe in asked}) == 120
    longest = sum(len(probe.options[probe.answer]) == max(map(len, probe.options)) for probe in asked)
    assert longest < 60, "the right answer must not be told by its length"


def test_an_equal_network_passes_and_a_worse_one_fails() -> None:
    same = check_forgetting(probes(), likelihoods(80), likelihoods(80))
    assert same.passed
    assert same.figures["difference"].value == 0
    worse = check_forgetting(probes(), likelihoods(80), likelihoods(50))
    assert worse.passed is False
    assert worse.figures["difference"].high < -0.02
    assert "lower training.learning_rate" in worse.summary
    assert worse.shown[0].startswith(probes()[50].question)


def test_a_small_loss_cannot_be_ruled_out_and_the_sentence_says_so() -> None:
    guard = check_forgetting(probes(), likelihoods(80), likelihoods(79))
    assert guard.passed
    assert "no loss is shown, and one of" in guard.summary
    assert "cannot be ruled out" in guard.summary


def test_a_loss_within_the_margin_is_borne_but_not_called_none() -> None:
    guard = check_forgetting(probes(), likelihoods(84), likelihoods(79))
    assert guard.passed
    assert -0.02 <= guard.figures["difference"].high < 0
    assert "some loss is likely" in guard.summary


def test_a_guessing_base_has_nothing_to_lose() -> None:
    guard = check_forgetting(probes(), likelihoods(30), likelihoods(10))
    assert guard.passed is None
    assert "nothing to lose" in guard.summary


@settings(max_examples=20)
@given(st.lists(st.floats(-30, 30), min_size=120, max_size=120))
def test_options_that_all_become_less_likely_are_not_forgotten(shifts: list[float]) -> None:
    base = likelihoods(80)
    tuned = [[value + shift for value in row] for row, shift in zip(base, shifts, strict=True)]
    guard = check_forgetting(probes(), base, tuned)
    assert guard.passed
    assert abs(guard.figures["probability, difference"].value) < 1e-9


def test_knowledge_that_fades_before_any_choice_changes_fails() -> None:
    flat = [[value / 4 for value in row] for row in likelihoods(80)]
    guard = check_forgetting(probes(), likelihoods(80), flat)
    assert guard.figures["difference"].value == 0
    assert guard.passed is False
    assert "less sure of its answers" in guard.summary


def test_the_probability_is_the_softmax_of_scipy() -> None:
    from scipy.special import softmax

    rows = likelihoods(80)
    wanted = sum(softmax(row)[probe.answer] for row, probe in zip(rows, probes(), strict=True)) / 120
    assert check_forgetting(probes(), rows, rows).figures["probability, base"].value == pytest.approx(wanted)


def test_a_network_reads_questions_by_its_chat_template(tiny: BaseFiles) -> None:
    import torch

    with quiet():
        network, tokenizer = load_network(tiny, precision=torch.float32), load_tokenizer(tiny)
        found = option_likelihoods(network, tokenizer, [replace(probes()[0], options=("a", "bcd")), probes()[1]])
    assert [len(row) for row in found] == [2, 4]
    assert all(value < 0 for row in found for value in row)


def test_an_option_is_as_likely_as_all_its_tokens_together(tiny: BaseFiles) -> None:
    import torch

    with quiet():
        network, tokenizer = load_network(tiny, precision=torch.float32), load_tokenizer(tiny)
        probe = replace(probes()[0], options=("abc",))
        (found,) = option_likelihoods(network, tokenizer, [probe])
        said = encode(
            tokenizer, Conversation(example_id="", prompt=(*SHOT, Message("user", probe.question)), target="abc")
        )
        with torch.inference_mode():
            log = network(torch.tensor([said.tokens])).logits[0].log_softmax(-1)
    wanted = sum(float(log[place - 1, said.tokens[place]]) for place in range(said.start, len(said.tokens) - 1))
    assert found[0] == pytest.approx(wanted, abs=1e-4)
