"""What an endpoint says of a job, whatever words it has for it."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.hosted.wire import ENDED, HostedJob, NonsenseError, read_event, read_id, read_job

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


def read(**told: object) -> HostedJob:
    return read_job(SimpleNamespace(**{"id": "ftjob-1", **told}), str)


@pytest.mark.parametrize(
    ("told", "status", "error"),
    [
        ({"status": "running"}, "running", ""),
        ({"status": "Succeeded", "fine_tuned_model": "ft:m"}, "succeeded", ""),
        ({"status": "canceled"}, "cancelled", ""),
        ({"status": "completed", "fine_tuned_model": "ft:m"}, "succeeded", ""),
        ({"status": "pre-heating"}, "pre-heating", ""),
        ({"status": "expired", "finished_at": 9}, "failed", "it ended as expired"),
        ({"status": "done", "finished_at": 9, "fine_tuned_model": "ft:m"}, "succeeded", ""),
        ({"status": "failed", "error": SimpleNamespace(message="", code="c", param="p")}, "failed", "c (in p)"),
    ],
)
def test_a_state_is_known_by_any_of_its_names(told, status, error):
    job = read(**told)
    assert (job.status, job.error) == (status, error)


@pytest.mark.parametrize("raw", [None, [], SimpleNamespace(), SimpleNamespace(id=""), SimpleNamespace(id="a\nb"), 7])
def test_what_has_no_id_is_nonsense(raw):
    for reader in (lambda: read_id(raw), lambda: read_job(raw, str), lambda: read_event(raw, str)):
        with pytest.raises(NonsenseError, match="no id"):
            reader()


def test_a_long_text_is_quoted_from_its_beginning():
    with pytest.raises(NonsenseError, match=r"but '<html>(x{54})\.\.\.'$"):
        read_id("<html>" + "x" * 999)


@given(st.fixed_dictionaries(dict.fromkeys(("status", "fine_tuned_model", "error", "result_files"), ANYTHING)))
def test_no_reply_brings_it_down(told):
    try:
        job = read(**told, finished_at=1, created_at=0)
    except NonsenseError:
        return
    assert job.status in {*ENDED, "validating_files", "queued", "running", "paused"}
