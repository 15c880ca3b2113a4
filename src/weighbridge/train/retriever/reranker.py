"""A cross-encoder is trained to tell a question's text from what the search takes for it, by sentence-transformers.

It starts as the encoder of a folder, such as the embedder's own, with a fresh head of one output, and learns by binary
cross entropy on each positive and its mined negatives, the positives weighed as much as all their negatives together.

Does not know: grades of relevance; a text either answers a question or does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.retrieve.embed.folder import WEIGHTS, file_sha256, replace_surrogates
from weighbridge.retrieve.embed.recipe import read_maximum_tokens
from weighbridge.retrieve.search.rerank import open_cross_encoder
from weighbridge.train.retriever.contrastive import Learner, Lessons, RetrieverRecipe, Tuned, tune_model
from weighbridge.train.retriever.negatives import Contrast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Read = Callable[[str, Sequence[str]], "NDArray[np.float64]"]
"""Scores texts for a question, higher being better, by the weights as they are at that moment."""
Judge = Callable[[Read], float]
"""Says how good a reranker is; higher is better."""

_FORMAT = 1
_COMPARED = 16
_MOST_DIFFERENCE = 0.01
"""Logits."""


def tune_reranker(
    contrasts: Sequence[Contrast],
    base: Path,
    folder: Path,
    *,
    recipe: RetrieverRecipe,
    judge: Judge | None = None,
    notify: Notify = silent,
) -> Tuned:
    """Train a cross-encoder that starts as the encoder in `base`, and leave it in `folder` for `open_cross_encoder`.

    `judge` is asked after every epoch and the best one is kept; without it, the last one. The same contrasts, recipe
    and machine give the same weights, also where the training was killed in between; one that is finished is returned
    at once. Checkpoints lie beside `folder` until then.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        TrainingError: the data cannot be used, training fails, or what we open scores otherwise than what was trained.
        UnfinishedError: the recipe's time limit is over, and epochs are left.
        WorkspaceError: the folder cannot be written, or the base cannot be read.
    """
    key = fingerprint(
        "reranker", _FORMAT, file_sha256(base / WEIGHTS), recipe.without_time_limit, [asdict(one) for one in contrasts]
    )
    learner = Learner(
        name="a reranker",
        open=lambda: _open(base, recipe),
        network=lambda model: model.model,
        lessons=lambda model: _lessons(model, contrasts),
        score=(lambda model: judge(partial(_scores, model))) if judge else None,
        write=_write,
        agreement=lambda model, written: _difference(written, contrasts, partial(_scores, model)),
        tokens=lambda model: _tokens(model, contrasts),
    )
    return tune_model(learner, folder, key=key, examples=len(contrasts), recipe=recipe, notify=notify)


def _write(model: Any, folder: Path) -> None:
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)


def _open(base: Path, recipe: RetrieverRecipe) -> Any:
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Transformer
    from transformers import set_seed

    set_seed(recipe.seed)  # the head is drawn
    encoder = Transformer(
        str(base),
        transformer_task="sequence-classification",
        max_seq_length=read_maximum_tokens(base),
        model_kwargs={"local_files_only": True, "dtype": "float32"},
        config_kwargs={"num_labels": 1},
    )
    return CrossEncoder(modules=[encoder])


def _lessons(model: Any, contrasts: Sequence[Contrast]) -> Lessons:
    import torch
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

    rows = [
        (replace_surrogates(one.question), replace_surrogates(text), float(text is one.positive))
        for one in contrasts
        for text in (one.positive, *one.negatives)
    ]
    questions, texts, labels = zip(*rows, strict=True)
    weight = torch.tensor(float(max(len(contrasts[0].negatives), 1)))
    return Lessons(
        trainer=CrossEncoderTrainer,
        arguments=CrossEncoderTrainingArguments,
        dataset=Dataset.from_dict({"question": list(questions), "text": list(texts), "label": list(labels)}),
        loss=BinaryCrossEntropyLoss(model, pos_weight=weight),
    )


def _scores(model: Any, question: str, texts: Sequence[str]) -> "NDArray[np.float64]":
    import torch

    pairs = [(replace_surrogates(question), replace_surrogates(text)) for text in texts]
    found = model.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    scores: NDArray[np.float64] = found.astype("float64")
    return scores


def _difference(folder: Path, contrasts: Sequence[Contrast], read: Read) -> float:
    """Return the largest difference between the scores of what `open_cross_encoder` opens and of what was trained."""
    ours = open_cross_encoder(folder)
    worst = 0.0
    for one in contrasts[:: max(1, len(contrasts) // _COMPARED)][:_COMPARED]:
        texts = (one.positive, *one.negatives)
        worst = max(worst, float(abs(ours.scores(one.question, texts) - read(one.question, texts)).max()))
    if not worst <= _MOST_DIFFERENCE:
        raise TrainingError(
            f"{folder}: the reranker scores otherwise here than where it was trained (by up to {worst:.3f}, "
            f"{_MOST_DIFFERENCE} is allowed); report this as a bug of Weighbridge"
        )
    return worst


def _tokens(model: Any, contrasts: Sequence[Contrast]) -> int:
    """Return the tokens of one pass over all pairs of question and text."""
    pairs = [
        (replace_surrogates(one.question), replace_surrogates(text))
        for one in contrasts
        for text in (one.positive, *one.negatives)
    ]
    return sum(map(len, model.tokenizer(*map(list, zip(*pairs, strict=True)), truncation=True)["input_ids"]))
