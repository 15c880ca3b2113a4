"""What a test may see of the environment: what Python and the machine need, and nothing else.

A key, a proxy, a width, a colour or a launcher's rank that whoever runs the tests has set would otherwise decide what
the product does. Variables are kept by name, because nobody can list all those that a library reads.
"""

from collections.abc import Mapping

from weighbridge.machine.hardware import this_hardware

KEPT = frozenset({
    "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ",
    "USER", "VIRTUAL_ENV", "WEIGHBRIDGE_CACHE", "WEIGHBRIDGE_VLLM", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
})  # fmt: skip
KEPT_PREFIXES = ("COV_", "CUDA_", "DYLD_", "HYPOTHESIS_", "LD_", "NVIDIA_", "PIP_", "PYTEST_", "PYTHON", "SSL_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
"""Kept, in either case: a model that is not in the cache is fetched through them."""

_BFLOAT16 = {"avx512_bf16", "amx_bf16"} & {*this_hardware().flags}
CHANGES = {
    "NO_PROXY": "127.0.0.1,::1,localhost",  # the servers that tests start are on this machine
    "OMP_NUM_THREADS": "1",  # several test processes share the cores, and sums depend on the number of threads
    "OMP_WAIT_POLICY": "PASSIVE",  # as the command line does, before torch is loaded
    "WEIGHBRIDGE_TRAINING_PRECISION": "bfloat16" if _BFLOAT16 else "float32",  # no test measures the machine for it
    "WEIGHBRIDGE_EMBEDDING_PRECISION": "int8" if _BFLOAT16 else "float32",
    "WEIGHBRIDGE_THREADS": "2",
    "PYTHONUTF8": "1",  # what a command prints in another encoding is a test of its own
}
_DROPPED = ("PYTHONIOENCODING", "PYTHONWARNINGS")


def isolate(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that tests, and the processes they start, run in."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in KEPT or name.startswith(KEPT_PREFIXES) or name.lower() in PROXIES
    }
    for name in _DROPPED:
        kept.pop(name, None)
    return kept | CHANGES
