"""The workload: the documents and examples of the user, read, checked and split."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from weighbridge.adapters import Span
from weighbridge.answer.build import shape_of
from weighbridge.dataset.evidence import resolve_evidence
from weighbridge.dataset.examples import infer_task, load_examples
from weighbridge.dataset.split import split_examples
from weighbridge.dataset.synthesise.made_file import mix_into_train, read_source_texts, read_synthetic
from weighbridge.dataset.synthesise.nouns import describe_attrition
from weighbridge.errors import DataError, SettingsError
from weighbridge.evaluate.metrics.form import checked_schema
from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.chunk import document_version
from weighbridge.protocols import Embedder
from weighbridge.results import AppliedCap, SplitReport
from weighbridge.retrieve.embed.recipe import read_maximum_tokens
from weighbridge.settings.schema import Settings
from weighbridge.types import Document, Example, Split, Task
from weighbridge.wiring.documents import COMPARED_DOCUMENTS, read_sources
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.sequences import Joined
from weighbridge.workspace import Workspace, load_json, write_json

_FRAME = 2
"""The tokens that an encoder puts before and after a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The part of a workload that the workspace keeps, so that a question can be asked without reading everything."""

    key: str
    """Fingerprint of everything that the split depends on."""
    settings: str
    """Fingerprint of the settings that the outline and the index depend on."""
    task: Task
    choices: tuple[str, ...]
    """The labels of a label task, the keys of a JSON task, in order."""
    sides: Mapping[str, Split]
    """The split of each example, by id."""
    report: SplitReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Documents, split examples, and the kind of their answers."""

    documents: Sequence[Document]
    examples: tuple[Example, ...]
    outline: Outline
    schema: Mapping[str, Any] | None = None
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    """The places in the documents of examples that were made from them, by the id of the example."""

    def of(self, split: Split) -> tuple[Example, ...]:
        """Return the examples of one split, in the order they were given."""
        return tuple(example for example in self.examples if example.split == split)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of a label task; none for other tasks."""
        return self.outline.choices if self.outline.task == "label" else ()

    @property
    def given_examples(self) -> tuple[Example, ...]:
        """The examples that people gave, without those made from documents."""
        return tuple(example for example in self.examples if example.id not in self.spans)


def open_workload(settings: Settings, workspace: Workspace, embedder: Embedder, reporter: Reporter) -> Workload:
    """Read, check and split the documents and examples of the settings.

    Raises:
        UserError: a file is missing or unusable, an example names unknown evidence, or there are too few examples.
    """
    documents = read_sources(settings, workspace, reporter) if settings.sources else Joined(())
    readers = [arm for arm in settings.arms if shape_of(arm).reads]
    if readers and not documents:
        raise SettingsError(
            f"{workspace.settings_file}: {' and '.join(readers)} read documents and there are none; "
            "set documents: to a folder or JSONL file, or leave these out of strategies:"
        )
    if settings.examples is None:
        raise SettingsError(
            f"{workspace.settings_file}: there are no examples to weigh strategies on; "
            "set examples: to a JSONL or CSV file"
        )
    file = load_examples(settings.examples)
    for line in file.lines():
        reporter.say(line)
    examples = resolve_evidence(file.examples, documents, documents.dropped)
    task = _task(settings, examples, reporter)
    schema = _schema(settings)
    key = _split_key(settings, examples, embedder)
    examples, report = _split(settings, workspace, examples, embedder, key)
    reporter.say(split_sentence(report))
    outline = Outline(
        key=key,
        settings=settings_key(settings),
        task=task,
        choices=answer_choices(task, examples, schema),
        sides={example.id: example.split for example in examples},
        report=report,
    )
    _check_split(settings, workspace, report)
    workload = Workload(documents=documents, examples=examples, outline=outline, schema=schema)
    made = settings.training.made
    return _with_made(made, workload, settings, embedder, reporter) if made else workload


def _with_made(path: Path, workload: Workload, settings: Settings, embedder: Embedder, reporter: Reporter) -> Workload:
    """Add the examples that were made from public documents, except those close to a dev or test example."""
    made = read_synthetic(path)
    joining = mix_into_train(
        workload.examples,
        made,
        embed=lambda texts: embedder.embed(list(texts), kind="query"),
        threshold=settings.splits.similarity,
        texts=read_source_texts(_public(workload.documents), made),
    )
    for line in describe_attrition(joining.attrition):
        reporter.say(line)
    named = {span.document_id for one in joining.made for span in one.spans}
    tokens = settings.chunks.tokens
    now = {one.id: document_version(one, tokens=tokens) for one in _public(workload.documents) if one.id in named}
    spans = {one.id: tuple(replace(span, version=now[span.document_id]) for span in one.spans) for one in joining.made}
    return replace(workload, examples=joining.examples, spans=spans)


def _public(documents: Iterable[Document]) -> Iterator[Document]:
    return (document for document in documents if not document.groups)


def keep_outline(workload: Workload, workspace: Workspace) -> None:
    """Write the outline into the workspace. Call it last: an outline promises that the index is complete too."""
    write_json(workspace.workload, asdict(workload.outline))


def settings_key(settings: Settings) -> str:
    """Return the fingerprint of the settings that an outline and an index depend on."""
    parts = ("examples", "task", "json_schema", "splits")
    return fingerprint("settings", settings.model_dump(mode="json", include=set(parts)), index_key(settings))


def index_key(settings: Settings) -> str:
    """Return the fingerprint of the settings that the content of an index depends on."""
    chosen = settings.model_dump(mode="json", include={"documents", "reading", "chunks"})
    retrieval = settings.retrieval.model_dump(mode="json", include={"embedder", "precision", "static", "store"})
    # Version 2 keeps the likeliest original. It changes the index only if copies are dropped.
    rule = ("originals 2",) if settings.reading.duplicates == "drop" else ()
    endpoint = settings.retrieval.embedder_endpoint
    if settings.retrieval.embedder.startswith("openai:"):
        asked = endpoint.model_dump(include={"query_prefix", "passage_prefix", "dimensions"})
        retrieval["embedder_endpoint"] = {**asked, "base_url": endpoint.base_url or settings.model.base_url}
    return fingerprint("index", {**chosen, "retrieval": retrieval}, *rule)


def read_outline(workspace: Workspace) -> Outline | None:
    """Return the outline of the last run; None without one, or if an earlier version wrote it with other fields."""
    kept = load_json(workspace.workload)
    if not isinstance(kept, dict) or kept.keys() != {field.name for field in fields(Outline)}:
        return None
    return Outline(**{**kept, "choices": tuple(kept["choices"]), "report": SplitReport(**kept["report"])})


def apply_split(examples: Sequence[Example], outline: Outline) -> tuple[Example, ...]:
    """Return the examples with the split of an outline. Examples that it does not know are left out."""
    return tuple(replace(e, split=outline.sides[e.id]) for e in examples if e.id in outline.sides)


def split_sentence(report: SplitReport) -> str:
    """Return a sentence with the sizes of the splits and the result of the leak check."""
    return (
        f"Split by {report.by}: {report.train} train, {report.dev} dev, {report.test} test; "
        f"{report.merged_near_duplicates:,} near-duplicate pairs kept together; "
        f"leak check: {report.leaks} of {report.checked_pairs:,} pairs straddle ({report.thresholds})"
    )


def _task(settings: Settings, examples: Sequence[Example], reporter: Reporter) -> Task:
    if settings.task != "auto":
        reporter.say(f"Task: {settings.task} (set in the settings)")
        return settings.task
    guess = infer_task(examples)
    reporter.say(f"Task: {guess.task} ({guess.why}); set task: in weighbridge.yaml if that is wrong")
    return guess.task


def _schema(settings: Settings) -> Mapping[str, Any] | None:
    if settings.json_schema is None:
        return None
    try:
        schema = json.loads(settings.json_schema.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{settings.json_schema}: cannot be read as JSON ({error}); correct json_schema:") from None
    if not isinstance(schema, dict):
        raise DataError(f"{settings.json_schema}: a JSON Schema is an object; this is {type(schema).__name__}")
    return checked_schema(schema)


def _check_split(settings: Settings, workspace: Workspace, report: SplitReport) -> None:
    learners = [arm for arm in settings.arms if shape_of(arm).tuned or shape_of(arm).shows]
    if report.test and (report.train or not learners):
        return
    missing = "tested" if not report.test else f"learnt by {' and '.join(learners)}"
    raise DataError(
        f"{settings.examples}: the split leaves no example to be {missing} ({report.train} train, {report.dev} dev, "
        f"{report.test} test); add examples, or change splits: in {workspace.settings_file}"
    )


def answer_choices(task: Task, examples: Sequence[Example], schema: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the labels of a label task, or the keys of a JSON task in order; none for other tasks."""
    answers = [answer for example in examples for answer in example.answers[:1]]
    if task == "label":
        return tuple(sorted(set(answers)))
    if task == "answer":
        return ()
    if schema and schema.get("properties"):
        return tuple(schema["properties"])
    keys = [tuple(value) for value in map(_object, answers) if value]
    return Counter(keys).most_common(1)[0][0] if keys else ()


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _split_key(settings: Settings, examples: Sequence[Example], embedder: Embedder) -> str:
    rows: list[Any] = []
    for e in examples:
        turns = [e.question.text, *(f"{turn.role}: {turn.content}" for turn in e.question.history)]
        rows.append([e.id, turns, e.answers, e.evidence, e.family, sorted(e.question.groups)])
    return fingerprint("split 2", rows, settings.splits.model_dump(), embedder.fingerprint)


