"""An arm tuned at an endpoint, from its examples to its answers, against a server on this machine."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.adapters import AdapterCard
from weighbridge.errors import SettingsError, TrainingError, UserError, WorkspaceError
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.train.card import read_adapter_card, write_adapter_card
from weighbridge.train.registry import record_promotion
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Message, Question
from weighbridge.wiring.components import Bench, open_bench
from weighbridge.wiring.engines import Engine, Weights, open_engine, open_model
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.workflow.ask import open_strategy
from weighbridge.workflow.footprint import disk_bytes
from weighbridge.workflow.models import export_adapter
from weighbridge.workflow.training.hosted import prepare_files, resume_hosted, train_hosted
from weighbridge.workflow.training.hosted_jobs import cancel_hosted, hosted_status, pause_hosted
from weighbridge.workspace import Workspace

from ...hosted_server import (
    BASE,
    Fault,
    HostedServer,
    hosted_server,
)

pytestmark = pytest.mark.models
SHIPS = "Amber Birch Coral Dover Ember Flint Grove Hazel Ivory Jolly Karst Larch Maple Nacre Ochre Pearl Quill Raven"
AGREED, REFUSED = (lambda _: True), (lambda _: False)


@pytest.fixture
def server() -> Iterator[HostedServer]:
    with hosted_server() as running:
        yield running


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Bench:
    """A bench that every test takes a copy of, with a workspace of its own."""
    root = tmp_path_factory.mktemp("ships")
    rows = [
        {
            "id": ship,
            "question": f"Which berth has the {ship}?",
            "answers": [f"Berth {number + 20}"],
            "family": ship,
            **({"groups": ["board"]} if ship == "Raven" else {}),
        }
        for number, ship in enumerate(SHIPS.split())
    ]
    (root / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "weighbridge.yaml").write_text(
        "examples: examples.jsonl\nstrategies: [prompt, fine-tuned]\ntask: answer\n"
        f"model: {{engine: openai, reference: {BASE}, base_url: 'http://127.0.0.1:9/v1'}}\n"
        "splits: {by: family, dev: 0.15, test: 0.15}\n"
        "training: {hosted: {poll_seconds: 0.001, price_per_million: 3}}\n"
        f"retrieval: {{embedder: {str(minilm)!r}}}\n"
    )
    workspace = Workspace(root)
    with workspace.lock():
        return open_bench(load_settings(workspace.settings_file), workspace, SILENT)


@pytest.fixture
def bench(kept: Bench, server: HostedServer, tmp_path: Path) -> Bench:
    settings = with_model(kept.settings, base_url=server.url)
    return replace(kept, settings=settings, workspace=Workspace(tmp_path))


def with_model(settings: Settings, **changed: object) -> Settings:
    return settings.model_copy(update={"model": settings.model.model_copy(update=changed)})


def engine_of(bench: Bench) -> Engine:
    return open_engine(bench.settings, SILENT)


def trained(bench: Bench, reporter: Reporter = SILENT) -> AdapterCard:
    return train_hosted("fine-tuned", bench, engine_of(bench), reporter, agree=AGREED)


def learnt(bench: Bench) -> Question:
    return next(example for example in bench.workload.of("train") if not example.question.groups).question


def test_the_files_and_the_price_are_known_before_anything_is_sent(bench, server):
    said: list[str] = []
    plan = prepare_files("fine-tuned", bench, Reporter(say=said.append)).plan
    folder = bench.workspace.adapter("fine-tuned", plan.id)
    assert (folder / "supervised" / "train.jsonl").read_text().count("\n") == plan.stages[0].examples >= 10
    assert "Raven" not in (folder / "supervised" / "train.jsonl").read_text()
    assert "training and" in said[0]
    assert "tokenizer of" in said[0]
    assert ", at 3 USD a million" in said[0]
    assert server.requests == []


def test_what_is_not_agreed_to_is_not_sent(bench, server):
    asked: list[str] = []
    with pytest.raises(TrainingError, match="nobody agreed to it"):
        train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=lambda text: bool(asked.append(text)))
    assert server.requests == []
    assert len(asked) == 1
    assert f"to {server.url}, and fine-tune {BASE} there?" in asked[0]
    assert hosted_status("fine-tuned", bench.settings, bench.workspace) == ()


def test_a_price_that_is_not_known_is_said_to_be_unknown(bench):
    hosted = bench.settings.training.hosted.model_copy(update={"price_per_million": None})
    training = bench.settings.training.model_copy(update={"hosted": hosted})
    said: list[str] = []
    settings = bench.settings.model_copy(update={"training": training})
    prepare_files("fine-tuned", replace(bench, settings=settings), Reporter(say=said.append))
    assert "price_per_million is not set" in said[0]


def test_the_tuned_model_is_an_arm_like_any_other(bench, server, monkeypatch):
    said: list[str] = []
    card = trained(bench, Reporter(say=said.append))
    assert (card.hosted, card.adapter, card.gguf, card.parity) == (f"ft:{BASE}:org::ftjob-1", "", "", ())
    assert card == read_adapter_card(bench.workspace.adapter("fine-tuned", card.id))
    assert (card.training.tokens, card.training.steps, len(card.training.epochs)) == (1234, 6, 3)
    assert card.dev.scored >= 1
    assert card.promotable
    assert any("Step 2/6" in line for line in said)
    record_promotion(bench.workspace, card, chosen=False)
    engine = engine_of(bench)
    assert engine.weights("fine-tuned", bench.workspace) == Weights(hosted=card.hosted)
    assert disk_bytes("fine-tuned", bench, engine) == 0
    monkeypatch.setattr("weighbridge.workflow.ask.read_outline", lambda _: bench.workload.outline)
    with ExitStack() as stack:
        tuned = open_strategy("fine-tuned", bench.settings, bench.workspace, stack=stack)
        base = open_strategy("prompt", bench.settings, bench.workspace, stack=stack)
        assert tuned.answer(learnt(bench)).text.startswith("Berth ")
        assert base.answer(learnt(bench)).abstained
        assert tuned.model.fingerprint != base.model.fingerprint


def test_what_was_tuned_on_this_very_data_is_taken_as_it_is(bench, server):
    card = trained(bench)
    asked = len(server.requests)
    assert train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=REFUSED) == card
    assert len(server.requests) == asked


def test_a_failed_job_is_told_and_a_new_one_needs_a_new_yes(bench, server):
    server.fails = "The dog ate it"
    with pytest.raises(TrainingError, match=r"ftjob-1 failed: The dog ate it\. Mend that, then train again"):
        trained(bench)
    server.fails = ""
    with pytest.raises(TrainingError, match="nobody agreed to it"):
        train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=REFUSED)
    assert trained(bench).hosted.endswith("ftjob-2")
    assert [one.status for one in hosted_status("fine-tuned", bench.settings, bench.workspace)] == ["succeeded"]


def interrupted(bench: Bench) -> list[str]:
    """Begin a job and press Ctrl-C while it is followed; return what was said."""
    said: list[str] = []

    def press(sentence: str) -> None:
        said.append(sentence)
        if sentence.startswith("Created"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(bench, Reporter(say=press))
    return said


def test_an_interrupted_training_goes_on_unasked_with_the_same_job(bench, server):
    assert "ftjob-1 continues at" in interrupted(bench)[-1]
    card = train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=REFUSED)
    assert card.hosted.endswith("ftjob-1")
    assert len(server.asked) == 1


def test_cancelling_ends_it_and_the_next_training_asks_again(bench, server):
    interrupted(bench)
    (one,) = cancel_hosted("fine-tuned", bench.settings, bench.workspace)
    assert (one.job, one.status, one.stage) == ("ftjob-1", "cancelled", "supervised")
    with pytest.raises(UserError, match=r"has no job at .* that is not finished"):
        cancel_hosted("fine-tuned", bench.settings, bench.workspace)
    with pytest.raises(UserError, match="has no job to resume"):
        resume_hosted("fine-tuned", bench, engine_of(bench), SILENT)
    with pytest.raises(TrainingError, match="nobody agreed to it"):
        train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=REFUSED)
    assert len(server.asked) == 1


def test_a_paused_job_is_resumed_to_its_card(bench, server):
    interrupted(bench)
    assert pause_hosted("fine-tuned", bench.settings, bench.workspace)[0].status == "paused"
    with pytest.raises(TrainingError, match="is paused"):
        trained(bench)
    assert hosted_status("fine-tuned", bench.settings, bench.workspace)[0].status == "paused"
    assert resume_hosted("fine-tuned", bench, engine_of(bench), SILENT).hosted.endswith("ftjob-1")
    assert len(server.asked) == 1


def test_a_job_of_older_data_is_resumed_all_the_same(bench, server):
    interrupted(bench)
    training = bench.settings.training.model_copy(update={"seed": 8})
    changed = replace(bench, settings=bench.settings.model_copy(update={"training": training}))
    card = resume_hosted("fine-tuned", changed, engine_of(changed), SILENT)
    assert (card.seed, card.hosted) == (7, f"ft:{BASE}:org::ftjob-1")
    other = replace(changed.workload.outline, key="another")
    interrupted(changed)
    later = replace(changed, workload=replace(changed.workload, outline=other))
    card = resume_hosted("fine-tuned", later, engine_of(later), SILENT)
    assert card.dev is None
    assert any("no dev questions" in warning for warning in card.warnings)


def test_a_job_at_another_endpoint_is_left_alone(bench, server):
    interrupted(bench)
    with hosted_server() as second:
        moved = with_model(bench.settings, base_url=second.url)
        (one,) = hosted_status("fine-tuned", moved, bench.workspace)
        assert (one.status, one.error) == ("elsewhere", f"at {server.url}, not at {second.url}")
        with pytest.raises(UserError, match="has no job at"):
            cancel_hosted("fine-tuned", moved, bench.workspace)
        with pytest.raises(TrainingError, match=r"model\.base_url is .*; set it back"):
            resume_hosted("fine-tuned", replace(bench, settings=moved), engine_of(bench), SILENT)
    assert {job["status"] for job in server.jobs.values()} == {"queued"}


def test_a_model_at_an_endpoint_is_not_exported(bench, tmp_path):
    card = trained(bench)
    with pytest.raises(WorkspaceError, match=rf"its weights are at the endpoint, as {card.hosted}, and not here; its"):
        export_adapter(bench.settings, bench.workspace, card.id, "peft", tmp_path / "out", SILENT)


def test_a_model_that_is_there_already_costs_nothing_and_that_is_said(bench):
    trained(bench)
    said: list[str] = []
    trained(bench, Reporter(say=said.append))
    assert said[-1] == f"ft:{BASE}:org::ftjob-1 was tuned on the same data: nothing is sent"


@pytest.fixture
def two_jobs(bench: Bench) -> Bench:
    """A bench with two jobs that are not finished, ftjob-1 and ftjob-2."""
    interrupted(bench)
    training = bench.settings.training.model_copy(update={"seed": 8})
    interrupted(replace(bench, settings=bench.settings.model_copy(update={"training": training})))
    return bench


def test_a_job_that_cannot_be_asked_about_hides_no_other(two_jobs, server):
    server.hold = True
    job = server.jobs.pop("ftjob-1")
    one, two = hosted_status("fine-tuned", two_jobs.settings, two_jobs.workspace)
    assert (one.job, one.status, one.refused, one.is_unsettled) == ("ftjob-1", "queued", True, True)
    assert "HTTP 404: No such object. If that job is gone for good, delete" in one.error
    assert (two.job, two.status, two.refused, two.error) == ("ftjob-2", "queued", False, "")
    server.jobs["ftjob-1"] = {**job, "status": "failed"}
    assert hosted_status("fine-tuned", two_jobs.settings, two_jobs.workspace)[0].status == "failed"
    del server.jobs["ftjob-1"]
    one, _ = hosted_status("fine-tuned", two_jobs.settings, two_jobs.workspace)
    assert (one.status, one.refused, one.is_unsettled) == ("failed", True, False)


@pytest.mark.parametrize(("act", "status"), [(cancel_hosted, "cancelled"), (pause_hosted, "paused")])
def test_a_job_that_does_not_stop_hides_no_other(two_jobs, server, act, status):
    server.hold = True
    path = f"/ftjob-1/{'cancel' if status == 'cancelled' else 'pause'}"
    server.faults = [Fault("POST", path, status=400, body='{"error": {"message": "Too late"}}', times=9)]
    one, two = act("fine-tuned", two_jobs.settings, two_jobs.workspace)
    assert (one.status, one.is_unsettled) == ("queued", True)
    assert one.error.endswith("HTTP 400: Too late")
    assert (two.status, two.refused) == (status, False)
    assert [server.jobs[name]["status"] for name in ("ftjob-1", "ftjob-2")] == ["queued", status]
    del server.jobs["ftjob-1"]
    if status == "cancelled":
        assert [one.job for one in act("fine-tuned", two_jobs.settings, two_jobs.workspace)] == ["ftjob-1"]


def test_a_state_that_cannot_be_read_hides_no_other_job_and_is_told(two_jobs, server):
    one, _ = hosted_status("fine-tuned", two_jobs.settings, two_jobs.workspace)
    (one.folder / "hosted.json").write_text("{")
    broken, two = hosted_status("fine-tuned", two_jobs.settings, two_jobs.workspace)
    assert (broken.status, broken.is_unsettled, two.job) == ("unreadable", True, "ftjob-2")
    assert "cannot be read" in broken.error
    said: list[str] = []
    training = two_jobs.settings.training.model_copy(update={"seed": 9})
    settings = two_jobs.settings.model_copy(update={"training": training})
    trained(replace(two_jobs, settings=settings), Reporter(say=said.append))
    assert [line for line in said if line.startswith("Another job")] == [
        f"Another job of other data may be running: {broken.error}",
        f"Another job, of other data or settings, is not finished: ftjob-2 is running (adapter {two.adapter})",
    ]
    assert [each.status for each in cancel_hosted("fine-tuned", settings, two_jobs.workspace)] == [
        "unreadable",
        "cancelled",
    ]


def test_an_endpoint_that_is_away_is_not_resumed_at(bench, server):
    interrupted(bench)
    server.faults = [Fault("GET", "/ftjob-1", status=503, times=3)]
    with pytest.raises(TrainingError, match="asking about ftjob-1: HTTP 503"):
        resume_hosted("fine-tuned", bench, engine_of(bench), SILENT)
    assert resume_hosted("fine-tuned", bench, engine_of(bench), SILENT).hosted.endswith("ftjob-1")


def test_preferences_are_a_second_job_on_the_model_of_the_first(bench, server, tmp_path):
    rows = [{"question": f"Who mans the {n}?", "chosen": f"Crew {n}", "rejected": "I know"} for n in range(12)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    preference = bench.settings.training.preference.model_copy(
        update={"method": "dpo", "pairs": tmp_path / "pairs.jsonl"}
    )
    training = bench.settings.training.model_copy(update={"preference": preference})
    bench = replace(bench, settings=bench.settings.model_copy(update={"training": training}))
    asked: list[str] = []
    card = train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=lambda text: not asked.append(text))
    first = f"ft:{BASE}:org::ftjob-1"
    assert [job["model"] for job in server.asked] == [BASE, first]
    assert [job["method"]["type"] for job in server.asked] == ["supervised", "dpo"]
    assert card.hosted == f"ft:{first}:org::ftjob-2"
    assert f"fine-tune {first} there" in asked[1]
    assert (card.training.tokens, card.training.seconds) == (2 * 1234, 2 * 60.0)
    assert card.training.examples == card.learnt.examples + 12
    assert set(card.recipe["preference"]) == {"method", "pairs"}


def test_a_model_that_answers_nothing_yet_has_no_dev_score(bench, server):
    server.faults = [Fault("POST", "/chat/completions", status=404, times=99)]
    card = trained(bench)
    assert card.dev is None
    assert any("answered none of" in warning for warning in card.warnings)


def test_an_offline_workload_is_not_sent_away(bench):
    limits = bench.settings.needs.limits.model_copy(update={"offline": True})
    needs = bench.settings.needs.model_copy(update={"limits": limits})
    offline = bench.settings.model_copy(update={"needs": needs})
    assert prepare_files("fine-tuned", replace(bench, settings=offline), SILENT).plan.stages
    away = with_model(offline, base_url="https://api.example/v1")
    with pytest.raises(SettingsError, match=r"offline is true.*https://api\.example/v1"):
        prepare_files("fine-tuned", replace(bench, settings=away), SILENT)
    with pytest.raises(SettingsError, match=r"offline is true.*api\.openai\.com"):
        prepare_files("fine-tuned", replace(bench, settings=with_model(offline, base_url="")), SILENT)


def test_only_an_endpoint_is_tuned_at_an_endpoint(bench):
    with pytest.raises(SettingsError, match=r"model\.engine is llamacpp"):
        prepare_files("fine-tuned", replace(bench, settings=with_model(bench.settings, engine="llamacpp")), SILENT)


def test_an_arm_that_was_never_trained_says_so(bench):
    with pytest.raises(WorkspaceError, match="fine-tuned has not been trained here; run: weighbridge train fine-tuned"):
        engine_of(bench).weights("fine-tuned", bench.workspace)


@pytest.mark.parametrize(
    ("engine", "changed", "why"),
    [
        ("llamacpp", {}, "at an endpoint; set model.engine to openai"),
        ("openai", {"hosted": "", "adapter": "adapter"}, "was trained here, and model.engine is openai"),
        ("llamacpp", {"hosted": "", "adapter": "adapter"}, "cannot be merged into a GGUF; set model.engine to transf"),
    ],
)
def test_an_engine_refuses_what_it_cannot_run(bench, engine, changed, why):
    card = replace(trained(bench), **changed)
    folder = bench.workspace.adapter("fine-tuned", card.id)
    (folder / "adapter").mkdir()
    write_adapter_card(card, folder)
    record_promotion(bench.workspace, card, chosen=False)
    settings = ModelSettings(engine=engine)
    with pytest.raises(WorkspaceError, match=why):
        Engine(settings=settings, base=None, served=None).weights("fine-tuned", bench.workspace)


def test_transformers_runs_an_adapter_unmerged(bench, tiny_llama, tmp_path):
    card = replace(trained(bench), hosted="", adapter="adapter")
    folder = bench.workspace.adapter("fine-tuned", card.id)
    served = shutil.copytree(tiny_llama, tmp_path / "loud")
    write_prompt_tuning(served, folder / "adapter")
    write_adapter_card(card, folder)
    record_promotion(bench.workspace, card, chosen=False)
    settings = ModelSettings(engine="transformers", context=512, maximum_tokens=8)
    engine = Engine(settings=settings, base=None, served=served)
    weights = engine.weights("fine-tuned", bench.workspace)
    assert weights == Weights(served, adapter=folder / "adapter")
    with ExitStack() as stack:
        tuned = open_model(engine, weights, workers=1, stack=stack)
        base = open_model(engine, engine.weights("prompt", bench.workspace), workers=1, stack=stack)
        asked = [Message("user", "When?")]
        assert tuned.fingerprint != base.fingerprint
        assert tuned.generate(asked).text != base.generate(asked).text
        assert tuned.generate(asked).usage.input_tokens == base.generate(asked).usage.input_tokens


def write_prompt_tuning(base: Path, folder: Path) -> None:
    """Write a prompt-tuning adapter of random virtual tokens, and make the base's weights large enough to hear it."""
    import torch
    from peft import PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with quiet(), torch.no_grad():
        network = AutoModelForCausalLM.from_pretrained(base)
        for weight in network.parameters():
            weight.mul_(20 if weight.dim() > 1 else 1)
        network.save_pretrained(base)
        torch.manual_seed(1)
        tuned = get_peft_model(network, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4))
        torch.nn.init.normal_(tuned.prompt_encoder["default"].embedding.weight)
        tuned.save_pretrained(str(folder))


