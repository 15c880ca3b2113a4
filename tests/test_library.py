"""The public names: what they are, that importing them is light, and what a wrong call is told."""

import ast
import gc
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import weighbridge
from weighbridge.errors import DataError, SettingsError, UserError
from weighbridge.generate.scripted import Scripted
from weighbridge.types import Message, Question
from weighbridge.workflow import ask, compare, models, search

from .decide.what_if.saved import workspace as saved_workspace

FERRY = {"question": "When does the ferry leave?", "references": ["at 17:05"], "answer": "It leaves at 5:05 pm."}


def test_importing_is_light():
    code = "import weighbridge, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pydantic", "rich", "typer"} & set(loaded)
    assert [name for name in loaded if name.startswith("weighbridge")] == ["weighbridge"]


def test_all_names_are_there_and_type_checkers_see_the_same():
    for name in weighbridge.__all__:
        assert getattr(weighbridge, name).__module__.startswith("weighbridge.")
    assert set(weighbridge.__all__) <= set(dir(weighbridge))
    tree = ast.parse(Path(weighbridge.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert sorted(alias.name for line in block.body for alias in line.names) == weighbridge.__all__


def test_type_checkers_refuse_other_names():
    body = ast.parse(Path(weighbridge.__file__).read_text(encoding="utf-8")).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    assert "__getattr__" not in functions, "seen by a type checker, it makes every name an attribute"


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        weighbridge.opne  # noqa: B018


def test_a_folder_without_settings_is_told_so(tmp_path):
    with pytest.raises(SettingsError, match="there is no such file"):
        weighbridge.open(tmp_path)


def test_rows_are_scored_like_a_file(tmp_path):
    scores = weighbridge.score([FERRY, {**FERRY, "answer": "at 17:50"}])
    assert [row.verdict for row in scores.rows] == ["right", "wrong"]
    file = tmp_path / "answers.jsonl"
    file.write_text('{"question": "Q?", "references": ["a"], "answer": "a"}\n', encoding="utf-8")
    assert weighbridge.score(file) == weighbridge.score(str(file))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "there are no rows"),
        ([FERRY, {"question": "?"}], "row 2: 'answer' is missing"),
        ([{**FERRY, "references": "at 17:05"}], "row 1: 'references' is not a list of texts"),
        ([FERRY, "Where?"], "row 2: not a JSON object"),
    ],
)
def test_rows_that_are_none_are_named(rows, problem):
    with pytest.raises(DataError, match=problem):
        weighbridge.score(rows)


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "questions.jsonl").write_text(
        "".join(f'{{"question": "What is {n}?", "answers": ["{n}"]}}\n' for n in range(30)), encoding="utf-8"
    )
    said = []
    made = weighbridge.init(tmp_path / "mine", examples=tmp_path / "questions.jsonl", say=said.append)
    assert "Examples: 30" in " ".join(said)
    return made


def test_init_writes_a_workspace_and_opens_it(workspace):
    assert workspace.folder.name == "mine"
    assert workspace.settings.strategies == ("prompt", "few-shot", "fine-tuned")
    assert workspace.settings == weighbridge.open(workspace.folder).settings
    with pytest.raises(UserError, match="exists already"):
        weighbridge.init(workspace.folder, examples=workspace.folder.parent / "questions.jsonl")


def test_an_unknown_strategy_is_told_which_there_are(workspace):
    with pytest.raises(UserError, match="'rag' is not one of this workspace's strategies: prompt, few-shot"):
        workspace.ask("What is 3?", strategy="rag")


def test_an_unmeasured_strategy_is_said_once(workspace, monkeypatch):
    monkeypatch.setattr(ask, "open_strategy", lambda *_, **__: Scripted())
    said = []
    with weighbridge.open(workspace.folder, say=said.append) as opened:
        opened.strategy("prompt")
        assert said == []
        assert opened.strategy() is opened.strategy()
    expected = "Nothing is weighed here yet; few-shot answers. Weigh the strategies with: weighbridge compare"
    assert said == [expected]


def test_groups_are_names_and_no_text(workspace):
    with pytest.raises(TypeError, match="a list of names"):
        workspace.ask("What is 3?", strategy="prompt", groups="finance")


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"search": -1}])
def test_a_training_without_seeds_is_refused(workspace, wrong):
    with pytest.raises(ValueError, match="seeds must be 1 or more, and search 0 or more"):
        workspace.train(**wrong)


