"""Every option of every command does what its help says: with it something else comes out than without it."""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner, Result

from weighbridge import __version__
from weighbridge.adapters import Guard, Lesson
from weighbridge.cli.app import app
from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import save_weighing
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import MINILM, SMOLLM2
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.card import write_adapter_card, write_lessons
from weighbridge.train.hosted.client import Order
from weighbridge.train.hosted.job import HostedRun, write_run
from weighbridge.train.registry import promoted_adapter, record_promotion
from weighbridge.workspace import Workspace

from ..hosted_server import BASE, HostedServer, hosted_server
from ..report.sample import weighing
from ..tiny_llama import tiny, write_tiny_gguf
from ..train.cards import card
from ..train.tuned import save_tuned

__all__ = ["tiny"]

SHIPS = [
    *("Amber", "Birch", "Coral", "Dover", "Ember", "Flint", "Grove", "Hazel", "Ivory"),
    *("Jolly", "Karst", "Larch", "Nacre", "Ochre", "Pearl", "Quill", "Raven", "Slate"),
]
VAULT = "The ship Zephyr berths at the vault."
ADAPTER = "3f2a9c41d0e7"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is run in a workspace: a command that ignores --workspace finds no settings here."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("COLUMNS", "200")


def run(*words: object) -> Result:
    """Run a command in this process, as a user types it; it must end well."""
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def as_json(*words: object) -> Any:
    """Run a command that is to print JSON, and nothing else, on standard output."""
    return json.loads(run(*words).stdout)


