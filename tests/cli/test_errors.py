import errno
import os
import signal
import subprocess
import sys

import pytest

from weighbridge.cli.errors import run_command
from weighbridge.errors import ModelError, SettingsError, UnfinishedError


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SettingsError("weighbridge.yaml:3: unknown key"), 2, "weighbridge.yaml:3: unknown key"),
        (ModelError("the endpoint is down"), 1, "the endpoint is down"),
        (UnfinishedError("step 12 of 24"), 3, "Stopped: step 12 of 24"),
        (KeyboardInterrupt(), 130, "run the same command again"),
        (SystemExit(130), 130, "run the same command again"),
        (OSError(errno.ENOSPC, "No space left on device", "records.jsonl"), 2, "records.jsonl: the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "mine"), 2, "mine: no permission"),
        (ZeroDivisionError("a bug"), 1, "Please report it with the file"),
    ],
)
def test_every_end_has_a_code_and_a_message(error, code, words, capsys):
    with pytest.raises(SystemExit) as stop:
        run_command(raising(error))
    told = capsys.readouterr().err
    assert stop.value.code == code
    assert words in told
    assert "Traceback" not in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_a_library_turns_into_its_own_error_is_still_an_interrupt(number, capsys):
    def command():
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        except KeyboardInterrupt as stop:
            raise ValueError("Error calling function `ser_path`: KeyboardInterrupt") from stop

    with pytest.raises(SystemExit) as stop:
        run_command(command)
    assert stop.value.code == 130
    assert "run the same command again" in capsys.readouterr().err


def test_a_command_that_ends_well_exits_with_zero():
    with pytest.raises(SystemExit) as stop:
        run_command(lambda: None)
    assert stop.value.code == 0


STUBBORN = """
import time
from weighbridge.cli.errors import run_command

def command():
    try:
        print("begun", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("goes on", flush=True)  # as threads do that finish an answer
        time.sleep(60)

run_command(command)
"""


def test_a_second_interrupt_leaves_at_once():
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "goes on\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
        told = process.stderr.read()
    assert "Ctrl-C again leaves at once" in told
    assert "Traceback" not in told
