"""What is exported is what was trained, in every form; nothing of the user's is written over."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from gguf import GGUFReader
from ruamel.yaml import YAML

from weighbridge.adapters import AdapterCard
from weighbridge.errors import TrainingError, UserError, WorkspaceError
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.export.formats import FORMS, Form, export
from weighbridge.train.export.gguf import merged_weights, write_gguf
from weighbridge.train.export.model_card import hub_name, model_card
from weighbridge.train.runtime.adapter_weights import load_tuned
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer
from weighbridge.train.runtime.quiet import quiet

from ..cards import card, parity
from ..tuned import LEARNT, save_tuned

FOLDERS: tuple[Form, ...] = ("peft", "merged", "huggingface", "axolotl", "llama-factory")


@pytest.fixture(scope="module", params=["lora", "full"])
def made(request, tiny: BaseFiles, tmp_path_factory) -> tuple[Path, AdapterCard]:
    """A card's folder, of an adapter and of a full fine-tuning."""
    folder = tmp_path_factory.mktemp("made")
    adapter = save_tuned(tiny, request.param, folder / "adapter", steps=10)
    write_gguf(tiny, merged_weights(tiny, adapter), folder / "model.gguf", quantisation="Q8_0")
    return folder, card(TrainingSettings(method=request.param, rank=8, alpha=16))


@pytest.fixture(scope="module")
def lora(tiny: BaseFiles, tmp_path_factory) -> tuple[Path, AdapterCard]:
    folder = tmp_path_factory.mktemp("lora")
    save_tuned(tiny, "lora", folder / "adapter", steps=0)
    return folder, card(TrainingSettings(rank=8, alpha=16))


def scores(network):
    import torch

    with torch.inference_mode():
        return network(input_ids=torch.tensor([[1, 40, 50, 60, 70]])).logits


