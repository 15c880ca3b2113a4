"""What a result file says, whichever way an endpoint writes it."""

import base64

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.hosted.results import Step, read_steps, training_of
from weighbridge.train.hosted.wire import HostedJob

CSV = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\r\n1,2.5,0.1,,\r\n2,1.5,0.4,1.75,0.5\r\n"


def job(**changed: object) -> HostedJob:
    usual = {"id": "ftjob-1", "status": "succeeded", "model": "ft:m", "error": "", "training_file": "file-1"}
    rest = {"result_files": (), "trained_tokens": None, "epochs": 2, "seconds": 60.0}
    return HostedJob(**{**usual, **rest, **changed})


@pytest.mark.parametrize("raw", [CSV, base64.b64encode(CSV), b"\xef\xbb\xbf" + CSV])
def test_a_result_file_is_read_plain_or_in_base64(raw):
    assert read_steps(raw) == (Step(1, 2.5, None), Step(2, 1.5, 1.75))


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"\xff\xfe\x00", b"name,value\n1,2\n", b"step\n", b"step,train_loss\nx,y\n"]
)
def test_nonsense_is_no_step(raw):
    assert read_steps(raw) == ()


def test_a_loss_that_was_not_measured_is_none():
    assert read_steps(b"step,train_loss,valid_loss\n1,nan,-1\n0,2,2\n") == (Step(1, None, None),)


def test_steps_are_divided_among_the_epochs():
    steps = [Step(number, 7.0 - number, 1.0 / number) for number in range(1, 7)]
    told = training_of(job(), steps, examples=10, tokens=99, seconds=60.0)
    assert [(epoch.epoch, epoch.loss, epoch.dev) for epoch in told.epochs] == [(1, 5.0, None), (2, 2.0, None)]
    assert (told.chosen_epoch, told.steps, told.tokens, told.seconds) == (2, 6, 99, 60.0)
    assert (told.first_loss, told.last_loss) == (6.0, 1.0)
    assert told.notes == ("trained at the endpoint as ftjob-1", "validation loss 1.000 to 0.167")


def test_fewer_steps_than_epochs_are_an_epoch_each():
    told = training_of(job(epochs=9), [Step(1, 2.0, None), Step(2, 1.0, None)], examples=1, tokens=7, seconds=0.0)
    assert [epoch.epoch for epoch in told.epochs] == [1, 2]
    assert told.tokens == 7


@pytest.mark.parametrize("steps", [(), (Step(1, None, 2.0),)])
def test_no_loss_is_never_a_number(steps):
    with pytest.raises(TrainingError, match="ftjob-1 succeeded as ft:m, but the endpoint gives no losses"):
        training_of(job(), steps, examples=1, tokens=1, seconds=1.0)