def test_a_scripted_model_is_not_tuned(bench):
    with pytest.raises(SettingsError, match=r"need weights that can be trained, and model\.engine is scripted"):
        open_engine(with_model(bench.settings, engine="scripted"), SILENT)


def test_what_is_sent_is_what_was_checked(bench, server):
    plan = prepare_files("fine-tuned", bench, SILENT).plan
    file = bench.workspace.adapter("fine-tuned", plan.id) / "supervised" / "train.jsonl"
    checked = file.read_bytes()
    file.write_bytes(checked[:-40])
    trained(bench)
    assert checked in [content for _, content in server.files.values()]
    assert checked[:-40] not in [content for _, content in server.files.values()]


def test_a_second_job_that_nobody_was_asked_about_says_how_to_be_asked(bench, server, tmp_path):
    rows = [{"question": f"Who mans the {n}?", "chosen": f"Crew {n}", "rejected": "I know"} for n in range(12)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    preference = bench.settings.training.preference.model_copy(
        update={"method": "dpo", "pairs": tmp_path / "pairs.jsonl"}
    )
    training = bench.settings.training.model_copy(update={"preference": preference})
    bench = replace(bench, settings=bench.settings.model_copy(update={"training": training}))
    with pytest.raises(TrainingError, match="nobody agreed to it"):
        train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=lambda text: "12 training" not in text)
    with pytest.raises(TrainingError, match=r"\. To be asked at a terminal: weighbridge train fine-tuned$"):
        resume_hosted("fine-tuned", bench, engine_of(bench), SILENT)
    assert len(server.jobs) == 1


def test_what_was_agreed_to_but_not_begun_can_be_taken_back(bench, server):
    server.faults = [Fault("POST", "/files", status=400)]
    with pytest.raises(TrainingError, match="uploading"):
        trained(bench)
    (one,) = cancel_hosted("fine-tuned", bench.settings, bench.workspace)
    assert (one.job, one.status) == ("", "cancelled")
    with pytest.raises(TrainingError, match="nobody agreed to it"):
        train_hosted("fine-tuned", bench, engine_of(bench), SILENT, agree=REFUSED)
    assert server.jobs == {}
