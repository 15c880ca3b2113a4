import os
import subprocess
import sys
from collections.abc import Callable

import pytest

POWERLESS = """
import ctypes, os, sys
NO_ROOT, SET_SECURITY_BITS = 1, 28  # linux/securebits.h, linux/prctl.h
if os.geteuid() == 0:
    ctypes.CDLL(None).prctl(SET_SECURITY_BITS, NO_ROOT, 0, 0, 0)  # fails where it has no powers to give up
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
"""Starts Python again as the same user, for whom, and for whose children, permissions hold. Root stays root by number:
another user might not reach the interpreter, which may lie in a folder of root's."""


@pytest.fixture
def run_without_privileges() -> Callable[..., str]:
    """Gives a function that runs a program for which file permissions hold, and returns what it prints."""
    if os.geteuid() == 0 and sys.platform != "linux":
        pytest.skip("permissions do not hold for root, and only on Linux can it give up its powers alone")

    def start(program: str, *arguments: str) -> str:
        command = [sys.executable, "-c", POWERLESS, "-c", program, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start
