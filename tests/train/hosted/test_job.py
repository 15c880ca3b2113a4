"""One job at an endpoint, whatever happens to the endpoint, to the connection and to us."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError, UserError
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.hosted.client import (
    EndpointAwayError,
    HostedEndpoint,
    Order,
    UnsupportedError,
    cancel,
    events_since,
    job_of,
    open_endpoint,
    pause,
    unpause,
)
from weighbridge.train.hosted.job import (
    HostedRun,
    Watch,
    follow,
    locate,
    read_run,
    require_success,
    start,
    write_run,
)
from weighbridge.train.hosted.results import Step, steps_of
from weighbridge.train.hosted.wire import HostedJob
from weighbridge.types import Progress

from ...hosted_server import (
    BASE,
    EPOCHS,
    STEPS,
    Fault,
    HostedServer,
    hosted_server,
)

KEY = "sk-very-secret"
JOBS = "/fine_tuning/jobs"
LINE = '{"messages": [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "Six"}]}\n'


class KilledError(Exception):
    """Ends a test's own process, as far as the code under test can tell."""


@pytest.fixture
def server() -> Iterator[HostedServer]:
    with hosted_server() as running:
        yield running


@pytest.fixture
def endpoint(server: HostedServer) -> Iterator[HostedEndpoint]:
    settings = ModelSettings(engine="openai", reference=BASE, base_url=server.url, timeout_seconds=5)
    opened = open_endpoint(settings, environment={"OPENAI_API_KEY": KEY})
    with closing(opened.client):
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.jsonl").write_text(LINE * 10)
    return tmp_path


def begun(endpoint: HostedEndpoint, folder: Path, waited: list[float] | None = None) -> HostedRun:
    order = Order(model=BASE, method="supervised", suffix="port", seed=7, epochs=2)
    run = read_run(folder) or HostedRun(order=order, endpoint=endpoint.where, begun_at="2026-11-20T12:00:00+00:00")
    return start(endpoint, run, folder, wait=(waited if waited is not None else []).append)


def followed(endpoint: HostedEndpoint, folder: Path, told: list[str] | None = None, **more: object) -> HostedJob:
    tell = (told if told is not None else []).append
    watch = Watch(**{"every": 0.0, "tell": tell, "wait": lambda _: None, **more})
    return follow(endpoint, begun(endpoint, folder), folder, watch)


def created(server: HostedServer) -> int:
    return len(server.asked)


def test_a_job_is_asked_for_as_ordered(server, endpoint, folder):
    (folder / "validation.jsonl").write_text(LINE)
    run = begun(endpoint, folder)
    assert server.asked == [
        {
            "model": BASE,
            "training_file": run.training_file,
            "validation_file": run.validation_file,
            "suffix": "port",
            "seed": 7,
            "method": {
                "type": "supervised",
                "supervised": {
                    "hyperparameters": {"n_epochs": 2, "batch_size": "auto", "learning_rate_multiplier": "auto"}
                },
            },
        }
    ]
    assert server.files[run.training_file] == ("train.jsonl", (LINE * 10).encode())
    assert server.files[run.validation_file] == ("validation.jsonl", LINE.encode())
    assert server.keys == {f"Bearer {KEY}"}


def test_a_dpo_job_carries_its_beta(server, endpoint, folder):
    order = Order(model=BASE, method="dpo", suffix="", seed=7, batch_size=4, beta=0.2)
    start(endpoint, HostedRun(order=order, endpoint=endpoint.where, begun_at=""), folder)
    assert server.asked[0]["method"] == {
        "type": "dpo",
        "dpo": {
            "hyperparameters": {"n_epochs": "auto", "batch_size": 4, "learning_rate_multiplier": "auto", "beta": 0.2}
        },
    }
    assert "suffix" not in server.asked[0]
    assert "validation_file" not in server.asked[0]


def test_a_job_is_followed_to_its_model(server, endpoint, folder):
    told: list[str] = []
    steps: list[Progress] = []
    job = require_success(endpoint, followed(endpoint, folder, told, notify=steps.append))
    assert job.model == f"ft:{BASE}:org::ftjob-1"
    assert (job.trained_tokens, job.epochs, job.seconds) == (1234, EPOCHS, 60.0)
    assert told[0] == "Created fine-tuning job"
    assert told[-1] == "The job has succeeded"
    assert len(told) == len(set(told)) == 6
    assert (steps[-1].done, steps[-1].total) == (STEPS, STEPS)


