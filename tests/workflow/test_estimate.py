"""How long a comparison will take: the arithmetic, what is done already, and a measurement with a real tiny model."""

from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from weighbridge import extensions
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions
from weighbridge.errors import ModelError, SettingsError
from weighbridge.machine import model_speed
from weighbridge.models import file_fingerprint
from weighbridge.protocols import OwnStrategy, StrategyParts
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.workflow.compare import compare
from weighbridge.workflow.estimate import estimate_run
from weighbridge.workflow.reckon import Paces, ReckonedBase, RemainingWork, RunEstimate, TrainingPace, reckon_steps

from ..tiny_llama import write_tiny_gguf
from .test_compare import untimed, workspace

__all__ = ["untimed"]

PACES = Paces(
    prompt_tokens_per_second=100.0,
    answer_tokens_per_second=10.0,
    model_seconds=1.0,
    process_seconds=4.0,
    reading_seconds=3.0,
    chunks=200,
    chunk_seconds=0.05,
    prompt_tokens={"prompt": 100.0, "raft": 300.0},
    answer_tokens={"prompt": 20.0, "raft": 10.0},
    training={"raft": TrainingPace(load_seconds=5.0, row_tokens=400.0, tokens_per_second=200.0, dev_seconds=0.5)},
    indexing_bytes=1,
    answering_bytes=2,
    training_bytes=3,
)
WORK = RemainingWork(train={"raft": 100}, dev=10, questions={"prompt": 40, "raft": 40}, timed={"prompt": 10, "raft": 0})
SETTINGS = Settings(
    strategies=("prompt", "raft"), measure={"workers": 2}, training={"epochs": 2, "learning_curve": False}
)


def by_step(settings: Settings, paces: Paces, work: RemainingWork) -> dict[str, float]:
    base = ReckonedBase(settings=settings, paces=paces, work=work)
    return {step.step: step.seconds for step in reckon_steps([base])}


def test_a_step_takes_its_tokens_at_the_measured_pace():
    found = by_step(SETTINGS, PACES, WORK)
    assert found["read, split and index"] == pytest.approx(3 + 200 * 0.05)
    assert found["answer: prompt"] == pytest.approx(1 + 40 / 2 * (100 / 100 + 20 / 10))
    assert found["time alone: prompt"] == pytest.approx(4 + 10 * 3)
    assert found["time alone: raft"] == 0
    # Two epochs of 100 rows and 10 dev questions; export and probes as trained tokens; 2 x 50 + 17 checks, 14 timed.
    training = 5 + 2 * (100 * 400 / 200 + 10 * 0.5)
    checks = (23_000 + 2 * 4500) / 200 + (117 / 2 + 14) * 4
    assert found["train: raft"] == pytest.approx(training + checks)


def test_more_epochs_a_curve_and_fewer_workers_take_longer():
    usual = by_step(SETTINGS, PACES, WORK)
    curved = SETTINGS.model_copy(update={"training": SETTINGS.training.model_copy(update={"learning_curve": True})})
    alone = SETTINGS.model_copy(update={"measure": SETTINGS.measure.model_copy(update={"workers": 1})})
    assert by_step(curved, PACES, WORK)["train: raft"] == pytest.approx(usual["train: raft"] + 1.5 * 410)
    assert by_step(alone, PACES, WORK)["answer: raft"] == pytest.approx(2 * usual["answer: raft"] - 1)


def test_what_is_done_takes_no_time():
    done = RemainingWork(indexed=True, questions={"prompt": 0, "raft": 0}, timed={"prompt": 0, "raft": 0})
    steps = tuple(reckon_steps([ReckonedBase(settings=SETTINGS, paces=PACES, work=done)]))
    found = RunEstimate(steps=steps, caps=(), measured="")
    assert found.seconds == pytest.approx(PACES.reading_seconds + 3)
    assert {step.note for step in steps if step.step.startswith(("train", "answer", "time"))} == {"done"}