@pytest.fixture
def events(monkeypatch):
    """Notes what is opened and closed, in place of models."""
    events = []

    def open_slowly(arm, *_, stack, **__):
        time.sleep(0.05)
        events.append(f"open {arm}")
        stack.callback(events.append, f"close {arm}")
        if arm == "few-shot":
            raise UserError("no examples")
        return Scripted()

    monkeypatch.setattr(ask, "open_strategy", open_slowly)
    return events


def test_a_question_comes_with_its_history_and_groups_and_is_heard_piece_by_piece(workspace, monkeypatch):
    heard, asked = [], []

    class Echo:
        def answer(self, question, *, emit):
            asked.append(question)
            emit("four")
            return "four"

    monkeypatch.setattr(ask, "open_strategy", lambda *_, **__: Echo())
    history = [Message("user", "What is 3?"), Message("assistant", "3")]
    said = workspace.ask("And 4?", strategy="prompt", groups=["finance"], history=history, emit=heard.append)
    assert (said, heard) == ("four", ["four"])
    workspace.ask("And 5?", strategy="prompt")
    assert asked == [Question("And 4?", tuple(history), frozenset({"finance"})), Question("And 5?")]


def test_a_search_is_made_for_whoever_asks(workspace, monkeypatch):
    asked = []
    monkeypatch.setattr(search, "search_index", lambda question, *_, limit, **__: asked.append((question, limit)))
    workspace.search("ferry", groups=["finance"], limit=3)
    workspace.search("ferry")
    assert asked == [(Question("ferry", groups=frozenset({"finance"})), 3), (Question("ferry"), 5)]


def test_threads_that_ask_first_open_a_strategy_once(workspace, events):
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(workspace.strategy, ["prompt"] * 4))
    assert len({id(strategy) for strategy in opened}) == 1
    assert events == ["open prompt"]
    workspace.close()
    assert events == ["open prompt", "close prompt"]


def test_a_strategy_outlives_its_workspace_and_is_closed_when_nobody_holds_it(workspace, events):
    strategy = weighbridge.open(workspace.folder).strategy("prompt")
    gc.collect()
    assert events == ["open prompt"]
    del strategy
    gc.collect()
    assert events == ["open prompt", "close prompt"]


def test_what_was_opened_before_a_failure_is_closed(workspace, events):
    with pytest.raises(UserError, match="no examples"):
        workspace.strategy("few-shot")
    assert events == ["open few-shot", "close few-shot"]


def test_a_decision_is_taken_again_and_a_what_if_leaves_no_trace(tmp_path):
    place = saved_workspace(tmp_path / "mine")
    workspace = weighbridge.open(place.root)
    assert workspace.decide() == weighbridge.load_weighing(place.weighing_file).decision
    before = {file: file.read_bytes() for file in place.state.iterdir()}
    now = workspace.decide({})
    then = workspace.decide({"memory": "300MiB", "strategy.raft": "without", "volume": 1e6, "accuracy": None})
    assert {file: file.read_bytes() for file in place.state.iterdir()} == before
    assert now == workspace.decide()
    assert now.recommended == "rag"
    assert {verdict.strategy for verdict in then.verdicts if verdict.broken_limits} == {"rag", "few-shot"}
    with pytest.raises(UserError, match="did you mean volume"):
        workspace.decide({"volumes": 3})


@pytest.mark.parametrize("answer", [True, False])
def test_a_paid_training_asks_whoever_calls(workspace, monkeypatch, answer):
    questions = []

    def agree(question):
        questions.append(question)
        return answer

    monkeypatch.setattr(models, "train_named", lambda *_, effort: (effort.agree("Pay 3 dollars?"),))
    monkeypatch.setattr(compare, "compare", lambda *_, agree: agree("Pay 3 dollars?"))
    assert workspace.train("fine-tuned", agree=agree) == (answer,)
    assert workspace.compare(agree=agree) is answer
    assert questions == ["Pay 3 dollars?"] * 2
    assert workspace.train("fine-tuned") == (False,)
    assert workspace.compare() is False