def _split(
    settings: Settings, workspace: Workspace, examples: Sequence[Example], embedder: Embedder, key: str
) -> tuple[tuple[Example, ...], SplitReport]:
    """Split the examples, or reuse the split of the last run if nothing that it depends on has changed."""
    kept = read_outline(workspace)
    if kept and kept.key == key:
        return apply_split(examples, kept), kept.report
    splits = split_examples(
        examples, settings=settings.splits, embed=lambda texts: embedder.embed(list(texts), kind="query")
    )
    return splits.examples, splits.report


def applied_caps(
    settings: Settings, examples: Sequence[Example], *, documents: int, embedder: Path | None
) -> tuple[AppliedCap, ...]:
    """Return the caps that leave something out, given the split examples and the folder of the embedder."""
    return tuple(cap for cap in _caps(settings, examples, documents, embedder) if cap.used < cap.available)


def _caps(
    settings: Settings, examples: Sequence[Example], documents: int, embedder: Path | None
) -> Iterator[AppliedCap]:
    training, measure = settings.training, settings.measure
    sides = [example.split for example in examples]
    yield _cap("test questions are asked", measure.questions, sides.count("test"), "measure.questions")
    if any(shape_of(arm).tuned for arm in settings.arms):
        allowed = [one.split for one in examples if one.question.groups <= training.learnable_groups]
        most = training.maximum_examples
        yield _cap("training examples are learnt", most, allowed.count("train"), "training.maximum_examples")
        dev = training.dev_examples
        yield _cap("dev examples choose the checkpoint", dev, allowed.count("dev"), "training.dev_examples")
    if documents and embedder:  # an endpoint refuses what is too long for it
        read = read_maximum_tokens(embedder) - _FRAME
        wanted = settings.chunks.tokens
        yield AppliedCap(
            what="tokens of the longest chunk are read by the embedder",
            used=min(wanted, read),
            available=wanted,
            remedy=f"set chunks.tokens to {read}, or choose an embedder that reads more",
        )
    if documents > COMPARED_DOCUMENTS:
        yield AppliedCap(
            what="documents are compared for contradictions",
            used=0,
            available=documents,
            remedy=f"more than {COMPARED_DOCUMENTS:,} take too long; index a part of them to compare that",
        )


def _cap(what: str, most: int, available: int, setting: str) -> AppliedCap:
    return AppliedCap(
        what=what,
        used=min(most, available),
        available=available,
        remedy=f"set {setting} to {available} for all of them",
    )
