"""The rules by which a form is judged, and which forms of which method are compared."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import prompt_tokens
from weighbridge.train.export.gguf import Quantisation, merged_weights, write_gguf
from weighbridge.train.parity.forms import check_forms
from weighbridge.train.parity.judge import Form, TokenPlace, compare_form, judge, wordless
from weighbridge.train.parity.replies import Reply, common_prefix_length, lead_at
from weighbridge.train.parity.teacher_forcing import AnswerTokens, read
from weighbridge.train.parity.tolerance import TOLERANCES
from weighbridge.train.runtime.adapter_weights import load_tuned, method_of
from weighbridge.train.runtime.base_model import BaseFiles, base_weights, load_network, load_tokenizer
from weighbridge.train.tune import spread
from weighbridge.types import Message, Progress

from ..tuned import PROMPTS, SETTINGS, parity_of_file, save_tuned

FILES = ["GGUF F16", "endpoint F16", "GGUF BF16", "GGUF Q8_0", "GGUF Q4_0", "merged"]


@pytest.fixture(scope="module")
def lora(tiny: BaseFiles, tmp_path_factory) -> Path:
    return save_tuned(tiny, "lora", tmp_path_factory.mktemp("lora"))


@pytest.mark.parametrize("method", ["rslora", "ia3"])
def test_every_form_is_compared_the_served_one_first(tiny: BaseFiles, tmp_path: Path, method: str):
    adapter = save_tuned(tiny, method, tmp_path / "adapter")
    served = write_gguf(tiny, merged_weights(tiny, adapter), tmp_path / "m.gguf", quantisation="F16")
    seen: list[Progress] = []
    forms = check_forms(adapter, tiny, PROMPTS, settings=SETTINGS, served=served, notify=seen.append)
    assert [form.form for form in forms] == [*FILES, *(["adapter F16"] if method == "rslora" else [])]
    parted = {form.form: form.reasons for form in forms if not form.ok}
    assert parted.keys() <= ({"GGUF Q4_0"} if method == "ia3" else set()), parted  # which four bits do spoil
    assert all(form.changed and form.prompts == len(PROMPTS) for form in forms)
    assert forms[0].identical == forms[0].agreement == 1.0
    assert forms[0].divergence < 0.001 < forms[0].divergence_from_base
    assert (seen[0].done, seen[-1].done) == (0, seen[-1].total)
    assert sorted(tmp_path.iterdir()) == [adapter, served], "what was written for the comparison is gone"


def test_what_a_killed_comparison_left_is_cleared_away(tiny: BaseFiles, lora: Path, tmp_path: Path):
    left = tmp_path / ".parity-x"
    left.mkdir()
    (left / "F16.gguf").write_text("half")
    served = write_gguf(tiny, merged_weights(tiny, lora), tmp_path / "m.gguf", quantisation="F16")
    assert check_forms(lora, tiny, PROMPTS[:1], settings=SETTINGS, served=served)[0].ok
    assert list(tmp_path.iterdir()) == [served]


@pytest.mark.parametrize("quantisation", ["Q8_0", "Q4_0"])
def test_a_forgotten_adapter_fails_however_it_is_rounded(
    tiny: BaseFiles, lora: Path, tmp_path: Path, quantisation: Quantisation
):
    gguf = write_gguf(tiny, base_weights(tiny), tmp_path / "x.gguf", quantisation=quantisation)
    settings = SETTINGS.model_copy(update={"quantisation": quantisation})
    parity = parity_of_file(lora, tiny, gguf, PROMPTS, settings=settings)
    assert not parity.ok
    assert any("no nearer" in reason for reason in parity.reasons)


def test_reasons_say_where_it_parted(tiny: BaseFiles, lora: Path):
    parity = parity_of_file(lora, tiny, tiny.source_gguf, PROMPTS, settings=SETTINGS)
    first = next(reason for reason in parity.reasons if "where the adapter is sure" in reason)
    assert "first at token 1 of its answer to prompt 1: it says '" in first
    assert "the adapter 'A', which it finds likelier by" in first


def test_prompt_tuning_cannot_be_merged(tiny: BaseFiles, tmp_path: Path):
    adapter = save_tuned(tiny, "prompt-tuning", tmp_path / "adapter", steps=0)
    with pytest.raises(TrainingError, match="engine: transformers"):
        check_forms(adapter, tiny, PROMPTS, settings=SETTINGS, served=tiny.source_gguf)


@pytest.mark.parametrize("method", ["lora", "rslora", "dora", "ia3", "prompt-tuning", "full"])
def test_a_folder_says_how_it_was_trained(tiny: BaseFiles, tmp_path: Path, method: str):
    import torch

    adapter = save_tuned(tiny, method, tmp_path / "adapter", steps=0)
    assert method_of(adapter) == method
    assert not load_tuned(tiny, adapter, precision=torch.float32).training


def test_a_folder_without_an_adapter_is_an_error(tmp_path: Path):
    with pytest.raises(TrainingError, match="this is no adapter"):
        method_of(tmp_path)


def test_no_prompts_is_an_error(tiny: BaseFiles, lora: Path):
    with pytest.raises(TrainingError, match="without a prompt"):
        check_forms(lora, tiny, (), settings=SETTINGS, served=tiny.source_gguf)


def test_answers_in_words(tiny: BaseFiles, lora: Path, tmp_path: Path):
    gguf = write_gguf(tiny, merged_weights(tiny, lora), tmp_path / "m.gguf", quantisation="F16")
    with open_llamacpp(gguf, settings=SETTINGS, name="tuned") as model:
        assert [model.generate(asked).text for asked in PROMPTS] == ["ALPHA", "BETA", "GAMMA", "DELTA"]


def test_reading_with_the_prompt_kept_is_reading_it_all(tiny: BaseFiles):
    import torch

    network = load_network(tiny, precision=torch.float32).eval()
    prompts, answers = [(1, 50, 60, 70), (9,)], [(80, 81, 82), (90,), (80, 99)]
    wanted = [AnswerTokens(number, answer, tuple({5} for _ in answer)) for number in range(2) for answer in answers]
    found = read(network, prompts, wanted)
    for (number, answer), readings in found.items():
        with torch.inference_mode():
            whole = network(input_ids=torch.tensor([[*prompts[number], *answer]])).logits[0].log_softmax(-1)
        places = whole[len(prompts[number]) - 1 : -1]
        assert [one.best for one in readings] == places.argmax(-1).tolist()
        assert [one.known[5] for one in readings] == pytest.approx(places[:, 5].tolist(), abs=1e-4)
    assert len(found) == len(wanted)


def test_rules():
    good = TokenPlace(agrees=True, lead=3.0, base_agrees=False, divergence=0.001, divergence_from_base=2.0, effect=2.0)
    eight = TOLERANCES["Q8_0"]
    assert judge([[good] * 10], tolerance=eight).ok
    close = replace(good, agrees=False, lead=0.01)
    assert judge([[good] * 10, [close]], tolerance=eight).ok
    assert judge([[good] * 10, [close]], tolerance=eight).identical == 0.5
    assert not judge([[good] * 10, [replace(close, lead=2.0)]], tolerance=eight).ok
    assert judge([[good]], tolerance=eight, wrong=["broken"]).reasons == ("broken",)
    assert not judge([[]], tolerance=eight).ok
    assert not judge([[replace(good, divergence=0.9)]], tolerance=eight).ok


def test_what_was_said_can_be_left_out_of_the_reasons():
    place = TokenPlace(
        agrees=False, lead=3.0, base_agrees=True, divergence=9.0, divergence_from_base=0.0, effect=9.0,
        said="it's", wanted='the "vault"', behind=3.0,
    )  # fmt: skip
    streams = f"it streams {'the vault'!r} and says {'harbour'!r} in one piece"
    told = judge([[place]], tolerance=TOLERANCES["Q8_0"], wrong=[streams, "the tokenizer differs"])
    kept = " ".join(wordless(told).reasons)
    assert "vault" in " ".join(told.reasons)
    assert not any(word in kept for word in ("vault", "it's", "harbour"))
    assert "the tokenizer differs" in kept
    assert "first at token 1 of its answer to prompt 1" in kept
    assert not wordless(told).ok


def test_where_the_adapter_is_sure_less_is_allowed():
    eight = TOLERANCES["Q8_0"]
    away = TokenPlace(agrees=True, lead=9.0, base_agrees=False, divergence=0.01, divergence_from_base=9.0, effect=9.0)
    assert judge([[away]], tolerance=eight).ok
    assert not judge([[replace(away, doubt=0.05)]], tolerance=eight).ok
    assert judge([[replace(away, doubt=0.0, divergence=0.0005)]], tolerance=eight).ok
    assert judge([[replace(away, doubt=0.0, divergence=0.5)]], tolerance=TOLERANCES["Q4_0"]).ok


def test_the_base_model_in_the_place_of_a_gentle_adapter():
    """Divergence 0.55 is within the tolerance of four bits, and yet all of it is the adapter that was forgotten."""
    base = TokenPlace(agrees=True, lead=3.0, base_agrees=True, divergence=0.55, divergence_from_base=0.0, effect=0.5)
    four = judge([[base] * 10], tolerance=TOLERANCES["Q4_0"])
    assert not four.ok
    assert not four.changed
    gentle = replace(base, divergence=0.01, effect=0.01)
    assert not judge([[gentle] * 10], tolerance=TOLERANCES["Q8_0"]).ok


@pytest.mark.parametrize("quantisation", list(TOLERANCES))
def test_an_adapter_that_moves_less_than_rounding_is_not_refused(quantisation: Quantisation):
    limits = TOLERANCES[quantisation]
    place = TokenPlace(
        agrees=True,
        lead=3.0,
        base_agrees=True,
        divergence=limits.rounding * 1.1,
        divergence_from_base=limits.rounding,
        effect=limits.rounding / 2,
    )
    assert judge([[place] * 10], tolerance=limits).ok


def test_where_two_texts_part_and_how_sure_the_engine_was() -> None:
    reply = Reply(
        prompt_length=3,
        tokens=(1, 2, 3),
        likeliest=({1: -0.1, 9: -4.0}, {2: -0.7, 8: -0.8}, {3: -0.2}),
        texts=("ab", "cd", "e"),
    )
    assert common_prefix_length("abcd", "abxd") == 2
    assert common_prefix_length("ab", "abc") == 2
    assert common_prefix_length("", "x") == 0
    assert lead_at(reply, 1) == pytest.approx(3.9)
    assert lead_at(reply, 2) == pytest.approx(0.1)
    assert lead_at(reply, 4) == math.inf
    assert lead_at(reply, 5) == math.inf


@pytest.mark.parametrize("quantisation", list(TOLERANCES))
@pytest.mark.parametrize("doubt", [0.0, 0.1, 0.3, 0.55, 1.0])
def test_no_form_may_be_further_away_than_its_tolerance(quantisation: Quantisation, doubt: float):
    limits = TOLERANCES[quantisation]
    allowed = limits.allowance(doubt)
    assert allowed <= limits.allowance(1.0) == limits.divergence
    just = TokenPlace(
        agrees=True, lead=0.1, base_agrees=False, divergence=0.99 * allowed, divergence_from_base=9.0, effect=9.0,
        doubt=doubt,
    )  # fmt: skip
    assert judge([[just] * 10], tolerance=limits).ok
    over = replace(just, divergence=1.01 * allowed)
    assert not judge([[over] * 10], tolerance=limits).ok


@pytest.mark.parametrize(
    ("quantisation", "spoilt", "sure"),
    [("F16", 0.01, 0.6), ("BF16", 0.02, 0.6), ("Q8_0", 0.05, 1.5), ("Q4_0", 1.2, 9.5)],
)
def test_a_spoilt_export_is_no_rounding_in_any_quantisation(quantisation: Quantisation, spoilt: float, sure: float):
    """Some four times what good exports were seen to be away, however the adapter doubts; and another sure token."""
    good = TokenPlace(agrees=True, lead=9.0, base_agrees=False, divergence=0.0, divergence_from_base=9.0, effect=9.0)
    assert not judge([[replace(good, divergence=spoilt)] * 10], tolerance=TOLERANCES[quantisation]).ok
    assert not judge([[good] * 10, [replace(good, agrees=False, lead=sure)]], tolerance=TOLERANCES[quantisation]).ok


def test_a_form_must_be_nearer_to_the_adapter_than_to_the_base_model_however_little():
    place = TokenPlace(agrees=True, lead=3.0, base_agrees=True, divergence=0.5, divergence_from_base=0.51, effect=0.5)
    four = TOLERANCES["Q4_0"]
    assert judge([[place] * 10], tolerance=four).ok
    for from_base in (0.5, 0.49, 0.3):
        (reason,) = judge([[replace(place, divergence_from_base=from_base)] * 10], tolerance=four).reasons
        assert reason.startswith("it is no nearer to the adapter (0.500 nats away) than to the base model")


def test_one_bad_answer_among_good_ones_is_found_and_only_whole_answers_are_identical():
    good = TokenPlace(agrees=True, lead=3.0, base_agrees=False, divergence=0.0, divergence_from_base=2.0, effect=2.0)
    answers = [[good] * 3, [good] * 3, [good] * 3, [good, replace(good, agrees=False, lead=5.0), good]]
    parity = judge(answers, tolerance=TOLERANCES["Q8_0"])
    assert not parity.ok
    assert (parity.prompts, parity.identical, parity.common_prefix) == (4, 0.75, 2.5)
    assert "first at token 2 of its answer to prompt 4" in parity.reasons[0]


def test_no_more_than_four_prompts_are_asked(tiny: BaseFiles, lora: Path, tmp_path: Path):
    served = write_gguf(tiny, merged_weights(tiny, lora), tmp_path / "m.gguf", quantisation="F16")
    assert len(PROMPTS) == 4
    assert check_forms(lora, tiny, PROMPTS * 2, settings=SETTINGS, served=served)[0].prompts == 4


def test_the_prompts_that_are_checked_are_spread_over_all():
    made = [Conversation(example_id=str(n), prompt=(Message("user", str(n)),), target="") for n in range(10)]
    for count, shown in ((10, "0 2 4 6"), (5, "0 1 2 3"), (4, "0 1 2 3"), (3, "0 1 2"), (1, "0")):
        assert [prompt[0].content for prompt in spread(made[:count])] == shown.split()


def test_divergence_is_that_of_the_form_from_the_adapter_and_from_the_base_model(tiny: BaseFiles, lora: Path):
    """KL(form || other) of a form that is nearly sure of what the adapter finds unlikely."""
    import torch

    tokenizer = load_tokenizer(tiny)
    prompt = prompt_tokens(tokenizer, PROMPTS[0])
    said = {40: math.log(0.9), 41: math.log(0.04)}
    reply = Reply(
        prompt_length=len(prompt), tokens=(40,), likeliest=(said,), texts=(tokenizer.decode([40]),)
    )  # fmt: skip
    form = Form(name="by hand", tolerance=TOLERANCES["Q4_0"], replies=(reply,))
    (found,) = compare_form((form,), lora, tiny, PROMPTS[:1])
    expected = []
    networks = (load_tuned(tiny, lora, precision=torch.float32), load_network(tiny, precision=torch.float32).eval())
    for network in networks:
        with torch.inference_mode():
            scores = network(input_ids=torch.tensor([prompt])).logits[0, -1].double().softmax(-1)
        p = [math.exp(score) for score in said.values()]
        q = [float(scores[token]) for token in said]
        pairs = [*zip(p, q, strict=True), (1 - sum(p), 1 - sum(q))]
        expected.append(sum(ours * math.log(ours / theirs) for ours, theirs in pairs))
        backwards = sum(theirs * math.log(theirs / ours) for ours, theirs in pairs)
        assert abs(backwards - expected[-1]) > 0.1
    assert [found.divergence, found.divergence_from_base] == pytest.approx(expected, abs=1e-3)