@pytest.mark.usefixtures("untimed")
def test_the_estimate_counts_only_what_is_left_and_stores_no_answers(tmp_path: Path, tiny_bert: Path):
    place = workspace(tmp_path, "answer", tiny_bert)
    settings = load_settings(place.settings_file)
    before = estimate_run(settings, place, SILENT)
    notes = {step.step: step.note for step in before.steps}
    assert notes["answer: rag"] == "4 questions"
    assert before.caps[0].sentence == "4 of 5 test questions are asked; set measure.questions to 5 for all of them"
    assert not place.records("rag").exists()
    assert not place.index.exists()
    compare(settings, place, SILENT)
    said: list[str] = []
    after = estimate_run(settings, place, Reporter(say=said.append))
    notes = {step.step: step.note for step in after.steps}
    assert notes["read, split and index"] == "indexed already"
    assert {notes[f"answer: {arm}"] for arm in settings.strategies} == {"done"}
    assert after.measured == "kept from an earlier estimate of these settings"
    assert not any(line.startswith("Measuring") for line in said)


def test_a_real_model_is_measured_with_its_training_and_its_speed_is_kept(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path / "cache"))
    place = workspace(tmp_path, "answer", tiny_bert)
    gguf = write_tiny_gguf(tmp_path / "tiny.gguf")
    text = place.settings_file.read_text(encoding="utf-8")
    model = f"model: {{reference: {gguf}, quantisation: F16, context: 512, maximum_tokens: 4}}"
    text = text.replace("model: {engine: scripted}", model).replace("[prompt, few-shot, rag]", "[prompt, fine-tuned]")
    place.settings_file.write_text(text, encoding="utf-8")
    settings = load_settings(place.settings_file)
    found = estimate_run(settings, place, SILENT)
    seconds = {step.step: step.seconds for step in found.steps}
    assert seconds["train: fine-tuned"] > seconds["answer: fine-tuned"] > 0
    assert found.memory_bytes > 10**8
    assert not list(place.adapters("fine-tuned").glob("*"))
    (served,) = (tmp_path / "cache" / "bases").glob("*-F16.gguf")
    kept = model_speed(file_fingerprint(served), "llamacpp")
    assert kept is not None
    assert kept.prompt_tokens_per_second > 0


def test_a_model_that_is_not_here_is_not_fetched_for_an_estimate(tmp_path: Path, tiny_bert: Path):
    place = workspace(tmp_path, "answer", tiny_bert)
    settings = load_settings(place.settings_file)
    gone = settings.model.model_copy(update={"engine": "llamacpp", "reference": "pypi:nobody==1/a.gguf"})
    with pytest.raises(SettingsError, match="fetch with: weighbridge models fetch pypi:nobody"):
        estimate_run(settings.model_copy(update={"model": gone}), place, SILENT)
    with pytest.raises(SettingsError, match="there are no examples"):
        estimate_run(settings.model_copy(update={"examples": None}), place, SILENT)


@pytest.mark.usefixtures("untimed")
def test_each_base_model_has_its_own_steps_and_documents_are_indexed_once(tmp_path: Path, tiny_bert: Path):
    place = workspace(tmp_path, "answer", tiny_bert)
    models = "models: [{name: one, engine: scripted}, {name: two, engine: scripted, maximum_tokens: 9}]"
    text = place.settings_file.read_text(encoding="utf-8").replace("[prompt, few-shot, rag]", "[prompt, rag]")
    place.settings_file.write_text(f"{text}{models}\n", encoding="utf-8")
    settings = load_settings(place.settings_file)
    said: list[str] = []
    steps = [step.step for step in estimate_run(settings, place, Reporter(say=said.append)).steps]
    arms = ("prompt@one", "rag@one", "prompt@two", "rag@two")
    assert steps[1:-1] == ["read, split and index"] + [
        f"{kind}: {arm}" for kind in ("answer", "time alone") for arm in arms
    ]
    assert [line for line in said if line.startswith("Measuring")] == [
        f"Measuring {base}: some chunks, some questions" for base in ("one", "two")
    ]
    compare(settings, place, SILENT)
    again = estimate_run(settings, place, Reporter(say=lambda line: pytest.fail(line) if "Measuring" in line else None))
    assert again.measured == "kept from an earlier estimate of these settings"
    assert {step.note for step in again.steps if step.step.startswith("answer")} == {"done"}
    alone = settings.by_base[1].model_copy(update={"strategies": ("prompt", "rag")})
    renamed = estimate_run(alone, place, SILENT)
    assert {step.note for step in renamed.steps if step.step.startswith("answer")} == {"done"}, "as compare will find"


