"""Forgetting is seen, and only where there was something to forget."""

from collections import Counter
from dataclasses import replace

from weighbridge.guard.forgetting import Likelihoods, forgetting, option_likelihoods, probes
from weighbridge.train.base import BaseFiles, load_network, load_tokenizer
from weighbridge.train.quiet import quiet


def likelihoods(right: int, shift: float = 0.0) -> Likelihoods:
    """Return what a network makes of the probe that gets the first `right` questions right."""
    rows = []
    for number, probe in enumerate(probes()):
        picked = probe.answer if number < right else (probe.answer + 1) % 4
        rows.append([-1.0 + shift if n == picked else -2.0 + shift for n in range(4)])
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
    same = forgetting(probes(), likelihoods(80), likelihoods(80))
    assert same.passed
    assert same.figures["difference"].value == 0
    worse = forgetting(probes(), likelihoods(80), likelihoods(50))
    assert worse.passed is False
    assert worse.figures["difference"].high < -0.02
    assert "lower training.learning_rate" in worse.summary
    assert worse.shown[0].startswith(probes()[50].question)


def test_a_small_loss_cannot_be_ruled_out_and_the_sentence_says_so() -> None:
    guard = forgetting(probes(), likelihoods(80), likelihoods(79))
    assert guard.passed
    assert "cannot be ruled out" in guard.summary


def test_a_guessing_base_has_nothing_to_lose() -> None:
    guard = forgetting(probes(), likelihoods(30), likelihoods(10))
    assert guard.passed is None
    assert "nothing to lose" in guard.summary


def test_a_shift_that_changes_no_choice_is_seen_in_the_likelihoods() -> None:
    guard = forgetting(probes(), likelihoods(80), likelihoods(80, shift=-0.5))
    assert guard.passed
    assert round(guard.figures["log-likelihood difference"].value, 6) == -0.5


def test_a_network_reads_questions_by_its_chat_template(tiny: BaseFiles) -> None:
    import torch

    with quiet():
        network, tokenizer = load_network(tiny, precision=torch.float32), load_tokenizer(tiny)
        found = option_likelihoods(network, tokenizer, [replace(probes()[0], options=("a", "bcd")), probes()[1]])
    assert [len(row) for row in found] == [2, 4]
    assert all(value < 0 for row in found for value in row)
