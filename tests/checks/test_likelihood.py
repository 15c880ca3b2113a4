"""Several answers behind one prompt are as likely as each would be alone."""

from pathlib import Path

import pytest

from weighbridge.checks.likelihood import Branches, log_likelihoods
from weighbridge.train.runtime.adapter_weights import load_tuned
from weighbridge.train.runtime.base_model import BaseFiles, load_network
from weighbridge.train.runtime.quiet import quiet

from .conftest import write_adapter

ASKED = (
    Branches((1, 40, 41, 42), ((50, 51, 52), (60,), (50, 61))),
    Branches((1, 43), ((70, 71), (72, 73, 74, 75))),
    Branches(tuple(range(100, 130)), ((80,),)),
)


def alone(network, prompt: tuple[int, ...], answer: tuple[int, ...]) -> float:
    """Return the mean log-likelihood of one answer as a loop over its tokens has it."""
    import torch

    total = 0.0
    for place, token in enumerate(answer):
        with torch.no_grad():
            logits = network(input_ids=torch.tensor([[*prompt, *answer[:place]]])).logits[0, -1]
        total += float(logits.float().log_softmax(-1)[token])
    return total / len(answer)


def test_branches_do_not_see_each_other(tiny: BaseFiles) -> None:
    import torch

    with quiet():
        network = load_network(tiny, precision=torch.float32).eval()
    together = log_likelihoods(network, ASKED)
    for one, found in zip(ASKED, together, strict=True):
        assert found == pytest.approx([alone(network, one.prompt, answer) for answer in one.answers], abs=1e-4)


def test_an_adapter_of_virtual_tokens_is_read_alike(tiny: BaseFiles, tmp_path: Path) -> None:
    import torch
    from peft import PromptTuningConfig

    adapter = write_adapter(tiny, tmp_path / "a", PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3))
    with quiet():
        network = load_tuned(tiny, adapter, precision=torch.float32)
        together = log_likelihoods(network, ASKED)
        expected = [[alone(network, one.prompt, answer) for answer in one.answers] for one in ASKED]
        with network.disable_adapter():
            base = log_likelihoods(network, ASKED)
    for found, wanted, before in zip(together, expected, base, strict=True):
        assert found == pytest.approx(wanted, abs=1e-4)
        assert found != pytest.approx(before, abs=1e-4)