def test_the_caps_of_an_estimate_count_all_documents(tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("weighbridge.workflow.measure_paces._SAMPLE", 2)
    monkeypatch.setattr("weighbridge.wiring.workload.COMPARED_DOCUMENTS", 6)
    place = workspace(tmp_path, "answer", tiny_bert)
    caps = estimate_run(load_settings(place.settings_file), place, SILENT).caps
    assert [cap.available for cap in caps if cap.what.startswith("documents")] == [12]


def test_a_step_that_nothing_here_can_tell_has_no_time_and_says_why():
    unknown = replace(PACES, unknown={"raft": "none of 4 questions was answered"})
    work = replace(WORK, hosted={"fine-tuned": True})
    steps = {s.step: s for s in reckon_steps([ReckonedBase(settings=SETTINGS, paces=unknown, work=work)])}
    assert {name for name, step in steps.items() if step.seconds is None} == {
        "train: raft", "answer: raft", "train: fine-tuned"
    }  # fmt: skip
    assert "at the provider" in steps["train: fine-tuned"].note
    assert steps["answer: raft"].note == "none of 4 questions was answered"
    found = RunEstimate(steps=tuple(steps.values()), caps=(), measured="")
    assert not found.complete
    assert found.seconds == pytest.approx(sum(step.seconds or 0 for step in steps.values()))
    own = replace(PACES, answer_seconds={"prompt": 7.0})
    assert by_step(SETTINGS, own, WORK)["time alone: prompt"] == pytest.approx(4 + 10 * 7)


def build_silent(parts: StrategyParts) -> Composed:
    raise ValueError("the tide is out")


first = OwnStrategy(build=lambda parts: Composed(name="tidal", model=parts.open_model(), instructions=YES))
out = OwnStrategy(build=build_silent)
YES = Instructions(system="Answer in a word.")


def test_an_endpoint_and_strategies_of_extensions_are_estimated_with_their_prices(
    tmp_path: Path, tiny_bert: Path, roomy_endpoint: str, monkeypatch: pytest.MonkeyPatch
):
    offered = {name: (EntryPoint(name, f"{__name__}:{name}", "weighbridge.strategies"),) for name in ("first", "out")}
    monkeypatch.setattr(
        extensions, "entry_points_of", lambda group: offered if group == "weighbridge.strategies" else {}
    )
    place = workspace(tmp_path, "answer", tiny_bert)
    text = place.settings_file.read_text(encoding="utf-8").replace("[prompt, few-shot, rag]", "[prompt, first, out]")
    model = f"model: {{engine: openai, reference: m, base_url: {roomy_endpoint}}}"
    prices = "prices: {input_per_million: 10, output_per_million: 100}\n"
    place.settings_file.write_text(text.replace("model: {engine: scripted}", model) + prices, encoding="utf-8")
    found = estimate_run(load_settings(place.settings_file), place, SILENT)
    steps = {step.step: step for step in found.steps}
    assert steps["answer: prompt"].seconds > 0
    assert steps["answer: first"].seconds > 0
    assert steps["answer: out"].seconds is None
    assert "cannot be built (ValueError: the tide is out)" in steps["answer: out"].note
    (price,) = found.prices  # the prompts of the others are their own business
    assert (price.arm, price.questions) == ("prompt", 6)  # four that are asked, and two that are timed
    assert price.amount == pytest.approx((price.input_tokens * 10 + price.output_tokens * 100) / 1e6)
    assert "6\N{NO-BREAK SPACE}questions, about " in price.sentence
    assert price.sentence.endswith("USD, by prices in weighbridge.yaml")


def test_a_dead_endpoint_is_found_before_anything_is_read(tmp_path: Path, tiny_bert: Path):
    place = workspace(tmp_path, "answer", tiny_bert)
    settings = load_settings(place.settings_file)
    dead = settings.model.model_copy(update={"engine": "openai", "base_url": "http://127.0.0.1:9/v1"})
    with pytest.raises(ModelError, match="a first tiny request failed"):
        estimate_run(settings.model_copy(update={"model": dead, "examples": tmp_path / "none"}), place, SILENT)
