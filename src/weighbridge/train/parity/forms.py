"""Every form that a tuned model is offered in, compared with its adapter: `parity.py` has the rules.

The adapter on the float32 base model is the reference. Compared are the GGUF that is served, the same behind HTTP,
GGUFs in the other quantisations, the merged model in PyTorch, and, where llama.cpp can add the adapter while it runs,
the base model's GGUF with the adapter as a GGUF. Files besides the served one are written for the comparison only.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from weighbridge.adapters import Parity
from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.protocols import Notify, silent
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.data.tokens import prompt_tokens
from weighbridge.train.export.gguf import Quantisation, write_like
from weighbridge.train.export.lora_gguf import ADDED_WHILE_RUNNING, write_lora_like
from weighbridge.train.parity.judge import PROMPTS, Form, asked_form, compare_form, file_form
from weighbridge.train.parity.replies import Prompts, Reply, ask_endpoint, ask_file, ask_network, write_drafts
from weighbridge.train.parity.tolerance import TOLERANCES
from weighbridge.train.runtime.adapter_weights import load_tuned, merged_network, method_of
from weighbridge.train.runtime.base_model import BaseFiles, base_weights, layout, load_tokenizer
from weighbridge.train.runtime.gguf_layout import GgufLayout
from weighbridge.train.runtime.out_of_memory import release
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Progress

_TEMPORARY = ".parity-"
_TASK = "comparing the exported forms"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """The parts that all comparisons share."""

    adapter: Path
    base: BaseFiles
    template: GgufLayout
    prompts: Prompts
    settings: ModelSettings
    folder: Path
    """Where files may be written that last no longer than the comparison."""


def check_forms(
    adapter: Path,
    base: BaseFiles,
    prompts: Prompts,
    *,
    settings: ModelSettings,
    served: Path | None,
    notify: Notify = silent,
) -> tuple[Parity, ...]:
    """Compare every form of a tuned model with its adapter folder, on the first few prompts; the served form first.

    `served` is the model as a GGUF in `settings.quantisation`; None where the base model has no GGUF, and transformers
    serves the adapter: compared are then the adapter as it is exported, and the merged model. A form that cannot be
    made, loaded or asked is not ok, and its reasons say why. No more than one network and one engine are in memory at a
    time.

    Raises:
        TrainingError: there are no prompts to compare on, or the adapter folder is not whole or cannot be merged.
        WorkspaceError: the forms cannot be written beside the served one.
    """
    if not prompts:
        raise TrainingError("the exported model cannot be checked without a prompt; give at least one example")
    asked = tuple(prompts[:PROMPTS])
    if served is None:
        return compare_form(tuple(_forms_of_transformers(adapter, base, asked, settings)), adapter, base, asked)
    for left in served.parent.glob(f"{_TEMPORARY}*"):  # by a comparison that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        with TemporaryDirectory(prefix=_TEMPORARY, dir=served.parent) as folder:
            bench = _Bench(
                adapter=adapter,
                base=base,
                template=layout(base),
                prompts=asked,
                settings=settings,
                folder=Path(folder),
            )
            forms = tuple(_report_forms(_forms(bench, served), bench, notify))
            del bench
    except OSError as error:
        raise WorkspaceError(f"{served.parent}: cannot be written ({error}); free some disk, then run again") from error
    parities = compare_form(forms, adapter, base, asked)
    release()
    notify(Progress(task=_TASK, done=len(forms) + 1, total=len(forms) + 1))
    return parities


def _report_forms(forms: Iterator[Form], bench: _Bench, notify: Notify) -> Iterator[Form]:
    """Yield the forms, and say how far they are."""
    added = method_of(bench.adapter) in ADDED_WHILE_RUNNING
    total = len(TOLERANCES) + len(("endpoint", "merged", "the comparison")) + added
    notify(Progress(task=_TASK, done=0, total=total))
    for number, form in enumerate(forms, 1):
        notify(Progress(task=_TASK, done=number, total=total, note=form.name))
        yield form


def _forms(bench: _Bench, served: Path) -> Iterator[Form]:
    own = bench.settings.quantisation
    first = file_form(bench.template, served, bench.prompts, settings=bench.settings)
    yield first
    endpoint = partial(ask_endpoint, served, bench.prompts, settings=bench.settings)
    yield asked_form(f"endpoint {own}", TOLERANCES[own], endpoint)
    yield from _merged_forms(bench, first)
    release()
    if method_of(bench.adapter) in ADDED_WHILE_RUNNING:
        yield asked_form("adapter F16", TOLERANCES["F16"], partial(_beside_the_base, bench))
        release()


def _merged_forms(bench: _Bench, first: Form) -> Iterator[Form]:
    """Yield the GGUFs in the other quantisations, and then the merged model they are written from.

    It follows the answers of the most precise file: float32 and float16 choose the same tokens, but for near ties.
    """
    network = merged_network(bench.base, bench.adapter)
    closest = first
    for kind in TOLERANCES:
        if kind != bench.settings.quantisation:
            form = _quantised_form(bench, network.state_dict(), kind)
            closest = form if kind == "F16" and form.replies else closest
            yield form
    drafts = [reply.tokens for reply in closest.replies] or [()] * len(bench.prompts)
    tokenizer = load_tokenizer(bench.base)
    with quiet():
        read_as = [prompt_tokens(tokenizer, messages) for messages in bench.prompts]
        replies = ask_network(network, tokenizer, read_as, drafts)
    yield Form(name="merged", tolerance=TOLERANCES["F16"], replies=replies)


def _forms_of_transformers(adapter: Path, base: BaseFiles, prompts: Prompts, settings: ModelSettings) -> Iterator[Form]:
    """Yield the forms of a model without a GGUF: each answers by itself, word by word, in float32."""
    import torch

    tokenizer = load_tokenizer(base)
    read_as = [prompt_tokens(tokenizer, messages) for messages in prompts]
    tolerance = TOLERANCES["F16"]
    forms = {"merged": partial(merged_network, base, adapter)}
    if method_of(adapter) != "full":
        forms = {"peft": partial(load_tuned, base, adapter, precision=torch.float32), **forms}
    for name, load in forms.items():
        network = load()
        with quiet():
            drafts = write_drafts(network, tokenizer, read_as, maximum_tokens=settings.maximum_tokens)
            replies = ask_network(network, tokenizer, read_as, drafts)
        del network
        release()
        yield Form(name=name, tolerance=tolerance, replies=replies)


def _quantised_form(bench: _Bench, weights: Mapping[str, object], kind: Quantisation) -> Form:
    """Write the merged model in another quantisation, and ask it."""
    target = bench.folder / f"{kind}.gguf"
    write_like(bench.template, weights, target, quantisation=kind)
    try:
        ask = partial(ask_file, target, bench.prompts, settings=bench.settings)
        return asked_form(f"GGUF {kind}", TOLERANCES[kind], ask)
    finally:
        target.unlink()


def _beside_the_base(bench: _Bench) -> tuple[Reply, ...]:
    """Ask the base model's GGUF with the adapter as a GGUF beside it."""
    model, added = bench.folder / "base.gguf", bench.folder / "adapter.gguf"
    write_like(bench.template, base_weights(bench.base), model, quantisation="F16")
    release()
    write_lora_like(bench.adapter, bench.template, added)
    return ask_file(model, bench.prompts, settings=bench.settings, adapter=added)