@pytest.mark.parametrize("encoded", [True, False])
def test_the_losses_come_from_the_result_file(server, endpoint, folder, encoded):
    server.encoded = encoded
    steps = steps_of(endpoint, followed(endpoint, folder))
    assert steps[0] == Step(1, 1.75, None)
    assert steps[-1] == Step(6, 0.5, 1.0)


def test_without_a_result_file_the_losses_come_from_the_events(server, endpoint, folder):
    server.without = ("/content",)
    assert [step.number for step in steps_of(endpoint, followed(endpoint, folder))] == [2, 4, 6]


def test_a_file_the_endpoint_cannot_use_fails_with_its_words(server, endpoint, folder):
    (folder / "train.jsonl").write_text(LINE * 3)
    with pytest.raises(TrainingError, match=r"ftjob-1 failed: .* at least 10 examples \(in training_file\)\. Mend"):
        require_success(endpoint, followed(endpoint, folder))
    assert read_run(folder).status == "failed"


def test_a_job_that_fails_says_why_without_the_key(server, endpoint, folder):
    server.fails = f"Moderation\nblocked {KEY}"
    with pytest.raises(TrainingError, match=r"failed: Moderation blocked \*\*\*\."):
        require_success(endpoint, followed(endpoint, folder))


def test_a_cancelled_job_is_over(server, endpoint, folder):
    run = begun(endpoint, folder)
    assert cancel(endpoint, run.job).status == "cancelled"
    with pytest.raises(TrainingError, match="was cancelled; train again"):
        require_success(endpoint, followed(endpoint, folder))


def test_a_paused_job_stays_until_it_is_resumed(server, endpoint, folder):
    run = begun(endpoint, folder)
    assert pause(endpoint, run.job).status == "paused"
    with pytest.raises(TrainingError, match="is paused; to let it go on: weighbridge hosted resume"):
        require_success(endpoint, followed(endpoint, folder))
    assert unpause(endpoint, run.job).status == "running"
    assert require_success(endpoint, followed(endpoint, folder)).model
    assert created(server) == 1


def test_what_is_busy_is_asked_again_by_the_client(server, endpoint, folder):
    server.faults = [
        Fault("POST", "/files", status=429),
        Fault("POST", "/files", status=500),
        Fault("GET", "/content", status=503),
    ]
    assert steps_of(endpoint, followed(endpoint, folder))[0].number == 1
    assert len(server.files) == 2
    assert [path for method, path in server.requests if method == "POST"] == [*["/files"] * 3, JOBS]


@pytest.mark.parametrize("status", [429, 500])
def test_a_job_that_was_refused_for_now_is_asked_for_again(server, endpoint, folder, status):
    server.faults = [Fault("POST", JOBS, status=status, times=2)]
    waited: list[float] = []
    assert begun(endpoint, folder, waited).job == "ftjob-1"
    assert created(server) == 1
    assert waited == [1.0, 2.0]


@pytest.mark.parametrize("status", [500, 0])
def test_a_job_whose_answer_was_lost_is_found_and_not_begun_twice(server, endpoint, folder, status):
    server.faults = [Fault("POST", JOBS, status=status, after=True)]
    server.jobs["ftjob-0"] = {**server.create({"model": "other", "training_file": "file-0"}), "id": "ftjob-0"}
    server.asked.clear()
    run = begun(endpoint, folder)
    assert server.jobs[run.job]["training_file"] == run.training_file
    assert created(server) == 1


def test_a_lost_request_is_not_repeated_at_once_but_later_after_a_look(server, endpoint, folder):
    server.faults = [Fault("POST", JOBS, status=0)]
    with pytest.raises(EndpointAwayError):
        begun(endpoint, folder)
    assert read_run(folder).asked
    assert begun(endpoint, folder).job == "ftjob-1"
    assert created(server) == 1


