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
        "from weighbridge.retrieve.embed.local import open_embedder\n"
        "held = [open_embedder(Path(sys.argv[1]), precision='float32')]\n"
        "held[0].embed(['a'], kind='query')\n"
        "def drop():\n    held.clear(); gc.collect()\n"
        "thread = threading.Thread(target=drop); thread.start(); thread.join()\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(minilm)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_ctrl_c_while_documents_are_embedded_ends_the_program_in_order(minilm: Path) -> None:
    code = (
        "import os, signal, sys, threading\n"
        "from pathlib import Path\n"
        "from weighbridge.retrieve.embed.local import open_embedder\n"
        "embedder = open_embedder(Path(sys.argv[1]), precision='float32')\n"
        "embedder.embed(['ready'], kind='document')\n"
        "threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    embedder.embed(['the ferry sails ' * 80] * 3000, kind='document')\n"
        "except KeyboardInterrupt:\n    print('interrupted', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(minilm)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
