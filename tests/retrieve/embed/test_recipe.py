"""Embedders and rerankers of several architectures, against sentence-transformers on the same random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.embed.local import open_embedder, runs_in_int8
from weighbridge.retrieve.embed.recipe import read_maximum_tokens, read_recipe
from weighbridge.retrieve.search.rerank import open_cross_encoder

TEXTS = ["The harbour opens at six.", "", "boats are blue and ferries are slow " * 9, "Fähren fahren um 17:05 Uhr"]
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
KINDS = ("bert", "xlm-roberta", "modernbert")


def make_tokenizer(folder: Path, marks: tuple[str, str, str, str]) -> int:
    """Write a tokenizer of letters: beginning, padding, end and unknown first, as XLM-R has them. Return its size."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    first, padding, last, unknown = marks
    letters = [chr(code) for code in range(33, 127)] + ["ä", "\N{LOWER ONE EIGHTH BLOCK}"]
    vocabulary = {token: number for number, token in enumerate([*marks, *letters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Split("", "isolated")]
    )
    ends = [(first, vocabulary[first]), (last, vocabulary[last])]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B {last}", special_tokens=ends
    )
    names = {"bos_token": first, "cls_token": first, "pad_token": padding, "eos_token": last, "sep_token": last}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=unknown, model_max_length=128, **names)
    wrapped.model_input_names = ["input_ids", "attention_mask"]
    wrapped.save_pretrained(folder)
    return len(vocabulary)


def make_encoder(folder: Path, kind: str, *, classifies: bool = False) -> Path:
    """Write a model with random weights that are large enough for its vectors to differ."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

    folder.mkdir()
    marks = ("[CLS]", "[PAD]", "[SEP]", "[UNK]") if kind != "xlm-roberta" else ("<s>", "<pad>", "</s>", "<unk>")
    size = make_tokenizer(folder, marks)
    ids = {"bos_token_id": 0, "cls_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "sep_token_id": 2}
    room = 130 if kind == "xlm-roberta" else 128
    settings = AutoConfig.for_model(
        kind, vocab_size=size, max_position_embeddings=room, num_labels=1, initializer_range=0.2, **SHAPE, **ids
    )
    torch.manual_seed(7)
    auto: Any = AutoModelForSequenceClassification if classifies else AutoModel
    auto.from_config(settings).save_pretrained(folder)
    return folder


def add_recipe(folder: Path, pooling: str, prompts: dict[str, str] | None = None) -> Path:
    """Have sentence-transformers write its own files beside the encoder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    encoder = Transformer(str(folder), max_seq_length=64, model_kwargs={"dtype": "float32"})
    model = SentenceTransformer(modules=[encoder, Pooling(SHAPE["hidden_size"], pooling), Normalize()], prompts=prompts)
    target = folder.with_name(f"{folder.name}-{pooling}")
    model.save(str(target), create_model_card=False)
    return target


@pytest.fixture(scope="module", params=KINDS)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("encoders") / request.param, request.param)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_are_those_of_sentence_transformers(encoder: Path, pooling: str) -> None:
    from sentence_transformers import SentenceTransformer

    folder = add_recipe(encoder, pooling, {"query": "query: ", "document": "passage: "})
    library = SentenceTransformer(str(folder), model_kwargs={"dtype": "float32"})
    ours = open_embedder(folder, precision="float32", threads=1)
    assert runs_in_int8(folder) == (encoder.name != "modernbert")
    np.testing.assert_allclose(ours.embed(TEXTS, kind="query"), library.encode_query(TEXTS), atol=1e-4)
    documents = library.encode_document(TEXTS)
    np.testing.assert_allclose(ours.embed(TEXTS, kind="document"), documents, atol=1e-4)
    assert np.abs(ours.embed(TEXTS, kind="query") - documents).max() > 1e-3
    assert [len(rows) for rows in ours.token_vectors(TEXTS[:2], kind="document")] == [21, 0]


def test_scores_are_those_of_sentence_transformers(encoder: Path, tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    folder = make_encoder(tmp_path / encoder.name, encoder.name, classifies=True)
    library = CrossEncoder(str(folder), activation_fn=torch.nn.Identity(), model_kwargs={"dtype": "float32"})
    ours = open_cross_encoder(folder).scores(TEXTS[3], TEXTS[:2])
    np.testing.assert_allclose(ours, library.predict([(TEXTS[3], text) for text in TEXTS[:2]]), atol=1e-4)
    assert open_cross_encoder(folder).scores(TEXTS[3], [TEXTS[2] * 9]).shape == (1,)


def test_the_longest_text_is_as_the_files_say(encoder: Path) -> None:
    assert read_maximum_tokens(encoder) == 128


@pytest.fixture
def folder(tiny_bert: Path, tmp_path: Path) -> Callable[[dict[str, object]], Path]:
    """Gives a folder of settings alone, with the files that a test wants in it."""

    def make(files: dict[str, object]) -> Path:
        (tmp_path / "1_Pooling").mkdir()
        for name, content in {"config.json": {"max_position_embeddings": 128}, **files}.items():
            (tmp_path / name).write_text(json.dumps(content))
        return tmp_path

    return make


def test_a_step_that_is_not_run_here_is_refused(folder: Callable[[dict[str, object]], Path]) -> None:
    steps = [{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Dense"}]
    with pytest.raises(WorkspaceError, match=r"modules.json: this embedder has a step Dense, and only Normalize"):
        read_recipe(folder({"modules.json": steps}))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"pooling_mode": "lasttoken"}, "lasttoken"),
        ({"pooling_mode": ["mean", "cls"]}, "mean and cls"),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}, "mean and pooling_mode_max_tokens"),
    ],
)
def test_another_pooling_is_refused(
    folder: Callable[[dict[str, object]], Path], settings: dict[str, object], named: str
) -> None:
    with pytest.raises(WorkspaceError, match=f"this embedder pools by {named}, and only mean and cls are known here"):
        read_recipe(folder({"1_Pooling/config.json": settings}))


def test_prefixes_of_the_card_come_from_the_catalogue(folder: Callable[[dict[str, object]], Path]) -> None:
    manifest = {"member": "", "files": {}, "publisher": {"repository": "intfloat/e5-small-v2"}}
    old = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    recipe = read_recipe(folder({"manifest.json": manifest, "1_Pooling/config.json": old}))
    assert (recipe.query_prefix, recipe.document_prefix, recipe.pooling) == ("query: ", "passage: ", "mean")


def test_a_model_that_names_no_maximum_is_refused(folder: Callable[[dict[str, object]], Path]) -> None:
    unlimited = {"model_max_length": 10**30}
    with pytest.raises(WorkspaceError, match=r"config.json: does not say how many tokens the model reads"):
        read_maximum_tokens(folder({"config.json": {"model_type": "t5"}, "tokenizer_config.json": unlimited}))
