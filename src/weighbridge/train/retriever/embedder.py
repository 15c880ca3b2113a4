"""The embedder is tuned on this workload's own questions, by sentence-transformers.

The loss is that of in-batch negatives (MultipleNegativesRankingLoss: Henderson and others, 2017) with mined ones beside
them; no batch holds a text twice, so that no question's own text stands against it. Weights are float32. What comes out
is a folder like the base embedder's, and it counts only if our own graph gives the vectors that the library gives.

Does not know: whether another text of the batch answers a question too, where neither evidence nor words say so.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.retrieve.embed.folder import (
    WEIGHTS,
    file_sha256,
    read_settings,
    read_tokenizer,
    replace_surrogates,
)
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.retrieve.embed.recipe import read_recipe
from weighbridge.train.retriever.contrastive import Learner, Lessons, RetrieverRecipe, Tuned, tune_model
from weighbridge.train.retriever.negatives import Contrast

if TYPE_CHECKING:
    from weighbridge.protocols import Vectors

Encode = Callable[[Sequence[str]], "Vectors"]
"""Gives the unit vectors of texts, a row each, by the weights as they are at that moment."""
Judge = Callable[[Encode], float]
"""Says how good an embedder is; higher is better."""

_FORMAT = 1
_SIDE_FILES = frozenset({".json", ".txt", ".model"})
_COMPARED = 32
_LEAST_COSINE = 0.99


def tune_embedder(
    contrasts: Sequence[Contrast],
    base: Path,
    folder: Path,
    *,
    recipe: RetrieverRecipe,
    judge: Judge | None = None,
    notify: Notify = silent,
) -> Tuned:
    """Tune a copy of the embedder in `base` and leave it in `folder`, for `open_embedder` to open.

    `judge` is asked after every epoch and the best one is kept; without it, the last one. The same contrasts, recipe
    and machine give the same weights, also where the training was killed in between; one that is finished is returned
    at once. Checkpoints lie beside `folder` until then.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        TrainingError: the data cannot be used, training fails, or our graph of the result gives other vectors.
        UnfinishedError: the recipe's time limit is over, and epochs are left.
        WorkspaceError: the folder cannot be written, or the base cannot be read.
    """
    key = fingerprint(
        "embedder", _FORMAT, file_sha256(base / WEIGHTS), recipe.without_time_limit, [asdict(one) for one in contrasts]
    )
    learner = Learner(
        name="an embedder",
        open=lambda: _open(base, recipe),
        network=lambda model: model[0].model,
        lessons=lambda model: _lessons(model, contrasts),
        score=(lambda model: judge(partial(_encode, model))) if judge else None,
        write=lambda model, written: _write(model, base, written),
        agreement=lambda model, written: _agreement(written, contrasts, partial(_encode, model), recipe),
        tokens=lambda _: _tokens(base, contrasts),
    )
    return tune_model(learner, folder, key=key, examples=len(contrasts), recipe=recipe, notify=notify)


def _encode(model: Any, texts: Sequence[str]) -> "Vectors":
    found: Vectors = model.encode(list(texts), show_progress_bar=False)
    return found


def _open(base: Path, recipe: RetrieverRecipe) -> Any:
    """Open a folder as what `open_embedder` makes of it, whatever modules it lists: the unit mean of its tokens."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import set_seed

    chosen = read_recipe(base)
    if chosen.query_prefix or chosen.document_prefix:
        raise TrainingError(
            f"{base}: this embedder wants prefixes before questions and passages, and tuning does not put them there; "
            "tune an embedder without prefixes, such as minilm"
        )
    set_seed(recipe.seed)
    words = Transformer(
        str(base),
        max_seq_length=chosen.maximum_tokens,
        model_kwargs={"local_files_only": True, "dtype": "float32"},
    )
    pooling = Pooling(int(read_settings(base / "config.json")["hidden_size"]), chosen.pooling)
    return SentenceTransformer(modules=[words, pooling, Normalize()])


def _lessons(model: Any, contrasts: Sequence[Contrast]) -> Lessons:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    columns = {
        "anchor": [replace_surrogates(one.question) for one in contrasts],
        "positive": [replace_surrogates(one.positive) for one in contrasts],
    }
    for place in range(len(contrasts[0].negatives)):
        columns[f"negative_{place + 1}"] = [replace_surrogates(one.negatives[place]) for one in contrasts]
    return Lessons(
        trainer=SentenceTransformerTrainer,
        arguments=partial(SentenceTransformerTrainingArguments, batch_sampler="no_duplicates"),
        dataset=Dataset.from_dict(columns),
        loss=MultipleNegativesRankingLoss(model),
    )


def _write(model: Any, base: Path, folder: Path) -> None:
    """Write the weights, and what the base embedder's folder holds besides: settings, tokenizer, pooling."""
    from safetensors.torch import save_file

    for file in base.rglob("*"):
        if file.is_file() and file.suffix in _SIDE_FILES:
            target = folder / file.relative_to(base)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    weights = {name: tensor.cpu().contiguous() for name, tensor in model[0].model.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


def _agreement(folder: Path, contrasts: Sequence[Contrast], encode: Encode, recipe: RetrieverRecipe) -> float:
    """Return how near our vectors are to the library's: the lower mean cosine, over questions and over documents."""
    ours = open_embedder(folder, precision=recipe.precision)
    shown = contrasts[:: max(1, len(contrasts) // _COMPARED)][:_COMPARED]
    questions, texts = [one.question for one in shown], [one.positive for one in shown]
    near = {
        "questions": float((ours.embed(questions, kind="query") * encode(questions)).sum(axis=1).mean()),
        "documents": float((ours.embed(texts, kind="document") * encode(texts)).sum(axis=1).mean()),
    }
    worst = min(near, key=lambda name: near[name])
    if not near[worst] > _LEAST_COSINE:
        raise TrainingError(
            f"{folder}: of {worst} the tuned embedder gives other vectors here than where it was trained (cosine "
            f"{near[worst]:.3f} on average, {_LEAST_COSINE} is needed); try retrieval.precision: float32"
        )
    return near[worst]


def _tokens(base: Path, contrasts: Sequence[Contrast]) -> int:
    """Return the tokens of one pass over all texts."""
    tokenizer = read_tokenizer(base)
    tokenizer.enable_truncation(read_recipe(base).maximum_tokens)
    texts = [text for one in contrasts for text in (one.question, one.positive, *one.negatives)]
    return sum(len(found.ids) for found in tokenizer.encode_batch_fast([replace_surrogates(text) for text in texts]))
