"""The executor of one machine passes the suite. That of a cluster does in `tests/distribute/test_ray.py`."""

import pytest

from weighbridge.contracts.executor import *  # noqa: F403 - a suite is imported whole
from weighbridge.distribute.local import LOCAL, LocalExecutor


@pytest.fixture
def executor() -> LocalExecutor:
    return LOCAL