def test_without_a_list_of_jobs_a_lost_answer_is_the_users_to_look_up(server, endpoint, folder):
    server.faults = [Fault("POST", JOBS, status=500, after=True), Fault("GET", JOBS, status=404, times=9)]
    for _ in range(2):
        with pytest.raises(TrainingError, match=r"does not list its jobs: look there, and delete .*hosted\.json"):
            begun(endpoint, folder)
    assert created(server) == 1


def test_a_refused_job_can_be_asked_for_again(server, endpoint, folder):
    server.faults = [
        Fault("POST", JOBS, status=400, body=f'{{"error": {{"message": "no such model {KEY}"}}}}'),
        Fault("GET", JOBS, status=404, times=9),
    ]
    with pytest.raises(TrainingError, match=r"HTTP 400: .*no such model \*\*\*"):
        begun(endpoint, folder)
    assert begun(endpoint, folder).job == "ftjob-1"
    assert len([name for name, _ in server.files.values() if name == "train.jsonl"]) == 1


@pytest.mark.parametrize("writes", range(5))
def test_killed_anywhere_it_goes_on_with_the_same_files_and_one_job(server, endpoint, folder, writes, monkeypatch):
    """The process dies while the state is written for the n-th time: before it reaches the disk."""
    count = iter(range(100))

    def dying(run: HostedRun, place: Path) -> HostedRun:
        if next(count) == writes:
            raise KilledError
        return write_run(run, place)

    with monkeypatch.context() as patch:
        patch.setattr("weighbridge.train.hosted.job.write_run", dying)
        with pytest.raises(KilledError):
            followed(endpoint, folder)
    assert require_success(endpoint, followed(endpoint, folder)).model
    assert created(server) == 1


def test_killed_while_following_it_goes_on_and_tells_nothing_twice(server, endpoint, folder):
    told: list[str] = []

    def killed(event: str) -> None:
        told.append(event)
        if "Step 2" in event:
            raise KilledError

    with pytest.raises(KilledError):
        followed(endpoint, folder, tell=killed)
    require_success(endpoint, followed(endpoint, folder, told))
    assert len(told) == len(set(told))
    assert created(server) == 1


def test_a_server_that_dies_for_a_while_is_waited_for(server, endpoint, folder):
    server.faults = [Fault("GET", "/ftjob-1", status=0, times=9), Fault("GET", "/ftjob-1", status=502, times=9)]
    told: list[str] = []
    assert require_success(endpoint, followed(endpoint, folder, told)).model
    assert told[0].endswith("; asked again, up to 20 times")
    assert told[1] == f"{endpoint.where} answers again"


def test_a_server_that_stays_dead_ends_the_following_but_not_the_job(server, endpoint, folder):
    server.faults = [Fault("GET", "/ftjob-1", status=503, times=21)]
    with pytest.raises(EndpointAwayError, match=r"HTTP 503: .*out of order"):
        followed(endpoint, folder)
    assert require_success(endpoint, followed(endpoint, folder)).model
    assert created(server) == 1


def test_events_that_cannot_be_had_stop_nothing(server, endpoint, folder):
    server.without = ("/events",)
    told: list[str] = []
    assert require_success(endpoint, followed(endpoint, folder, told)).model
    assert told == [f"ftjob-1 is {state}" for state in ("queued", "running", "succeeded")]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<html>Please log in</html>", "text/html"),
        ("not json", "application/json"),
        ('"hello"', "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
        ('{"object": "fine_tuning.job"}', "application/json"),
        ('{"id": "", "status": "queued"}', "application/json"),
        ('{"id": "ftjob-1", "status": 7, "training_file": "f"}', "application/json"),
        ('{"id": "ftjob-1", "status": "runn', "application/json"),
    ],
)
def test_a_malformed_reply_makes_no_sense_and_is_said_so(server, endpoint, folder, body, kind):
    begun(endpoint, folder)
    server.faults = [Fault("GET", "/ftjob-1", status=200, body=body, kind=kind)]
    with pytest.raises(EndpointAwayError, match="asking about ftjob-1: the reply makes no sense") as caught:
        job_of(endpoint, "ftjob-1")
    assert "\n" not in str(caught.value)
    assert require_success(endpoint, followed(endpoint, folder)).model