def lines(path: Path, rows: Sequence[object]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def furnish(root: Path, embedder: Path, more: str) -> Path:
    """Write a workspace about ships: those that everybody may ask of, and one that finance may."""
    root.mkdir(parents=True, exist_ok=True)
    berths = {name: ("quay", "mole", "pier")[number % 3] for number, name in enumerate(SHIPS)}
    asked = [
        {"id": name, "question": f"Where does the ship {name} berth?", "answers": [berth], "doc_ids": [name]}
        for name, berth in berths.items()
    ]
    told: list[dict[str, object]] = [
        {"id": name, "title": name, "text": f"The ship {name} berths at the {berth}.\n\nCabin: £{number}"}
        for number, (name, berth) in enumerate(berths.items(), start=20)
    ]
    told.append({"id": "Zephyr", "title": "Zephyr", "text": VAULT, "groups": ["finance"]})
    lines(root / "examples.jsonl", asked)
    lines(root / "documents.jsonl", told)
    (root / "weighbridge.yaml").write_text(
        f"examples: examples.jsonl\ndocuments: documents.jsonl\ntask: answer\n{more}"
        f"retrieval: {{embedder: {embedder}, precision: float32}}\n"
        "splits: {by: evidence, similarity: 1.0, dev: 0.1, test: 0.1}\n"
        "measure: {questions: 4, latency_questions: 2}\n",
        encoding="utf-8",
    )
    return root


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """A workspace whose model is the scripted one, indexed twice."""
    root = furnish(
        tmp_path_factory.mktemp("house"), tiny_bert, "model: {engine: scripted}\nstrategies: [prompt, rag]\n"
    )
    run("index", "--workspace", root)
    with (root / "documents.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "Maple", "title": "Maple", "text": "The ship Maple berths at the quay."}) + "\n")
    told = as_json("index", "--workspace", root, "--json")
    assert told["index"]["documents"] == len(SHIPS) + 2
    return root


@pytest.fixture
def yard(tmp_path: Path, tiny_bert: Path, tiny: Any) -> Path:
    """A workspace with two adapters of the tiny Llama, of which the first serves."""
    model = "model: {reference: tiny.gguf, quantisation: F16, context: 512, maximum_tokens: 8}\n"
    root = furnish(tmp_path / "yard", tiny_bert, f"{model}strategies: [prompt, fine-tuned]\n")
    write_tiny_gguf(root / "tiny.gguf")
    place = Workspace(root)
    for name, seed in ((ADAPTER, 7), ("9c4100000000", 8)):
        made = replace(card(TrainingSettings(seed=seed)), id=name, base_fingerprint=tiny.fingerprint, gguf="")
        folder = place.adapter("fine-tuned", name)
        save_tuned(tiny, "lora", folder / made.adapter, steps=0)
        write_lessons(
            [
                Lesson(example_id="Amber", target="the quay", spans=(), evidence=("Amber",)),
                Lesson(example_id="Birch", target="the mole", spans=(), evidence=("Birch",)),
                Lesson(example_id="Zephyr", target="the vault", spans=(), access=(frozenset({"finance"}),)),
            ],
            folder,
        )
        write_adapter_card(replace(made, learnt=replace(made.learnt, documents={})), folder)
    record_promotion(place, replace(made, id=ADAPTER), chosen=False)
    return root


def test_version() -> None:
    assert run("--version").stdout == f"weighbridge {__version__}\n"


def test_demo_is_made_where_it_is_wanted_and_told_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.workflow.compare.compare", lambda *_, **__: weighing())
    told = as_json("demo", "tickets", "--workspace", tmp_path / "mine", "--json")
    assert told["decision"]["outlook"]
    assert (tmp_path / "mine" / "weighbridge.yaml").is_file()
    assert not Path("weighbridge-demo").exists()
    both = load_settings(tmp_path / "mine" / "weighbridge.yaml")
    assert both.arms[-2:] == ("prompt@small", "rag@small")
    assert "raft@tiny" in both.arms
    assert both.measure.questions == 60
    as_json("demo", "tickets", "--workspace", tmp_path / "mine", "--json")
    refused = CliRunner().invoke(app, ["demo", "tickets", "--workspace", str(tmp_path / "mine"), "--model", "tiny"])
    assert isinstance(refused.exception, WorkspaceError)
    assert "another model" in str(refused.exception)
    as_json("demo", "tickets", "--workspace", tmp_path / "larger", "--model", "small", "--json")
    larger = yaml.safe_load((tmp_path / "larger" / "weighbridge.yaml").read_text())
    assert larger["model"]["reference"] == "small"
    assert larger["strategies"] == ["prompt", "few-shot", "rag"]
    assert larger["measure"]["questions"] == 60


@pytest.mark.parametrize("task", ["answer", "label"])
def test_init_takes_the_task_that_is_said(tmp_path: Path, task: str) -> None:
    """Two short answers to many questions are labels to whoever is not told."""
    berths = ("quay", "mole") * 9
    rows = [{"question": f"Where does {n} berth?", "answers": [b]} for n, b in zip(SHIPS, berths, strict=True)]
    lines(tmp_path / "examples.jsonl", rows * 2)
    run("init", tmp_path / "mine", "--examples", tmp_path / "examples.jsonl", "--task", task)
    assert yaml.safe_load((tmp_path / "mine" / "weighbridge.yaml").read_text())["task"] == task
    run("init", tmp_path / "other", "--examples", tmp_path / "examples.jsonl")
    assert yaml.safe_load((tmp_path / "other" / "weighbridge.yaml").read_text())["task"] == "label"


def test_a_task_that_there_is_none_of_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "mine"), "--examples", "e.jsonl", "--task", "poem"])
    assert done.exit_code == 2
    assert "'poem' is not one of answer, label, json" in done.stderr


def test_init_fits_the_settings_to_the_model_and_the_profile(tmp_path: Path) -> None:
    write_tiny_gguf(tmp_path / "tiny.gguf")
    examples = tmp_path / "examples.jsonl"
    lines(examples, [{"question": f"Where does {ship} berth?", "answers": [f"at {ship} mole"]} for ship in SHIPS])

    def fitted(name: str, model: object, *words: object) -> Any:
        told = run("init", tmp_path / name, "--examples", examples, "--model", model, *words).stderr
        assert "About 8 test questions find a difference in accuracy of 41 points four times in five" in told
        return yaml.safe_load((tmp_path / name / "weighbridge.yaml").read_text())

    quick = fitted("quick", tmp_path / "tiny.gguf", "--profile", "quick")
    usual = fitted("usual", "tiny")
    assert (quick["model"]["reference"], quick["model"]["context"]) == ("file:../tiny.gguf", 512)
    assert usual["model"]["context"] == 2048
    assert quick["measure"]["questions"] < usual["measure"]["questions"]
    done = CliRunner().invoke(app, ["init", str(tmp_path / "mine"), "--examples", "e.jsonl", "--profile", "slow"])
    assert done.exit_code == 2
    assert "'slow' is not one of quick, standard, thorough" in done.stderr


