"""The base model that all strategies share is the one the settings name, also after another one was used."""

from weighbridge.models import file_fingerprint
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.reporter import SILENT


def served(gguf, examples="examples.jsonl", **model):
    settings = Settings(examples=examples, model=ModelSettings(reference=f"file:{gguf}", **model))
    return open_engine(settings, SILENT)


def test_each_base_model_is_served_as_itself(tiny, other_template, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path))
    one, other = served(tiny.source_gguf), served(other_template)
    assert file_fingerprint(one.served) != file_fingerprint(other.served)
    assert served(tiny.source_gguf).served == one.served


def test_each_quantisation_is_its_own_file(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path))
    whole, eight = served(tiny.source_gguf, quantisation="F16"), served(tiny.source_gguf, quantisation="Q8_0")
    assert whole.served != eight.served
    assert (whole.form, eight.form) == ("F16", "Q8_0")


def test_without_tuned_strategies_the_file_runs_as_it_is(tiny):
    settings = Settings(
        examples="examples.jsonl", strategies=("prompt",), model=ModelSettings(reference=f"file:{tiny.source_gguf}")
    )
    engine = open_engine(settings, SILENT)
    assert engine.served == tiny.source_gguf
    assert engine.form == "quantised as in its file"