@pytest.mark.parametrize("path", ["/files", JOBS])
def test_a_malformed_answer_to_a_request_begins_no_second_job(server, endpoint, folder, path):
    server.faults = [Fault("POST", path, status=200, body="<html>", kind="text/html", after=True)]
    if path == "/files":
        with pytest.raises(EndpointAwayError, match=r"uploading train\.jsonl: the reply makes no sense"):
            begun(endpoint, folder)
    assert begun(endpoint, folder).job == "ftjob-1"
    assert created(server) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("GET", "/ftjob-1", status=200, body="<html>Log in", kind="text/html", times=9), "but '<html>Log in'"),
        (Fault("GET", "/ftjob-1", status=200, body='{"id": "ft', times=9), "it is not JSON, or broke off"),
        (Fault("GET", "/ftjob-1", status=200, body="null", times=9), "it has no id"),
        (Fault("GET", "/ftjob-1", status=200, cut=True, times=9), r"Connection error \(.*without sending complete"),
        (Fault("GET", "/ftjob-1", status=503, body="<html>", kind="text/html", times=9), "HTTP 503: a web page"),
        (Fault("GET", "/ftjob-1", status=429, body='{"error": "slow down"}', times=9), "HTTP 429: slow down$"),
        (Fault("GET", "/ftjob-1", status=0, times=9), r"Connection error \(.+\)$"),
    ],
)
def test_what_went_wrong_is_said_in_words_for_people(server, endpoint, folder, fault, said):
    begun(endpoint, folder)
    server.faults = [fault]
    with pytest.raises(EndpointAwayError, match=said):
        job_of(endpoint, "ftjob-1")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_told_where_it_is_read_from(server, endpoint, folder, status):
    server.faults = [Fault("POST", "/files", status=status, body='{"error": {"message": "Incorrect key"}}')]
    with pytest.raises(TrainingError, match=rf"HTTP {status}: Incorrect key; the key is read .* model\.key_variable"):
        begun(endpoint, folder)


def test_what_is_no_fine_tuning_endpoint_is_said_to_be_none(server, endpoint, folder):
    server.without = ("/files", "/jobs")
    with pytest.raises(TrainingError, match=r"HTTP 404: Unknown request URL\. It seems not to have .* ends in /v1"):
        begun(endpoint, folder)
    assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nothing_is_sent_to_where_an_endpoint_redirects(server, endpoint, folder, status):
    with hosted_server() as second:
        there = {"Location": f"{second.url}/files?key={KEY}"}
        server.faults = [Fault("POST", "/files", status=status, headers=there)]
        with pytest.raises(TrainingError, match=rf"HTTP {status}: it redirects to http://127.*/v1/files, and is no"):
            begun(endpoint, folder)
        assert second.requests == []


def test_a_redirected_request_for_a_job_begins_none(server, endpoint, folder):
    server.faults = [Fault("POST", JOBS, status=307, headers={"Location": f"{server.url}{JOBS}"})]
    with pytest.raises(TrainingError, match="HTTP 307: it redirects"):
        begun(endpoint, folder)
    assert created(server) == 0
    assert begun(endpoint, folder).job == "ftjob-1"
    assert created(server) == 1


def test_a_result_file_may_lie_elsewhere_and_the_key_does_not_go_there(server, endpoint, folder):
    job = followed(endpoint, folder)
    with hosted_server() as second:
        second.files.update(server.files)
        there = {"Location": f"{second.url}/files/{job.result_files[0]}/content"}
        server.faults = [Fault("GET", "/content", status=302, headers=there)]
        assert steps_of(endpoint, job)[-1] == Step(6, 0.5, 1.0)
        assert second.keys == {""}


def test_an_endpoint_without_tls_is_told_as_such(server, folder):
    settings = ModelSettings(engine="openai", reference=BASE, base_url=server.url.replace("http:", "https:"))
    with closing((opened := open_endpoint(settings, environment={"OPENAI_API_KEY": KEY})).client):
        with pytest.raises(EndpointAwayError, match="SSL") as caught:
            begun(opened, folder)
        assert not caught.value.unread
    assert server.requests == []