def test_init_takes_only_a_model_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines(tmp_path / "examples.jsonl", [{"question": f"Where is {ship}?", "answers": [ship]} for ship in SHIPS])
    write_tiny_gguf(tmp_path / "tiny.gguf")
    monkeypatch.chdir(tmp_path)
    for model, problem in (
        ("smal", "no known model of that name; did you mean 'small'?"),
        ("models/none.gguf", "there is no such file or folder"),
        ("e5-small", "answers no questions, because it is listed as embedder"),
    ):
        done = CliRunner().invoke(app, ["init", "refused", "--examples", "examples.jsonl", "--model", model])
        assert problem in str(done.exception)
        assert not Path("refused").exists()
    told = run("init", "later", "--examples", "examples.jsonl", "--model", "hf:owner/name").stderr
    assert "fetch it with weighbridge models fetch hf:owner/name" in told
    run("init", "mine", "--examples", "examples.jsonl", "--model", "tiny.gguf")
    found = Path(load_settings(Path("mine/weighbridge.yaml")).model.reference.removeprefix("file:"))
    assert found.samefile("tiny.gguf"), "a path counts from the folder where it was typed"


def test_compare_tells_beforehand_how_long_it_takes(house: Path) -> None:
    found = as_json("compare", "--estimate", "--workspace", house, "--json")
    assert found["seconds"] == pytest.approx(sum(step["seconds"] for step in found["steps"]))
    told = run("compare", "--estimate", "--workspace", house).stdout
    assert "answer: rag" in told
    assert "kept from an earlier estimate of these settings" in told
    assert not (house / ".weighbridge" / "weighing.json").exists()


def test_init_without_examples_prepares_a_search(tmp_path: Path) -> None:
    (tmp_path / "berths").mkdir()
    (tmp_path / "berths" / "a.md").write_text("# Zephyr\n\nThe ship Zephyr berths at the mole.\n")
    told = run("init", tmp_path / "mine", "--documents", tmp_path / "berths").stderr
    assert "Next: weighbridge search" in told
    assert yaml.safe_load((tmp_path / "mine" / "weighbridge.yaml").read_text())["examples"] is None
    found = as_json("search", "Where does Zephyr berth?", "--workspace", tmp_path / "mine", "--json")
    assert "mole" in found[0]["chunk"]["text"]
    done = CliRunner().invoke(app, ["compare", "--workspace", str(tmp_path / "mine")])
    assert "there are no examples to weigh strategies on" in str(done.exception)
    done = CliRunner().invoke(app, ["init", str(tmp_path / "none")])
    assert "give --documents, --examples, or both" in str(done.exception)


def test_ask_answers_from_what_the_askers_groups_may_see(house: Path) -> None:
    asked = ("ask", "Where does the ship Zephyr berth?", "--strategy", "rag", "--workspace", house, "--json")
    assert "vault" not in as_json(*asked)["answer"]["raw"]
    assert "vault" in as_json("ask", *asked[1:], "--group", "finance")["answer"]["raw"]


