"""OpenVINO inside a program of ours."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.models


def test_ctrl_c_is_survived_after_an_embedder_was_dropped_by_another_thread(minilm: Path) -> None:
    code = (
        "import gc, os, signal, sys, threading\n"
        "from pathlib import Path\n"
        "from weighbridge.retrieve.embed import open_embedder\n"
        "held = [open_embedder(Path(sys.argv[1]), precision='float32')]\n"
        "held[0].embed(['a'], kind='query')\n"
        "def drop():\n    held.clear(); gc.collect()\n"
        "thread = threading.Thread(target=drop); thread.start(); thread.join()\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(minilm)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