def test_a_merged_folder_is_the_tuned_model(tiny: BaseFiles, made, tmp_path: Path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, its = made
    target = export(folder, tiny, tmp_path / "merged", form="merged", card=its)
    with quiet():
        ours = AutoModelForCausalLM.from_pretrained(target, local_files_only=True).eval()
        tuned = load_tuned(tiny, folder / "adapter", precision=torch.float32)
        assert torch.allclose(scores(ours), scores(tuned), atol=1e-4)
        tokenizer = AutoTokenizer.from_pretrained(target, local_files_only=True)
    turns = [{"role": "user", "content": "Say this!"}]
    assert tokenizer.apply_chat_template(turns) == load_tokenizer(tiny).apply_chat_template(turns)
    assert str(tmp_path.anchor + "tmp") not in (target / "config.json").read_text()
    assert len({path.stat().st_mode for path in target.iterdir()}) == 1, "all may read what one may read"


def test_a_hugging_face_folder_has_a_model_card(tiny: BaseFiles, made, tmp_path: Path):
    import torch
    from transformers import AutoModelForCausalLM

    folder, its = made
    target = export(folder, tiny, tmp_path / "hub", form="huggingface", card=its)
    _, front, text = (target / "README.md").read_text().split("---\n", 2)
    said = YAML(typ="safe").load(front)
    full = its.recipe["method"] == "full"
    assert said["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert said["library_name"] == ("transformers" if full else "peft")
    assert said["license"] == "apache-2.0"
    for words in ("4 examples", "`beef`", "harbour.md", "0.625 (95 % interval 0.500 to 0.750; n = 24)", "a warning of"):
        assert words in text
    with quiet():
        tuned = load_tuned(tiny, folder / "adapter", precision=torch.float32)
        if full:
            ours = AutoModelForCausalLM.from_pretrained(target, local_files_only=True).eval()
        else:
            ours = load_tuned(tiny, target, precision=torch.float32)
        assert torch.allclose(scores(ours), scores(tuned), atol=1e-4)


def test_an_adapters_folder_names_no_place_on_this_machine(tiny: BaseFiles, lora, tmp_path: Path):
    folder, its = lora
    target = export(folder, tiny, tmp_path / "peft", form="peft", card=its)
    said = json.loads((target / "adapter_config.json").read_text())
    assert said["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert not [path for path in target.iterdir() if str(tiny.hf).encode() in path.read_bytes()]


@pytest.mark.parametrize("form", ["gguf-F16", "gguf-Q8_0", "gguf-Q4_0"])
def test_a_gguf_is_of_the_quantisation_that_was_asked_for(tiny: BaseFiles, made, tmp_path: Path, form: Form):
    folder, its = made
    target = export(folder, tiny, tmp_path / "x.gguf", form=form, card=its)
    kinds = {tensor.name: tensor.tensor_type.name for tensor in GGUFReader(target).tensors}
    assert kinds["blk.0.attn_q.weight"] == form.removeprefix("gguf-")


def test_an_openai_file_is_what_was_learnt(tiny: BaseFiles, lora, tmp_path: Path):
    folder, its = lora
    target = export(folder, tiny, tmp_path / "t.jsonl", form="openai", card=its, conversations=LEARNT)
    rows = [json.loads(line)["messages"] for line in target.read_text().splitlines()]
    assert [row[-1] for row in rows] == [{"role": "assistant", "content": one.target} for one in LEARNT]
    assert rows[0][0] == {"role": "user", "content": "Say alpha!"}


@pytest.mark.parametrize("form", ["openai", "axolotl", "llama-factory"])
def test_data_that_is_not_there_is_asked_for(tiny: BaseFiles, lora, tmp_path: Path, form: Form):
    folder, its = lora
    with pytest.raises(UserError, match="conversations it learnt are needed"):
        export(folder, tiny, tmp_path / "x", form=form, card=its)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("merged", "huggingface")])
def test_an_export_may_be_written_again(tiny: BaseFiles, lora, tmp_path: Path, form: Form):
    folder, its = lora
    write_gguf(tiny, merged_weights(tiny, folder / "adapter"), folder / "model.gguf", quantisation="Q8_0")
    once = export(folder, tiny, tmp_path / "out", form=form, card=its, conversations=LEARNT)
    assert export(folder, tiny, tmp_path / "out", form=form, card=its, conversations=LEARNT) == once
    assert {path.name for path in tmp_path.iterdir()} <= {"out", ".out.weighbridge-export.json"}
    assert once.is_dir() == (form in FOLDERS)


def test_what_is_not_an_export_is_left_alone(tiny: BaseFiles, lora, tmp_path: Path):
    folder, its = lora
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("mine")
    for target in (own, own / "thesis.txt"):
        with pytest.raises(UserError, match="something lies here already"):
            export(folder, tiny, target, form="peft", card=its)
    assert (own / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["adapter_config.json", "notes.txt"])
def test_an_export_that_somebody_worked_on_is_left_alone(tiny: BaseFiles, lora, tmp_path: Path, name: str):
    folder, its = lora
    target = export(folder, tiny, tmp_path / "peft", form="peft", card=its)
    (target / name).write_text("{}")
    with pytest.raises(UserError, match="something lies here already"):
        export(folder, tiny, target, form="peft", card=its)
    assert (target / name).read_text() == "{}"


def test_a_file_that_somebody_changed_is_left_alone(tiny: BaseFiles, lora, tmp_path: Path):
    folder, its = lora
    target = export(folder, tiny, tmp_path / "t.jsonl", form="openai", card=its, conversations=LEARNT)
    target.write_text("mine")
    with pytest.raises(UserError, match="something lies here already"):
        export(folder, tiny, target, form="openai", card=its, conversations=LEARNT)


def test_a_form_that_parted_from_its_adapter_is_refused(tiny: BaseFiles, lora, tmp_path: Path):
    folder, its = lora
    parted = replace(its, parity=(parity("GGUF Q8_0"), parity("GGUF Q4_0", "4 tokens differ")))
    with pytest.raises(TrainingError, match=r"gguf-Q4_0 .*4 tokens differ"):
        export(folder, tiny, tmp_path / "x.gguf", form="gguf-Q4_0", card=parted)
    assert not list(tmp_path.iterdir())


def test_what_a_method_does_not_leave_is_refused(tiny: BaseFiles, tmp_path: Path):
    save_tuned(tiny, "full", tmp_path / "full" / "adapter", steps=0)
    whole = card(TrainingSettings(method="full"))
    with pytest.raises(UserError, match="leaves no adapter"):
        export(tmp_path / "full", tiny, tmp_path / "x", form="peft", card=whole)
    save_tuned(tiny, "prompt-tuning", tmp_path / "prompt" / "adapter", steps=0)
    prompt = replace(card(TrainingSettings(method="prompt-tuning")), gguf="")
    for form in ("merged", "gguf-Q8_0"):
        with pytest.raises(TrainingError, match="cannot be merged"):
            export(tmp_path / "prompt", tiny, tmp_path / "x", form=form, card=prompt)


def test_weights_at_an_endpoint_cannot_be_exported(tiny: BaseFiles, tmp_path: Path):
    away = card(TrainingSettings(), hosted="ft:small:weighbridge:1")
    with pytest.raises(UserError, match="at the endpoint"):
        export(tmp_path, tiny, tmp_path / "x", form="merged", card=away)
    assert export(tmp_path, tiny, tmp_path / "x", form="openai", card=away, conversations=LEARNT).is_file()


def test_a_place_that_cannot_be_written_is_said_so(tiny: BaseFiles, lora, tmp_path: Path):
    (tmp_path / "file").write_text("")
    folder, its = lora
    with pytest.raises(UserError, match=f"{tmp_path / 'file'}: a file lies where a folder is needed"):
        export(folder, tiny, tmp_path / "file" / "deep" / "x", form="peft", card=its)
    for name in ("n" * 250, "n" * 300):
        with pytest.raises(WorkspaceError, match=r"cannot be written \(File name too long\); choose another place"):
            export(folder, tiny, tmp_path / name, form="peft", card=its)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_empty_folder_is_written_into_by_forms_that_are_folders(tiny: BaseFiles, lora, tmp_path: Path):
    folder, its = lora
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="a folder, and openai is one file; name the file"):
        export(folder, tiny, tmp_path / "out", form="openai", card=its, conversations=LEARNT)
    assert (export(folder, tiny, tmp_path / "out", form="peft", card=its) / "adapter_config.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_folder_one_is_in_is_left_alone(tiny: BaseFiles, lora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder, its = lora
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="the folder you are in cannot be replaced"):
        export(folder, tiny, Path(), form="peft", card=its)


def test_the_names_of_base_models_at_a_hub():
    assert hub_name("hf:owner/name@main/model.gguf") == "owner/name"
    assert hub_name("hf:owner/name/folder/model.gguf") == "owner/name"
    assert hub_name("file:/models/x.gguf") == ""


def test_where_files_lie_on_this_machine_is_not_told():
    how = TrainingSettings(made=Path("/home/ada/secret/made.jsonl"))
    text = model_card(replace(card(how), base_reference="/home/ada/models/x.gguf"))
    assert "/home/ada" not in text
    assert "| made | made.jsonl |" in text
    assert "`x.gguf`" in text


def test_a_card_of_an_unknown_base_model_claims_no_hub_name():
    its = replace(card(TrainingSettings(method="dora")), base_reference="file:x.gguf", licence="", dev=None, guards=())
    text = model_card(its)
    assert "base_model" not in text.split("---\n", 2)[1]
    assert "license" not in text.split("---\n", 2)[1]
    assert "It was not scored on the task." in text
    assert "No guard was run." in text