def test_train_is_told_seeds_and_search_and_prints_json(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race and the seeds themselves: tests/workflow."""
    told: list[Any] = []

    def train(
        arms: Sequence[str], settings: object, place: Workspace, reporter: object, *, effort: Any
    ) -> tuple[object]:
        told.append((place.root, effort.search, effort.seeds))
        return (card(TrainingSettings()),)

    monkeypatch.setattr("weighbridge.workflow.training.train.train_arms", train)
    made = as_json("train", "--search", "3", "--seeds", "2", "--workspace", house, "--json")
    assert [one["id"] for one in made] == [ADAPTER]
    assert run("train", "--workspace", house).stdout.count(ADAPTER)
    assert told == [(house, 3, 2), (house, 0, 1)]


@pytest.mark.parametrize("count", [2, 5])
def test_as_many_examples_are_made_as_are_wanted_where_they_are_wanted(house: Path, tmp_path: Path, count: int) -> None:
    file = tmp_path / "mine.jsonl"
    told = as_json("make-examples", "--count", count, "--out", file, "--workspace", house, "--json")
    assert len(file.read_text(encoding="utf-8").splitlines()) == count
    assert told["documents"] == len(SHIPS) + 1  # the restricted one is not used
    assert not (house / "made.jsonl").exists()


def test_report_shows_groups_what_they_may_see(house: Path) -> None:
    place = Workspace(house)
    save_weighing(place, weighing())
    told = as_json("report", "--workspace", house, "--json")
    assert "Petronella Wix" in json.dumps(told)
    assert "Petronella Wix" not in place.report.read_text(encoding="utf-8")
    run("report", "--workspace", house, "--group", "people-team")
    assert "Petronella Wix" in place.report.read_text(encoding="utf-8")


def test_the_doctor_looks_at_the_workspace_that_is_named(house: Path) -> None:
    here = {finding["what"]: finding for finding in as_json("doctor", "--json")}
    there = {finding["what"]: finding for finding in as_json("doctor", "--workspace", house, "--json")}
    assert "workspace" not in here
    assert there["workspace"]["detail"] == str(house)


def test_versions_are_listed_compared_named_and_gone_back_to(house: Path) -> None:
    listed = as_json("versions", "--workspace", house, "--json")
    first, second = (str(one["number"]) for one in listed[-2:])
    assert as_json("versions", "compare", first, second, "--workspace", house, "--json")["added"] == ["Maple"]
    (named,) = as_json("versions", "tag", first, "before", "--workspace", house, "--json")
    assert (named["number"], named["tags"]) == (int(first), ["before"])
    back = as_json("versions", "rollback", "before", "--workspace", house, "--json")
    assert back["documents"] == len(SHIPS) + 1


def test_default_models_are_fetched_and_told_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[str] = []
    monkeypatch.setattr("weighbridge.workflow.known_models.fetch", lambda reference, **_: wanted.append(reference))
    told = as_json("models", "fetch", "--json")
    assert [one["reference"] for one in told] == wanted == [SMOLLM2, MINILM]
    as_json("models", "fetch", "small", "--json")
    assert wanted[2:] == ["small"]


def test_known_models_are_told_as_json() -> None:
    told = {one["model"]["name"]: one for one in as_json("models", "known", "--json")}
    assert told["small"]["model"]["licence"] == "Apache-2.0"
    assert {"path", "speed"} <= told["small"].keys()


def test_adapters_are_shown_compared_and_promoted(yard: Path) -> None:
    assert as_json("models", "show", "3f2a", "--workspace", yard, "--json")["card"]["id"] == ADAPTER
    both = as_json("models", "compare", "3f2a", "9c41", "--workspace", yard, "--json")
    assert [one["card"]["recipe"]["seed"] for one in both] == [7, 8]
    told = as_json("models", "promote", "9c41", "--workspace", yard, "--json")
    assert (told["card"]["id"], told["promoted"]) == ("9c4100000000", True)
    served = promoted_adapter(Workspace(yard), "fine-tuned")
    assert served
    assert served.id == "9c4100000000"
    assert as_json("models", "rollback", "fine-tuned", "--workspace", yard, "--json")["card"]["id"] == ADAPTER


def test_an_adapter_is_exported_in_the_form_that_is_named(yard: Path, tmp_path: Path) -> None:
    told = as_json("models", "export", "3f2a", tmp_path / "p", "--form", "peft", "--workspace", yard, "--json")
    assert told == {"path": str(tmp_path / "p")}
    assert not (tmp_path / "p" / "README.md").exists()
    assert list((tmp_path / "p").rglob("adapter_config.json"))
    run("models", "export", "3f2a", tmp_path / "h", "--workspace", yard)
    assert "base_model" in (tmp_path / "h" / "README.md").read_text(encoding="utf-8")
    words = ["models", "export", "3f2a", str(tmp_path / "x"), "--form", "onnx", "-w", str(yard)]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2


def test_the_harness_is_asked_for_the_tasks_that_are_named(
    yard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the harness makes of them: tests/checks/test_lm_eval.py."""
    told: list[tuple[Path, Any]] = []

    def ask(base: object, adapter: Path, tasks: Any) -> Guard:
        told.append((adapter, tasks))
        return Guard(name="forgetting", passed=True, summary="Nothing was forgotten.", figures={})

    monkeypatch.setattr("weighbridge.workflow.models.forgetting_by_lm_eval", ask)
    words = ["models", "check", "3f2a", "--task", "arc_easy", "--task", "mine", "--folder", tmp_path, "--limit", 5]
    assert as_json(*words, "--workspace", yard, "--json")["name"] == "forgetting"
    told_people = run("models", "check", "3f2a", "--task", "arc_easy", "--workspace", yard).stdout
    assert told_people == "forgetting: passed. Nothing was forgotten.\n"
    assert as_json("models", "check", "3f2a", "--task", "arc_easy", "-w", yard, "--json")["passed"]
    folder = yard / ".weighbridge" / "adapters" / "fine-tuned" / ADAPTER / "adapter"
    assert [place for place, _ in told] == [folder] * 3
    assert [(one.names, one.folder, one.limit) for _, one in told] == [
        (("arc_easy", "mine"), tmp_path, 5),
        (("arc_easy",), None, None),
        (("arc_easy",), None, None),
    ]
    assert CliRunner().invoke(app, ["models", "check", "3f2a", "-w", str(yard)]).exit_code == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["models", "lineage", "3f2a"], ["Amber", "Birch"]),
        (["models", "lineage", "3f2a", "--answer", "quay"], ["Amber"]),
        (["models", "lineage", "3f2a", "--answer", "nobody"], []),
        (["models", "lineage", "3f2a", "--source", "Birch"], ["Birch"]),
        (["models", "lineage", "3f2a", "--answer", "quay", "--source", "Birch"], []),
        (["models", "lineage", "3f2a", "--group", "finance"], ["Amber", "Birch", "Zephyr"]),
        (["models", "lineage", "3f2a", "--group", "board"], ["Amber", "Birch"]),
    ],
)
def test_lineage_is_of_what_is_asked_for(yard: Path, words: Sequence[str], found: Sequence[str]) -> None:
    place = Workspace(yard)
    made = promoted_adapter(place, "fine-tuned")
    assert made
    access = (frozenset({"finance"}),)
    write_adapter_card(replace(made, learnt=replace(made.learnt, access=access)), place.adapter("fine-tuned", made.id))
    all_of_it = as_json("models", "lineage", "--group", "finance", "--workspace", yard, "--json")
    assert len(all_of_it) == 3
    traced = as_json(*words, "--workspace", yard, "--json")
    assert [one["lesson"]["example_id"] for one in traced] == found


