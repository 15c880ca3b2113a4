"""What records, indexes and adapters are kept under moves with every field that can change an answer.

Whatever has a fingerprint is found in the sources, and each of its fields is changed in turn (`tests/walk.py`). A class
or a field that somebody adds is picked up by itself, and fails here until it is part of the fingerprint, or stands
among the silent ones with the reason.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

import pytest

from weighbridge.adapters import Span
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.generate.llamacpp import LlamaCpp, open_llamacpp
from weighbridge.generate.openai import open_openai
from weighbridge.generate.transformers import Transformers, open_transformers
from weighbridge.retrieve.embed.local import LocalEmbedder
from weighbridge.retrieve.search.rerank import open_cross_encoder
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.export.lora_gguf import write_lora_gguf
from weighbridge.train.prepare import Material, prepare_exercise
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Chunk, Document, Example, Passage, Question

from ..retrieve.search.test_rerank import make_cross_encoder
from ..tiny_llama import NoModel, one_thread, recipe, tiny, write_tiny_gguf
from ..train.tuned import save_tuned
from ..walk import Case
from .stand_ins import CASES, HISTORY

__all__ = ["one_thread", "recipe", "tiny"]
TESTS = Path(__file__).parents[1]
SOURCES = TESTS.parent / "src" / "weighbridge"
WITH_WEIGHTS = {
    "generate.llamacpp.LlamaCpp",
    "generate.transformers.Transformers",
    "retrieve.embed.endpoint.EndpointEmbedder",
    "retrieve.embed.local.LocalEmbedder",
    "retrieve.search.rerank.CrossEncoder",
    "train.prepare.Exercise",
}
"""Checked by tests of their own, below or beside the others of their part."""
FUNCTIONS = {"measure.run.record_key", "workflow.workload.index_key", "workflow.workload.settings_key"}
"""Return a key themselves."""
HANDED_OVER = {
    "adapters.AdapterCard": "of the exercise it is the card of",
    "adapters.Learnt": "of the exercise's conversations",
    "contracts.strategy.BrokenModel": "a toy that is never kept",
    "contracts.strategy.WordSearch": "a toy that is never kept",
    "protocols.NoDemonstrations": "there is one value of it",
    "protocols.Nothing": "there is one value of it",
    "retrieve.index.sync.IndexCard": "of what the index holds, computed where it is built",
    "scoring.classifier.Classifier": "of the file's bytes",
    "train.runtime.base_model.BaseFiles": "of the file's bytes",
    "train.runtime.checkpoints.CheckpointStore": "of the training whose checkpoints it keeps",
    "train.hosted.plan.HostedPlan": "of the files that are sent",
    "train.retriever.contrastive.Tuned": "of the job that left it",
    "train.preference.rewards.Rewarding": "of the names and grounds of its rules",
    "workflow.measure_paces.SampledPassages": "answers with it are timed and thrown away",
    "workflow.training.retriever_judges._Reading": "of a search that is thrown away after an epoch",
    "workflow.training.retriever._Task": "of the lessons and the recipe",
    "wiring.tuned_retrievers.RetrieverCard": "of the task it is the card of",
}
"""Carry a fingerprint that something else computed."""


def classes_with_a_fingerprint() -> Iterator[str]:
    """Yield, from the sources, the module and name of each class that has, keeps or sets a fingerprint."""
    for path in sorted(SOURCES.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and "Protocol" not in map(ast.unparse, node.bases) and _has(node):
                yield f"{module}.{node.name}"


def _has(node: ast.ClassDef) -> bool:
    own = {ast.unparse(target) for each in ast.walk(node) for target in _named(each)}
    return bool(own & {"fingerprint", "self.fingerprint"})


def _named(node: ast.AST) -> Sequence[ast.expr]:
    match node:
        case ast.FunctionDef(name=name):
            return [ast.Name(name)]
        case ast.AnnAssign(target=target):
            return [target]
        case ast.Assign(targets=targets):
            return targets
    return []


def test_whatever_has_a_fingerprint_is_checked() -> None:
    found = set(classes_with_a_fingerprint())
    known = CASES.keys() | WITH_WEIGHTS | HANDED_OVER.keys()
    assert found - known == set(), "has a fingerprint that no test checks: add it to CASES"
    assert known - found == FUNCTIONS


@pytest.mark.parametrize("name", CASES)
def test_each_field_moves_the_fingerprint(name: str) -> None:
    CASES[name].check()


def test_fingerprints_are_the_same_in_every_process() -> None:
    code = (
        "import sys, json; sys.path[:0] = sys.argv[1:3]; from tests.properties.stand_ins import CASES;"
        "print(json.dumps({name: case.fingerprint() for name, case in CASES.items()}))"
    )
    told = []
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code, str(TESTS.parent), str(TESTS)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        told.append(json.loads(done.stdout))
    assert told == [{name: case.fingerprint() for name, case in CASES.items()}] * 3


SAMPLING = ModelSettings(context=256, maximum_tokens=4, temperature=0.5, base_url="http://127.0.0.1/v1")
LOCAL = {
    "settings.engine": "the class is what it names",
    "settings.reference": "is told by the file's bytes",
    "settings.quantisation": "is told by the file's bytes",
    "settings.base_url": "is for endpoints",
    "settings.key_variable": "is for endpoints",
    "settings.headers[+]": "are for endpoints",
    "settings.parameters[+]": "are for endpoints",
    "settings.server_arguments": "are for vLLM",
    "settings.timeout_seconds": "is for endpoints",
}


def test_a_model_of_llamacpp(tiny: BaseFiles, tmp_path: Path) -> None:
    other = write_tiny_gguf(tmp_path / "other.gguf", seed=1)
    adapters = [
        write_lora_gguf(
            save_tuned(tiny, "lora", tmp_path / f"lora-{steps}", steps=steps), tiny, tmp_path / f"{steps}.gguf"
        )
        for steps in (1, 2)
    ]

    def opened(gguf: str, settings: ModelSettings, name: str, *, adapter: str, workers: int) -> LlamaCpp:
        file = {"base": tiny.source_gguf}.get(gguf, other)
        beside = {"none": None, "one": adapters[0]}.get(adapter, adapters[1])
        with open_llamacpp(file, settings=settings, name=name, adapter=beside, workers=workers) as model:
            return model

    given = {"gguf": "base", "settings": SAMPLING, "name": "m", "adapter": "one", "workers": 1}
    case = Case(make=opened, given=given, silent={**LOCAL, "workers": "each has an engine of its own"})
    case.check()
    assert case.fingerprint(adapter="none") not in {case.fingerprint(), case.fingerprint(adapter="two")}


def test_a_model_of_transformers(tiny: BaseFiles, tiny_llama: Path, tmp_path: Path) -> None:
    adapters = [save_tuned(tiny, "lora", tmp_path / f"lora-{steps}", steps=steps) for steps in (1, 2)]

    def opened(folder: str, settings: ModelSettings, name: str, adapter: str) -> Transformers:
        beside = {"none": None, "one": adapters[0]}.get(adapter, adapters[1])
        return open_transformers(
            tiny.hf if folder == "base" else tiny_llama, settings=settings, name=name, adapter=beside
        )

    given = {"folder": "base", "settings": SAMPLING, "name": "m", "adapter": "none"}
    Case(make=opened, given=given, silent=LOCAL).check()
    assert opened(**{**given, "adapter": "one"}).fingerprint != opened(**{**given, "adapter": "two"}).fingerprint


def test_what_opens_an_endpoint_s_model() -> None:
    given = {
        "settings": ModelSettings(engine="openai", reference="m", base_url="http://127.0.0.1/v1"),
        "environment": {"OPENAI_API_KEY": "k"},
    }
    silent = {
        "settings.engine": "this is what it opens",
        "settings.quantisation": "is the endpoint's own business",
        "settings.context": "is the endpoint's own business",
        "settings.key_variable": "says who pays, not what is answered",
        "settings.timeout_seconds": "what is too slow is an error, never another answer",
        "settings.server_arguments": "are for vLLM",
        "settings.thinking": "is for models that run here",
        "environment": "an address in it moves the fingerprint, as is seen in test_openai.py",
        "option": "words of error messages",
    }

    def opened(settings: ModelSettings, environment: Mapping[str, str], option: str):
        keys = {**environment, settings.key_variable: "k"}
        return open_openai(settings, environment=keys, option=option)

    Case(make=opened, given={**given, "option": ""}, silent=silent).check()


def test_an_embedder(tiny_bert: Path, tmp_path: Path) -> None:
    """Every file of its folder counts: other words, other layers or a shorter text are other vectors."""
    usual = LocalEmbedder(tiny_bert, "e", "float32", 1).fingerprint
    found = {usual, LocalEmbedder(tiny_bert, "e", "bfloat16", 1).fingerprint}
    edits = {
        "model.safetensors": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        "config.json": lambda data: data.replace(b'"num_attention_heads": 2', b'"num_attention_heads": 1'),
        "tokenizer.json": lambda data: data.replace(b'"lowercase":true', b'"lowercase":false').replace(
            b'"lowercase": true', b'"lowercase": false'
        ),
        "sentence_bert_config.json": lambda data: data.replace(b"64", b"65"),
    }
    for name, edit in edits.items():
        folder = copytree(tiny_bert, tmp_path / name)
        data = (folder / name).read_bytes()
        assert edit(data) != data
        (folder / name).write_bytes(edit(data))
        found.add(LocalEmbedder(folder, "e", "float32", 1).fingerprint)
    assert len(found) == 2 + len(edits)
    assert LocalEmbedder(copytree(tiny_bert, tmp_path / "same"), "other", "float32", 2).fingerprint == usual


def test_a_cross_encoder(tmp_path: Path) -> None:
    folder = make_cross_encoder(tmp_path / "one", labels=1)
    usual = open_cross_encoder(folder).fingerprint
    assert open_cross_encoder(copytree(folder, tmp_path / "same")).fingerprint == usual
    (folder / "vocab.txt").write_text("other")
    assert open_cross_encoder(folder).fingerprint != usual


@dataclass(frozen=True)
class Shelf:
    """A retriever that finds the same documents for every question."""

    texts: tuple[str, ...]
    fingerprint: str = "shelf"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        chunks = [Chunk(id=text, document_id=f"d{n}", text=text, start=0, end=1) for n, text in enumerate(self.texts)]
        return [Passage(chunk, 1.0) for chunk in chunks][:limit]


CREW = frozenset({"crew"})
NOT_LEARNT = {
    "strategy.name": "each strategy has a folder of its own",
    "strategy.model": "is the one that is trained: the recipe's base",
    "strategy.retriever.fingerprint": "the passages themselves are told",
    "strategy.retriever.texts[2]": "is not shown",
    "strategy.retriever.texts[-]": "is not shown",
    "strategy.demonstrations.fingerprint": "the examples themselves are told",
    "strategy.demonstrations.example.id": "is not shown",
    "strategy.demonstrations.example.question.groups": "are not shown",
    "strategy.demonstrations.example.answers[1]": "is not shown: the first is",
    "strategy.demonstrations.example.answers[-]": "is not shown: the first is",
    "strategy.demonstrations.example.evidence": "is not shown",
    "strategy.demonstrations.example.family": "is not shown",
    "strategy.demonstrations.example.split": "is not shown",
    "material.examples[0].id": "is not learnt",
    "material.examples[0].answers[1]": "is not learnt: the first is",
    "material.examples[0].answers[-]": "is not learnt: the first is",
    "material.examples[0].family": "is not learnt",
    "material.examples[1].id": "is not learnt",
    "material.examples[1].answers[1]": "is not learnt: the first is",
    "material.examples[1].answers[-]": "is not learnt: the first is",
    "material.examples[1].family": "is not learnt",
    "material.examples[2].evidence": "is neither asked nor accepted",
    "material.examples[2].family": "is neither asked nor accepted",
    "material.documents[0].id": "is not learnt",
    "material.documents[0].title": "is not learnt",
    "material.documents[0].source": "is not learnt",
    "material.documents[0].parts": "are not learnt",
    "material.documents[0].version": "is for the card",
    "material.split": "is for the card",
    "material.spans": "are for the card",
    "material.search": "is for the card: the passages themselves are told",
    "recipe.base.hf": "a path, told by the fingerprint of the bytes",
    "recipe.base.source_gguf": "a path, told by the fingerprint of the bytes",
    "recipe.base.tensors": "a path: how the export is laid out",
    "recipe.base.no_gguf": "is about the export",
    "recipe.reference": "is for the card",
    "recipe.licence": "is for the card",
    "recipe.training.groups[reversed]": "are a set",
    "recipe.training.made": "its examples are told",
    "recipe.training.seconds": "may stop a training, and never decides what is learnt",
    "recipe.training.learning_curve": "is drawn by trainings of its own",
    "recipe.training.preference": "is another training, which goes on from this one",
    "recipe.training.hosted": "is for trainings elsewhere",
    "recipe.model.engine": "the adapter is the same",
    "recipe.model.reference": "is told by the fingerprint of the bytes",
    "recipe.model.quantisation": "the same adapter is rounded again: the card tells to what",
    "recipe.model.temperature": "dev questions are answered greedily",
    "recipe.model.seed": "dev questions are answered greedily",
    "recipe.model.base_url": "is for endpoints",
    "recipe.model.key_variable": "is for endpoints",
    "recipe.model.timeout_seconds": "is for endpoints",
    "recipe.model.headers[+]": "are for endpoints",
    "recipe.model.parameters[+]": "are for endpoints",
    "recipe.model.server_arguments": "are for vLLM",
    "recipe.model.thinking": "is about answers, and training writes none",
    "notify": "is told of progress",
}


@dataclass(frozen=True)
class Shown:
    """Demonstrations that are the same for every question."""

    example: Example
    fingerprint: str = "shown"

    def choose(self, question: Question) -> Sequence[Example]:
        return [self.example]


def test_an_exercise(recipe: Recipe, tmp_path: Path) -> None:
    """Whatever may change the weights that a training leaves, or the checkpoint it chooses, makes it another one."""
    read = Example(id="t", question=Question("Where?"), answers=("Oslo", "in Oslo"), evidence=("d0",), split="train")
    own = Example(
        id="g", question=Question("When?", groups=frozenset({"board"})), answers=("at 9", "nine"), split="train"
    )
    dev = Example(
        id="d", question=Question("Who?", HISTORY, CREW), answers=("Ada", "A."), evidence=("d0",), split="dev"
    )
    shown = Example(id="s", question=Question("Which?"), answers=("this", "that"), split="train")
    raft = Composed(
        name="raft",
        model=NoModel(),
        instructions=instructions_for("answer", reads=True, illustrated=True),
        retriever=Shelf(("It is in Oslo now.", "Nothing of that.", "Nor here.")),
        demonstrations=Shown(shown),
        limit=2,
    )
    how = recipe.training.model_copy(update={"on": "both", "groups": ("crew", "board"), "learning_rate": 0.02})
    model = recipe.model.model_copy(update={"base_url": SAMPLING.base_url})
    hf, _ = (copytree(recipe.base.hf, tmp_path / name) for name in ("hf", "hf-other"))
    material = Material(
        examples=(read, own, dev),
        documents=(Document(id="d0", text="It is in Oslo now.", title="Town", groups=CREW),),
        spans={"g": (Span("d0", 0, 5, "v1"),)},
        search={"weight": "0.5"},
    )
    given = {
        "strategy": raft,
        "material": material,
        "recipe": replace(recipe, base=replace(recipe.base, hf=hf), training=how, model=model),
        "metric": Named("accuracy"),
    }
    Case(make=prepare_exercise, given=given, silent=NOT_LEARNT, distinct=False).check()


@dataclass(frozen=True)
class Named:
    """A metric, which is told apart by its name."""

    name: str