@pytest.mark.parametrize("fault", [Fault("POST", JOBS, status=504), Fault("POST", JOBS, status=200, cut=True)])
def test_a_job_that_a_gateway_may_yet_begin_is_not_asked_for_again(server, endpoint, folder, fault):
    server.faults = [fault]
    with pytest.raises(EndpointAwayError):
        begun(endpoint, folder)
    assert [path for method, path in server.requests if method == "POST"] == ["/files", JOBS]
    server.create({"model": BASE, "training_file": read_run(folder).training_file})  # late
    assert begun(endpoint, folder).job == "ftjob-1"
    assert created(server) == 1


def test_a_busy_endpoint_is_left_alone_as_long_as_it_asks(server, endpoint, folder):
    server.faults = [
        Fault("POST", JOBS, status=429, headers={"Retry-After": "7"}),
        Fault("POST", JOBS, status=429, headers={"Retry-After": "9000"}),
    ]
    waited: list[float] = []
    begun(endpoint, folder, waited)
    assert waited == [7.0, 60.0]
    server.faults = [Fault("GET", "/ftjob-1", status=429, headers={"Retry-After": "30"})]
    waits: list[float] = []
    followed(endpoint, folder, every=10.0, wait=waits.append)
    assert waits[:2] == [30.0, 10.0]


@pytest.mark.parametrize("word", ["pre-heating", "PRE-HEATING"])
def test_a_state_that_the_api_has_not_is_followed_and_told_once(server, endpoint, folder, word):
    server.word = word
    told: list[str] = []
    assert require_success(endpoint, followed(endpoint, folder, told)).model
    assert [line for line in told if "pre-heating" in line] == [
        "ftjob-1 is pre-heating, which is no state that is known here; it is followed on"
    ]
    assert created(server) == 1


def test_a_job_that_the_endpoint_forgot_tells_how_to_begin_anew(server, endpoint, folder):
    begun(endpoint, folder)
    server.jobs.clear()
    with pytest.raises(TrainingError, match=r"HTTP 404: No such object\. If that job is gone for good, delete .*json"):
        followed(endpoint, folder)
    with pytest.raises(UnsupportedError):
        job_of(endpoint, "ftjob-1")
    assert created(server) == 1


def test_events_that_come_again_and_again_have_an_end(server, endpoint, folder):
    begun(endpoint, folder)
    page = '{"object": "list", "data": [{"id": "e2", "message": "b"}, {"id": "e1", "message": "a"}], "has_more": true}'
    server.faults = [Fault("GET", "/events", status=200, body=page, times=9)]
    assert [event.message for event in events_since(endpoint, "ftjob-1", "")] == ["a", "b"]


def test_what_an_endpoint_tells_is_one_plain_line_without_the_key(server, endpoint, folder):
    begun(endpoint, folder)
    server.tell("ftjob-1", f"\x1b[2JLoss\nis\tgood, {KEY}")
    told: list[str] = []
    followed(endpoint, folder, told)
    assert "[2JLoss is good, ***" in told


def test_success_without_a_model_is_no_success(endpoint):
    job = HostedJob(
        id="ftjob-1",
        status="succeeded",
        model="",
        error="",
        training_file="",
        result_files=(),
        trained_tokens=None,
        epochs=None,
        seconds=None,
    )
    with pytest.raises(TrainingError, match="names no tuned model"):
        require_success(endpoint, job)


def test_a_state_that_cannot_be_read_begins_nothing(endpoint, folder):
    (folder / "hosted.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"hosted\.json: cannot be read .* a job may be running"):
        read_run(folder)


def test_a_run_without_a_job_is_left_as_it_is(endpoint, folder):
    run = HostedRun(order=Order(model=BASE, method="dpo", suffix="", seed=1), endpoint="", begun_at="")
    assert locate(endpoint, run, folder) == run


def test_a_key_that_is_missing_is_the_users_to_set():
    away = ModelSettings(engine="openai", reference="m", base_url="https://models.example/v1", key_variable="MY_KEY")
    with pytest.raises(UserError, match="MY_KEY is not set"):
        open_endpoint(away, environment={})


def test_the_key_is_neither_shown_nor_written_down(endpoint, folder):
    run = begun(endpoint, folder)
    assert KEY not in repr(endpoint)
    assert KEY not in (folder / "hosted.json").read_text()
    assert KEY not in repr(run)