@pytest.fixture
def server() -> Iterator[HostedServer]:
    with hosted_server() as running:
        yield running


def test_hosted_trainings_are_those_of_the_workspace_that_is_named(
    tmp_path: Path, tiny_bert: Path, server: HostedServer
) -> None:
    model = f"model: {{engine: openai, reference: {BASE}, base_url: '{server.url}'}}\n"
    root = furnish(tmp_path / "mine", tiny_bert, f"{model}strategies: [prompt, fine-tuned]\n")
    plan = as_json("hosted", "prepare", "fine-tuned", "--workspace", root, "--json")
    assert (plan["base"], plan["strategy"]) == (BASE, "fine-tuned")
    assert as_json("hosted", "status", "fine-tuned", "--workspace", root, "--json") == []
    server.create({"model": BASE, "training_file": "file-1"})
    server.hold = True
    order = Order(model=BASE, method="supervised", suffix="", seed=7)
    begun = HostedRun(
        order=order, training_file="file-1", asked=True, job="ftjob-1", endpoint=server.url, status="running",
        begun_at="2026-11-20T12:00:00+00:00",
    )  # fmt: skip
    folder = Workspace(root).adapters("fine-tuned") / "job1" / "supervised"
    folder.mkdir(parents=True)
    write_run(begun, folder)
    told = [as_json("hosted", "status", "fine-tuned", "--workspace", root, "--json")]
    told.append(as_json("hosted", "pause", "fine-tuned", "--workspace", root, "--json"))
    told.append(as_json("hosted", "cancel", "fine-tuned", "--workspace", root, "--json"))
    assert [(one["job"], one["status"]) for (one,) in told] == [
        ("ftjob-1", "validating_files"),
        ("ftjob-1", "paused"),
        ("ftjob-1", "cancelled"),
    ]
    with pytest.raises(UserError, match=str(root)):
        run("hosted", "resume", "fine-tuned", "--workspace", root, "--json")


