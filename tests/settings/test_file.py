from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from weighbridge.errors import SettingsError
from weighbridge.settings.file import load_settings, setting_paths, starter
from weighbridge.settings.schema import Settings
from weighbridge.settings.sources import RestSource, SqlSource

SOURCE = "documents must be a path, a group of keys that begins with sql, rest or objects, or a list of these"
URLS = "sqlite:///shop.db or postgresql://user:${DB_PASSWORD}@host/shop"
SQL_KEYS = "sql, query, id, title, groups, related, name, maximum_documents"
SHOP = "sql: 'sqlite:///shop.db', query: select 1, id: id"
SECRETS = (
    "an address is stored and shown, so it must be free of secrets: put the key into an environment variable, "
    "OPENAI_API_KEY or the one that model.key_variable names"
)
BOTH = "give both (0 where it is free), or neither"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "weighbridge.yaml"


def problem(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    return str(caught.value).replace(f"{file}", file.name)


def meanings(section: type[BaseModel]) -> Iterator[str]:
    """Yield the docstring of every setting, and of every group of settings that of its class."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from (field.annotation.__doc__ or name, *meanings(field.annotation))
        else:
            yield field.description or name


def test_the_starter_loads_as_exactly_the_defaults(file: Path) -> None:
    file.write_text(
        starter(Settings(name="harbour", documents=Path("documents"), examples=Path("examples.jsonl"), task="answer"))
    )
    expected = Settings(
        name="harbour", documents=file.parent / "documents", examples=file.parent / "examples.jsonl", task="answer"
    )
    assert load_settings(file) == expected


def test_the_starter_without_documents(file: Path) -> None:
    file.write_text(starter(Settings(name="", documents=None, examples=Path("../data/a b.csv"), task="label")))
    settings = load_settings(file)
    assert (settings.documents, settings.examples, settings.task) == (None, file.parent / "../data/a b.csv", "label")


def test_the_starter_shows_and_explains_every_setting_once_the_important_ones_first() -> None:
    text = starter(Settings(name="harbour", documents=Path("documents"), examples=Path("examples.jsonl"), task="json"))
    known = list(setting_paths(Settings))
    keys = [line.split(":")[0] for line in text.splitlines() if ":" in line and not line.lstrip().startswith("#")]
    assert sorted(key.strip() for key in keys) == sorted(path.rpartition(".")[2] for path in known)
    assert [key for key in keys if not key.startswith(" ")][:5] == ["name", "documents", "examples", "task", "needs"]
    assert all(meaning in text for meaning in meanings(Settings))
    assert max(map(len, text.splitlines())) <= 120


@given(name=st.text(st.characters(exclude_categories=["Cs"])), folder=st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_name_and_path_survive_the_starter(
    tmp_path_factory: pytest.TempPathFactory, name: str, folder: str
) -> None:
    file = tmp_path_factory.mktemp("starter") / "weighbridge.yaml"
    examples = Path("data", folder.replace("\0", "_"))
    file.write_text(
        starter(Settings(name=name, documents=None, examples=examples, task="answer")), encoding="utf-8", newline=""
    )
    assert load_settings(file).name == name
    assert load_settings(file).examples == file.parent / examples


def test_paths_are_taken_from_the_folder_of_the_file(file: Path) -> None:
    file.write_text("documents: d\nexamples: /tmp/e.jsonl\njson_schema: s/schema.json\n")
    settings = load_settings(file)
    assert settings.documents == file.parent / "d"
    assert settings.examples == Path("/tmp/e.jsonl")  # noqa: S108 - never opened
    assert settings.json_schema == file.parent / "s/schema.json"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("file:models/a.gguf", "file:{folder}/models/a.gguf"),
        ("file:gone.gguf", "file:{folder}/gone.gguf"),
        ("models/a.gguf", "{folder}/models/a.gguf"),
        ("models/", "{folder}/models"),
        ("file:/opt/a.gguf", "file:/opt/a.gguf"),
        ("file:~nobody-here/a.gguf", "file:{folder}/~nobody-here/a.gguf"),
        ("models/gone.gguf", "models/gone.gguf"),
        ("pypi:a==1/b.gguf", "pypi:a==1/b.gguf"),
        ("hf:owner/repo", "hf:owner/repo"),
        ("openai:gpt", "openai:gpt"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_model_references_that_are_paths_are_taken_from_the_folder_of_the_file(
    file: Path, given: str, expected: str
) -> None:
    (file.parent / "models").mkdir()
    (file.parent / "models/a.gguf").touch()
    retrieval = f'{{embedder: "{given}", rerank: "{given}"}}'
    file.write_text(f'examples: e\nmodel: {{reference: "{given}"}}\nretrieval: {retrieval}\n')
    settings = load_settings(file)
    assert settings.model.reference == settings.retrieval.embedder == expected.format(folder=file.parent)
    assert settings.retrieval.rerank == settings.retrieval.embedder


def test_late_interaction_is_no_path(file: Path) -> None:
    (file.parent / "late-interaction").mkdir()
    file.write_text("examples: e\nretrieval: {rerank: late-interaction}\n")
    assert load_settings(file).retrieval.rerank == "late-interaction"


def test_documents_come_from_one_source_or_several(file: Path) -> None:
    file.write_text(
        "examples: e\ndocuments:\n"
        "  - handbook/\n"
        "  - {sql: 'sqlite:///data/shop.db?timeout=3', query: select 1, id: id, related: {reviews: select 2}}\n"
        "  - {rest: 'https://host/api/articles', text: [summary, body], name: news}\n"
    )
    settings = load_settings(file)
    folder, shop, news = settings.sources
    assert folder == file.parent / "handbook"
    assert isinstance(shop, SqlSource)
    assert (shop.sql, shop.label) == (f"sqlite:///{file.parent}/data/shop.db?timeout=3", "shop")
    assert isinstance(news, RestSource)
    assert (news.text, news.label) == (("summary", "body"), "news")
    assert settings.documents == settings.sources


def test_a_single_source_and_none(file: Path) -> None:
    file.write_text(f"examples: e\ndocuments: {{{SHOP}}}\n")
    settings = load_settings(file)
    assert settings.sources == (settings.documents,)
    assert isinstance(settings.documents, SqlSource)
    assert Settings(examples=Path("e")).sources == ()
    assert Settings(examples=Path("e"), documents=Path("d")).sources == (Path("d"),)
    file.write_text("examples: e\ndocuments: []\n")
    assert load_settings(file).sources == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sqlite:///shop.db", "sqlite:///{folder}/shop.db"),
        ("sqlite+pysqlite:///../shop.db", "sqlite+pysqlite:///{folder}/../shop.db"),
        ("sqlite:////srv/shop.db", "sqlite:////srv/shop.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///file:shop.db?mode=ro&uri=true", "sqlite:///file:shop.db?mode=ro&uri=true"),
        ("sqlite:///${FOLDER}/shop.db", "sqlite:///${FOLDER}/shop.db"),
        ("sqlite://", "sqlite://"),
        ("postgresql://me:${PASSWORD}@host/shop", "postgresql://me:${PASSWORD}@host/shop"),
        ("${DATABASE_URL}", "${DATABASE_URL}"),
    ],
)
def test_a_database_that_is_a_file_is_taken_from_the_folder_of_the_settings(
    file: Path, given: str, expected: str
) -> None:
    file.write_text(f'examples: e\ndocuments: {{sql: "{given}", query: select 1, id: id}}\n')
    (source,) = load_settings(file).sources
    assert isinstance(source, SqlSource)
    assert source.sql == expected.replace("{folder}", str(file.parent))
    assert given not in repr(source)


def test_the_how_to_tells_every_key_of_a_source() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/sources.md").read_text(encoding="utf-8")
    for key in (*SqlSource.model_fields, *RestSource.model_fields):
        assert f"`{key}`" in page, key


def test_an_endpoint_needs_no_address_and_has_no_price(file: Path) -> None:
    (file.parent / "some-model").mkdir()
    file.write_text("examples: e\nmodel: {engine: openai, reference: some-model}\n")
    settings = load_settings(file)
    assert (settings.model.base_url, settings.model.reference) == ("", "some-model")
    assert (settings.prices.input_per_million, settings.prices.output_per_million) == (None, None)


def test_shares_that_make_up_the_whole_leave_nothing_for_training(file: Path) -> None:
    file.write_text("examples: e\nsplits: {dev: 0.3, test: 0.7}\n")
    assert load_settings(file).splits.test == 0.7


def test_all_that_does_not_go_together_is_told_in_the_order_of_the_file(file: Path) -> None:
    told = problem(file, "prices: {input_per_million: 1}\nsplits: {dev: 1}\nexamples: e\n")
    assert [line.split(" ")[0] for line in told.splitlines()] == [f"weighbridge.yaml:{n}:" for n in (1, 2)]


def test_what_is_left_empty_has_its_default(file: Path) -> None:
    file.write_text("examples: e\nmodel:\nneeds:\n  limits:\n  months:\n")
    assert load_settings(file) == Settings(examples=file.parent / "e")


def test_a_date_needs_no_quotes_and_a_byte_order_mark_does_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfexamples: e\nprices:\n  dated: 2027-01-31\n")
    assert load_settings(file).prices.dated == "2027-01-31"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("examples: e\nretriever: x\n", "weighbridge.yaml:2: unknown key 'retriever'; did you mean 'retrieval'?"),
        (
            "examples: e\n\nretrieval:\n  # five\n  limt: 5\n",
            "weighbridge.yaml:5: unknown key 'limt' under retrieval; did you mean 'limit'?",
        ),
        (
            "examples: e\nneeds:\n  limits:\n    max_p95_seconds: 5\n",
            "weighbridge.yaml:4: unknown key 'max_p95_seconds' under needs.limits; did you mean 'maximum_p95_seconds'?",
        ),
        ("examples: e\nrank: 5\n", "weighbridge.yaml:2: unknown key 'rank'; did you mean 'training.rank'?"),
        ("examples: e\nchunks: {xyz: 1}\n", "weighbridge.yaml:2: unknown key 'xyz' under chunks; known here: tokens"),
        (
            "examples: e\nchunks:\n  tokens: many\n",
            "weighbridge.yaml:3: chunks.tokens must be a whole number, not 'many'",
        ),
        (
            "examples: e\nchunks:\n  tokens: true\n",
            "weighbridge.yaml:3: chunks.tokens must be a whole number, not 'true'",
        ),
        ("examples: e\nchunks:\n  tokens: 0\n", "weighbridge.yaml:3: chunks.tokens must be at least 1, not '0'"),
        ("examples: e\nsplits:\n  dev: 2\n", "weighbridge.yaml:3: splits.dev must be at most 1, not '2'"),
        ("examples: e\nname: 7\n", "weighbridge.yaml:2: name must be a text (put it in quotes), not '7'"),
        (
            "examples: e\nmodel: [llamacpp]\n",
            "weighbridge.yaml:2: model must be a group of keys, indented below it, not '[\"llamacpp\"]'",
        ),
        (
            "examples: e\ntask: lable\n",
            "weighbridge.yaml:2: task: 'lable' is not one of auto, answer, label, json; did you mean 'label'?",
        ),
        (
            "examples: e\nstrategies:\n  - rag\n  - xx\n",
            "weighbridge.yaml:4: strategies: 'xx' is not one of prompt, few-shot, rag, fine-tuned, raft",
        ),
        (
            "examples: e\nstrategies: [rag, rag]\n",
            "weighbridge.yaml:2: strategies: name at least one strategy, and each only once",
        ),
        (
            "examples: e\nsplits:\n  dev: 0.7\n",
            "weighbridge.yaml:3: splits.dev (0.7) and splits.test (0.4) add up to 1.1, more than the whole",
        ),
        (
            "examples: e\nsplits:\n  seed: 1\n  test: 0.95\n",
            "weighbridge.yaml:4: splits.dev (0.1) and splits.test (0.95) add up to 1.05, more than the whole",
        ),
        (
            "examples: e\ntraining:\n  method: prompt-tuning\n",
            (
                "weighbridge.yaml:3: training.method: prompt-tuning leaves no weights that llama.cpp can run; set "
                "model.engine: transformers, or another method"
            ),
        ),
        (
            "examples: e\nmodel: {engine: openai, reference: m}\ntraining:\n  groups: [board]\n",
            (
                "weighbridge.yaml:4: training.groups allows learning from restricted documents, and an endpoint gets "
                "public ones alone; leave it out, or train here (model.engine: llamacpp)"
            ),
        ),
        (
            "examples: e\nmodel:\n  engine: transformers\ntraining:\n  method: prompt-tuning\n  layers: 8\n",
            (
                "weighbridge.yaml:6: training.layers cannot be used with training.method: prompt-tuning, which learns "
                "below all blocks; leave it out, or choose another method"
            ),
        ),
        (
            "examples: e\ntraining:\n  method: full\n  preference:\n    method: dpo\n",
            (
                "weighbridge.yaml:4: training.preference.method: dpo continues a LoRA adapter, and training.method "
                "is full; set that to lora, rslora, dora or qlora, or this to none"
            ),
        ),
        ("examples: e\nsplits:\n  test: 0\n", "weighbridge.yaml:3: splits.test must be more than 0, not '0'"),
        (
            "examples: e\nretrieval:\n  store: lance\n",
            (
                "weighbridge.yaml:3: retrieval.store: must be faiss, a URL like "
                "postgresql://user:${DB_PASSWORD}@host/database, or the name of a store that an installed distribution "
                "offers"
            ),
        ),
        (
            "examples: e\nretrieval:\n  store: lancedb\n",
            (
                "weighbridge.yaml:3: retrieval.store: LanceDB was removed, because the default store is faster; use "
                "faiss, or the URL of a PostgreSQL database. weighbridge index then builds the index again from the "
                "documents"
            ),
        ),
        (
            "examples: e\nneeds:\n  priorities: {accuracy: 0, hallucination: 0, latency: 0, cost: 0}\n",
            "weighbridge.yaml:3: needs.priorities are all 0; give at least one of them a weight above 0",
        ),
        (
            "examples: e\nprices:\n  currency: EUR\n  input_per_million: 2\n",
            f"weighbridge.yaml:4: prices.input_per_million is given but prices.output_per_million is not; {BOTH}",
        ),
        (
            "examples: e\nprices:\n  output_per_million: 0\n",
            f"weighbridge.yaml:3: prices.output_per_million is given but prices.input_per_million is not; {BOTH}",
        ),
        ("examples: e\ndocuments: 5\n", f"weighbridge.yaml:2: {SOURCE}, not '5'"),
        ("examples: e\ndocuments:\n  - a\n  - [b]\n", f"weighbridge.yaml:4: {SOURCE}, not '[\"b\"]'"),
        ("examples: e\ndocuments:\n  - a\n  -\n", f"weighbridge.yaml:4: {SOURCE}, not 'null'"),
        ("examples: e\ndocuments: {path: a}\n", f'weighbridge.yaml:2: {SOURCE}, not \'{{"path": "a"}}\''),
        (
            f"examples: e\ndocuments:\n  - {{{SHOP}, titel: name}}\n",
            "weighbridge.yaml:3: unknown key 'titel' under documents; did you mean 'title'?",
        ),
        (
            f"examples: e\ndocuments: {{{SHOP}, rest: 'https://host'}}\n",
            f"weighbridge.yaml:2: unknown key 'rest' under documents; known here: {SQL_KEYS}",
        ),
        (
            "examples: e\ndocuments:\n  - query: select 1\n    id: id\n",
            "weighbridge.yaml:3: 'documents.sql' is missing; add a line like `sql: sqlite:///shop.db`",
        ),
        (
            "examples: e\ndocuments:\n  sql: mine\n  query: select 1\n  id: id\n",
            f"weighbridge.yaml:3: documents.sql: must be a database URL, like {URLS}",
        ),
        (
            "examples: e\ndocuments:\n  sql: 'sqlite:///a'\n  id: id\n  query: drop table a\n",
            "weighbridge.yaml:5: documents.query: must be a query that reads, like select ..., not DROP",
        ),
        (
            "examples: e\ndocuments:\n  rest: host/articles\n",
            "weighbridge.yaml:3: documents.rest: must be a URL that begins with http:// or https://",
        ),
        (
            "examples: e\ndocuments:\n  rest: https://host\n  text: body\n",
            "weighbridge.yaml:4: documents.text must be a list, like [a, b], not 'body'",
        ),
        (
            "examples: e\ndocuments:\n  - rest: https://host/a\n  - rest: https://host/b/a\n",
            "weighbridge.yaml:2: documents: two sources are called 'a'; give one of them another `name`",
        ),
        (
            "examples: e\nmodel:\n  base_url: 127.0.0.1:8000\n",
            "weighbridge.yaml:3: model.base_url: must be a URL that begins with http:// or https://",
        ),
        (
            "examples: e\nmodel:\n  base_url: http://host:port/v1\n",
            "weighbridge.yaml:3: model.base_url: must be a URL like http://127.0.0.1:8000/v1",
        ),
        (
            "examples: e\nmodel:\n  base_url: https://me:hunter2@host/v1\n",
            f"weighbridge.yaml:3: model.base_url: holds a login, before the @; {SECRETS}",
        ),
        (
            "examples: e\nmodel:\n  base_url: https://host/v1?key=hunter2\n",
            f"weighbridge.yaml:3: model.base_url: holds parameters, after the ? or #; {SECRETS}",
        ),
        (
            "name: x\n",
            (
                "weighbridge.yaml:1: 'examples' is missing; add a line like `examples: examples.jsonl`, or "
                "`documents: folder` to search only"
            ),
        ),
        (
            "name: e\nname: f\n",
            'weighbridge.yaml:2: is not valid YAML: found duplicate key "name" with value "f" (original value: "e")',
        ),
        ("examples: [e\nname: x\n", "weighbridge.yaml:2: is not valid YAML: expected ',' or ']', but got ':'"),
        ("- examples\n", "weighbridge.yaml:1: the file must hold lines of `key: value`, not a list or a text"),
        ("# nothing\n", "weighbridge.yaml:1: the file must hold lines of `key: value`, not a list or a text"),
        (" \n", "weighbridge.yaml: is empty; run `weighbridge init` to write one"),
    ],
)
def test_an_error_names_the_line_and_what_to_do(file: Path, text: str, expected: str) -> None:
    assert problem(file, text) == expected


def test_all_problems_are_told_in_the_order_of_the_file(file: Path) -> None:
    told = problem(file, "model:\n  contxt: 3\nfoo: 1\nexamples: 3\n")
    assert [line.split(" ")[0] for line in told.splitlines()] == [f"weighbridge.yaml:{n}:" for n in (2, 3, 4)]


def test_a_missing_file_and_one_that_is_not_utf8(file: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file; run `weighbridge init`"):
        load_settings(file)
    file.write_bytes("examples: caf\xe9\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load_settings(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(file.parent)


@given(text=st.text(st.sampled_from("ab:-[]{}&*!|>%@`'\"#,? \n\t1.\\~"), max_size=40))
def test_no_text_makes_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("any") / "weighbridge.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        load_settings(file)


@pytest.mark.parametrize(
    "text", ["[" * 1200, "examples: &a [*a]", "? [a, b]\n: c", "examples: !x {a: b}", "%YAML 9.9\n---\na"]
)
def test_odd_yaml_makes_no_traceback(file: Path, text: str) -> None:
    assert problem(file, text).startswith("weighbridge.yaml")


@pytest.mark.parametrize(
    ("currency", "hint"), [("XXX", "'XXX'"), ("USE", "did you mean USD"), ("euros", "did you mean EUR"), ("eur", "EUR")]
)
def test_a_currency_that_nobody_pays_in_is_refused_with_its_line(tmp_path: Path, currency: str, hint: str) -> None:
    file = tmp_path / "weighbridge.yaml"
    file.write_text(f"examples: e\nprices:\n  currency: {currency}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"yaml:3: prices\.currency must be three capital letters") as error:
        load_settings(file)
    assert "like USD, EUR, GBP, CHF, JPY" in str(error.value)
    assert hint in str(error.value)


@pytest.mark.parametrize("currency", ["USD", "EUR", "GBP", "CHF", "SEK", "JPY"])
def test_a_currency_in_use_needs_no_exchange_rate(tmp_path: Path, currency: str) -> None:
    file = tmp_path / "weighbridge.yaml"
    file.write_text(f"examples: e\nprices:\n  currency: {currency}\n", encoding="utf-8")
    assert load_settings(file).prices.currency == currency


def test_a_price_or_volume_beyond_reason_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "weighbridge.yaml"
    text = "examples: e\nprices:\n  machine_per_hour: 1e300\nneeds:\n  answers_per_month: 1" + "0" * 16 + "\n"
    file.write_text(text.replace("1e300", "1.0e+300"), encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    lines = str(error.value).splitlines()
    assert "yaml:3: prices.machine_per_hour must be at most 1,000,000,000, not" in lines[0]
    assert "yaml:5: needs.answers_per_month must be at most 1,000,000,000,000,000, not" in lines[1]
