"""What a user may bring or have that is wrong: each gets a message that says what, where and what to do."""

import json
import shlex
import shutil
import socket
import subprocess
import sys

import pytest

GOOD = [
    {
        "id": f"q{n}",
        "question": f"What is the code word of room {n}?",
        "answers": [f"word{n}"],
        "doc_ids": [f"room-{n}"],
    }
    for n in range(12)
]


@pytest.fixture
def place(tmp_path):
    """A folder with good documents and examples, to be spoilt."""
    documents = tmp_path / "documents"
    documents.mkdir()
    for n in range(12):
        (documents / f"room-{n}.md").write_text(f"# Room {n}\n\nThe code word of room {n} is word{n}.\n")
    rows(tmp_path, GOOD)
    return tmp_path


def rows(place, values):
    (place / "examples.jsonl").write_text("".join(json.dumps(value) + "\n" for value in values))


def init(run, place, documents="documents", examples="examples.jsonl", folder="mine"):
    return run("init", folder, "--documents", documents, "--examples", examples, cwd=place)


def refused(done, *words, code=2):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr, done.stderr


def test_good_input_is_taken(run, place):
    done = init(run, place)
    assert done.returncode == 0, done.stderr
    assert (place / "mine" / "weighbridge.yaml").is_file()


def test_without_documents_only_strategies_that_read_none_are_chosen(run, place):
    done = run("init", "mine", "--examples", "examples.jsonl", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "strategies: [prompt, few-shot, fine-tuned]" in (place / "mine" / "weighbridge.yaml").read_text()


def test_a_missing_file(run, place):
    refused(init(run, place, examples="nowhere.jsonl"), "nowhere.jsonl", "give another file with --examples")
    done = init(run, place, documents="mine/../nowhere")
    refused(done, f"{place / 'nowhere'}: there is no such file or folder; give another folder with --documents")
    assert not (place / "mine").exists()


def test_a_missing_file_of_the_settings_is_shown_as_a_plain_path(run, place):
    init(run, place)
    (place / "documents").rename(place / "moved")
    refused(run("compare", "--workspace", "mine", cwd=place), f"{place / 'documents'}: there", "'documents' in weigh")
    (place / "moved").rename(place / "documents")
    (place / "examples.jsonl").unlink()
    refused(run("compare", "--workspace", "mine", cwd=place), f"{place / 'examples.jsonl'}: there")


@pytest.mark.parametrize("folder", ["mine", "new/mine", "old"])
def test_a_failed_init_leaves_nothing(run, place, folder):
    (place / "old").mkdir()
    (place / "old" / "notes.txt").write_text("mine")
    before = set(place.rglob("*"))
    rows(place, [*GOOD, {**GOOD[0], "id": "q99", "doc_ids": ["room-99"]}])
    refused(init(run, place, folder=folder), "room-99")
    assert set(place.rglob("*")) == before


def test_an_empty_folder(run, place):
    (place / "empty").mkdir()
    refused(init(run, place, documents="empty"), "empty")


def test_a_folder_of_binaries(run, place):
    binaries = place / "binaries"
    binaries.mkdir()
    for n in range(3):
        (binaries / f"{n}.txt").write_bytes(bytes(range(256)) * 40)
    refused(init(run, place, documents="binaries"), "binaries")


def test_a_text_file_of_200_megabytes(run, place):
    huge = place / "huge"
    huge.mkdir()
    with (huge / "huge.txt").open("wb") as file:
        file.truncate(200 * 2**20)
    refused(init(run, place, documents="huge"), "huge", "larger than 50 MB")


def test_broken_jsonl_names_the_line(run, place):
    with (place / "examples.jsonl").open("a") as file:
        file.write('{"id": "q99", "question": \n')
    refused(init(run, place), "examples.jsonl:13")


def test_duplicate_ids_name_both_lines(run, place):
    rows(place, [*GOOD, GOOD[3]])
    refused(init(run, place), "q3", ":4", ":13")


def test_examples_that_name_unknown_documents(run, place):
    rows(place, [*GOOD, {**GOOD[0], "id": "q99", "doc_ids": ["room-99"]}])
    refused(init(run, place), "room-99")


def test_a_settings_file_is_never_overwritten(run, place):
    init(run, place)
    refused(init(run, place), "exists already")


def test_no_workspace(run, place):
    refused(run("compare", cwd=place), "weighbridge.yaml", "weighbridge init")


@pytest.mark.parametrize(
    "words", [("compare",), ("demo", "nonsense"), ("init", "mine", "--examples", "examples.jsonl")]
)
def test_a_process_of_its_own_says_the_same(run, start, place, words):
    """The commands of these tests run in the process of the tests."""
    alone = start(*words, cwd=place)
    shutil.rmtree(place / "mine", ignore_errors=True)
    here = run(*words, cwd=place)
    assert (alone.returncode, alone.stdout, alone.stderr) == (here.returncode, here.stdout, here.stderr)


def test_an_unknown_key_names_line_and_nearest(run, place):
    init(run, place)
    file = place / "mine" / "weighbridge.yaml"
    file.write_text(file.read_text().replace("retrieval:", "retreival:"))
    refused(run("compare", cwd=place / "mine"), "weighbridge.yaml:", "retreival", "did you mean 'retrieval'")


def test_an_unknown_strategy(run, place):
    init(run, place)
    refused(run("ask", "Why?", "--strategy", "magic", cwd=place / "mine"), "magic", "raft")


def test_an_unknown_sample(run, place):
    refused(run("demo", "nonsense", cwd=place), "nonsense", "handbook")
    refused(run("demo", "--model", "minilm", cwd=place), "minilm", "models known")


def test_an_unknown_option(run, place):
    refused(run("compare", "--fast", cwd=place), "--fast")


def test_a_report_before_a_weighing(run, place):
    init(run, place)
    refused(run("report", cwd=place / "mine"), "weighbridge compare")


def test_a_folder_that_cannot_be_written(run, place):
    (place / "blocked").write_text("a file, not a folder")
    done = init(run, place, folder="blocked/mine")
    refused(done, "blocked")


def test_a_file_that_may_not_grow(place):
    """What a full disk is to a writer: bytes are refused in the middle of a file."""
    command = "ulimit -f 0; exec " + shlex.join(
        [sys.executable, "-m", "weighbridge", "init", "mine", "--examples", "examples.jsonl"]
    )
    done = subprocess.run(["bash", "-c", command], cwd=place, capture_output=True, text=True, check=False)
    refused(done, "weighbridge.yaml", "cannot be written")
    assert not list((place / "mine").glob("*"))


def settings(place, text):
    folder = place / "mine"
    folder.mkdir()
    shutil.copytree(place / "documents", folder / "documents")
    shutil.copy(place / "examples.jsonl", folder)
    (folder / "weighbridge.yaml").write_text(f"documents: documents\nexamples: examples.jsonl\n{text}")
    return folder


@pytest.mark.models
def test_one_example_only(run, place):
    rows(place, GOOD[:1])
    folder = settings(place, "strategies: [prompt]\nmodel: {engine: scripted}\n")
    refused(run("compare", cwd=folder), "1 example", "3 are needed")


@pytest.mark.models
@pytest.mark.usefixtures("latency_here")
def test_a_question_longer_than_the_context_window_fails_alone(run, place):
    rows(place, [*GOOD, *({**GOOD[n], "id": f"long{n}", "question": f"{n}? " + "why " * 500} for n in range(6))])
    folder = settings(
        place, "strategies: [prompt]\nmodel: {engine: scripted, context: 300}\nsplits: {test: 0.7, dev: 0.0}\n"
    )
    done = run("compare", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    (measured,) = json.loads(done.stdout)["measurements"]
    assert 0 < measured["failures"] < measured["attempts"]
    assert any("context" in error for error in measured["errors"])


@pytest.mark.models
def test_an_endpoint_that_is_not_there(run, place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        folder = settings(
            place,
            "strategies: [prompt]\n"
            f"model: {{engine: openai, reference: any, base_url: 'http://127.0.0.1:{port}/v1', timeout_seconds: 2}}\n",
        )
        done = run("ask", "Why?", "--strategy", "prompt", cwd=folder, NO_PROXY="127.0.0.1")
    refused(done, str(port), code=1)


@pytest.mark.models
def test_too_few_examples_for_an_endpoint(run, place):
    folder = settings(place, "strategies: [prompt, raft]\nmodel: {engine: openai, reference: any}\n")
    refused(run("train", "raft", cwd=folder), "at least 10", "splits.dev")


@pytest.mark.models
def test_reading_strategies_without_documents(run, place):
    folder = settings(place, "strategies: [prompt, rag]\nmodel: {engine: scripted}\n")
    file = folder / "weighbridge.yaml"
    file.write_text(file.read_text().replace("documents: documents\n", ""))
    refused(run("compare", cwd=folder), "rag", "documents:")


@pytest.mark.models
def test_two_commands_in_one_workspace(run, place):
    from filelock import FileLock

    folder = settings(place, "strategies: [prompt]\nmodel: {engine: scripted}\n")
    (folder / ".weighbridge").mkdir()
    with FileLock(folder / ".weighbridge" / "lock"):
        refused(run("compare", cwd=folder), "another weighbridge command")


def test_a_reader_that_leaves_early_gets_no_traceback(place):
    command = [sys.executable, "-m", "weighbridge", "models", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place) as process:
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


def on_endpoint(place, url):
    return settings(
        place,
        "strategies: [prompt, rag]\nretrieval: {limit: 1}\n"
        f"model: {{engine: openai, reference: any, base_url: '{url}', maximum_tokens: 40}}\n"
        "prices: {input_per_million: 1, output_per_million: 2}\nmeasure: {questions: 3, latency_questions: 2}\n",
    )


@pytest.mark.models
@pytest.mark.usefixtures("latency_here")
def test_a_whole_run_on_an_endpoint(run, place, roomy_endpoint):
    done = run("compare", "--json", cwd=on_endpoint(place, roomy_endpoint))
    assert done.returncode == 0, done.stderr
    rag = next(m for m in json.loads(done.stdout)["measurements"] if m["strategy"] == "rag")
    assert rag["failures"] == 0
    assert rag["figures"]["cost_per_thousand"]["value"] > 0
    assert rag["offline"], "an endpoint on this machine sends nothing anywhere"


@pytest.mark.models
def test_an_endpoint_that_fails_from_the_start_is_asked_no_question(run, place, broken_endpoint):
    done = run("compare", "--json", cwd=on_endpoint(place, broken_endpoint))
    assert done.returncode != 0
    assert "a first tiny request failed, so nothing else was sent" in done.stderr
    assert "HTTP 500" in done.stderr
    assert not done.stdout


@pytest.mark.usefixtures("latency_here")
def test_an_endpoint_that_fails_every_question(run, place, failing_endpoint):
    """Failures are counted and told, they are no scores, and none of it is recommended."""
    done = run("compare", "--json", cwd=on_endpoint(place, failing_endpoint))
    assert done.returncode == 0, done.stderr
    weighing = json.loads(done.stdout)
    assert weighing["decision"]["outlook"] == "none meets your limits"
    for measurement in weighing["measurements"]:
        assert measurement["failures"] == measurement["attempts"] == 3
        assert "accuracy" not in measurement["figures"]
        assert any("HTTP 500" in error for error in measurement["errors"])