def test_a_bench_takes_the_search_of_a_workspace_and_looks_vectors_up(house: Path, tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    lines(tmp_path / "corpus.jsonl", [{"_id": name, "text": f"{name} is a ship of the line"} for name in SHIPS])
    lines(tmp_path / "queries.jsonl", [{"_id": name, "text": f"what is {name}"} for name in SHIPS])
    rows = "".join(f"{name}\t{name}\t1\n" for name in SHIPS)
    (tmp_path / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}", encoding="utf-8")
    (computed,) = as_json("bench", "retrieval", tmp_path, "--workspace", house, "--tokens", "32", "--json")
    (looked_up,) = as_json("bench", "retrieval", tmp_path, "--workspace", house, "--static", "--json")
    assert computed["embedder"].startswith("tiny-bert")
    assert (computed["chunk_tokens"], looked_up["chunk_tokens"]) == (32, 64)
    assert looked_up["embedder"] != computed["embedder"]


@dataclass(frozen=True)
class Option:
    """An option of a command, by all its names."""

    command: tuple[str, ...]
    names: frozenset[str]


def every_option() -> Iterator[Option]:
    """Yield the options of all commands, but for --help."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), get_command(app))]
    while waiting:
        path, command = waiting.pop()
        waiting += [((*path, name), one) for name, one in getattr(command, "commands", {}).items()]
        for parameter in command.params:
            if parameter.param_type_name == "option" and "--help" not in parameter.opts:
                yield Option(path, frozenset((*parameter.opts, *parameter.secondary_opts)))


def constants(node: ast.AST) -> Iterator[str]:
    """Yield what is passed to a call, or stands in a list, in order: an empty string for what is no constant."""
    for one in node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.List | ast.Tuple) else ():
        inner = one.value if isinstance(one, ast.Starred) else one
        if isinstance(inner, ast.List | ast.Tuple):
            yield from constants(inner)
        else:
            yield inner.value if isinstance(inner, ast.Constant) and isinstance(inner.value, str) else ""


def passed_options(commands: frozenset[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each option that a test passes, with its command: both are constants of one call or list."""
    for file in Path(__file__).parents[1].rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            words = list(constants(node))
            while words and words[0] in ("", "-m", "weighbridge"):
                words.pop(0)
            paths = [path for path in commands if tuple(words[: len(path)]) == path]
            for word in words if paths else ():
                yield max(paths, key=len), word


def test_every_option_is_passed_by_a_test() -> None:
    """One that no test passes may be ignored by its command, and nobody would know: write a test that fails then."""
    options = list(every_option())
    passed = set(passed_options(frozenset(option.command for option in options)))
    unused = [
        f"{' '.join(option.command)} {max(option.names, key=len)}".strip()
        for option in options
        if not any((option.command, name) in passed for name in option.names)
    ]
    assert unused == []
