"""A cross-encoder is trained to tell a question's text from what the search takes for it, by sentence-transformers.

It starts as the encoder of a folder, such as the embedder's own, with a fresh head of one output, and learns by binary
cross entropy on each positive and its mined negatives, the positives weighed as much as all their negatives together.

Does not know: grades of relevance; a text either answers a question or does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.retrieve.embed.folder import WEIGHTS, digest, encodable, read_longest
from weighbridge.retrieve.search.rerank import open_cross_encoder
from weighbridge.train.retriever.checkpoints import (
    RetrieverRecipe,
    Tuned,
    Watched,
    arguments,
    read_tuned,
    replacing,
    require_library,
    run,
    summary,
    watching,
    without_widgets,
    write_tuned,
)
from weighbridge.train.retriever.negatives import Contrast
from weighbridge.train.runtime.out_of_memory import guarded
from weighbridge.train.runtime.time_limit import TimeLimit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Read = Callable[[str, Sequence[str]], "NDArray[np.float64]"]
"""Scores texts for a question, higher being better, by the weights as they are at that moment."""
Judge = Callable[[Read], float]
"""Says how good a reranker is; higher is better."""

Told = Callable[[Any], Any]
"""Makes of a trainer's class one that tells how far it is."""

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
    key = fingerprint("reranker", _FORMAT, digest(base / WEIGHTS), recipe.lasting, [asdict(one) for one in contrasts])
    if tuned := read_tuned(folder, key):
        return tuned
    if len(contrasts) <= 1:
        raise TrainingError(f"{len(contrasts)} pairs are too few to train a reranker on; add examples with doc_ids")
    require_library()
    watched = Watched(folder.with_name(f"{folder.name}.training"), key, TimeLimit(recipe.seconds), notify)
    with guarded(folder):
        return _tuned(contrasts, base, folder, recipe, watched, judge)


def _tuned(
    contrasts: Sequence[Contrast],
    base: Path,
    folder: Path,
    recipe: RetrieverRecipe,
    watched: Watched,
    judge: Judge | None,
) -> Tuned:
    model = _opened(base, recipe)

    def read(question: str, texts: Sequence[str]) -> "NDArray[np.float64]":
        return _scores(model, question, texts)

    def weights() -> Mapping[str, Any]:
        kept: Mapping[str, Any] = model.state_dict()
        return kept

    score = (lambda: judge(read)) if judge else None
    trainer = _trainer(model, contrasts, watched.folder, recipe, lambda kind: watching(kind, watched, score, weights))
    run(trainer, watched)
    model.load_state_dict(watched.best_weights())
    with replacing(folder) as written:
        model.model.save_pretrained(written)
        model.tokenizer.save_pretrained(written)
        difference = _difference(written, contrasts, read)
        training = summary(trainer, watched, examples=len(contrasts), tokens=_tokens(model, contrasts))
        tuned = Tuned(fingerprint=watched.key, training=training, agreement=difference)
        write_tuned(tuned, written)
    watched.close()
    return tuned


def _opened(base: Path, recipe: RetrieverRecipe) -> Any:
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Transformer
    from transformers import set_seed

    set_seed(recipe.seed)  # the head is drawn
    encoder = Transformer(
        str(base),
        transformer_task="sequence-classification",
        max_seq_length=read_longest(base),
        model_kwargs={"local_files_only": True, "dtype": "float32"},
        config_kwargs={"num_labels": 1},
    )
    return without_widgets(CrossEncoder(modules=[encoder]))


def _trainer(model: Any, contrasts: Sequence[Contrast], folder: Path, recipe: RetrieverRecipe, told: Told) -> Any:
    import torch
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

    rows = [
        (encodable(one.question), encodable(text), float(text is one.positive))
        for one in contrasts
        for text in (one.positive, *one.negatives)
    ]
    questions, texts, labels = zip(*rows, strict=True)
    dataset = Dataset.from_dict({"question": list(questions), "text": list(texts), "label": list(labels)})
    weight = torch.tensor(float(max(len(contrasts[0].negatives), 1)))
    args = arguments(CrossEncoderTrainingArguments, folder, recipe)
    loss = BinaryCrossEntropyLoss(model, pos_weight=weight)
    return told(CrossEncoderTrainer)(model=model, args=args, train_dataset=dataset, loss=loss)


def _scores(model: Any, question: str, texts: Sequence[str]) -> "NDArray[np.float64]":
    import torch

    pairs = [(encodable(question), encodable(text)) for text in texts]
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
    pairs = [(encodable(one.question), encodable(text)) for one in contrasts for text in (one.positive, *one.negatives)]
    return sum(map(len, model.tokenizer(*map(list, zip(*pairs, strict=True)), truncation=True)["input_ids"]))
