"""The tests that a part of your own must pass: import one suite's names into a test file, and say what is tested.

    from weighbridge.contracts.index import *

    @pytest.fixture
    def store(tmp_path):
        return MyStore(tmp_path)

| suite | fixtures to define |
|---|---|
| `metric` | `metric`: a `Metric` |
| `reader` | `reader`: a `Reader`; `samples`: paths of files that it reads |
| `strategy` | `own`: an `OwnStrategy` |
| `index`, `history` | `store`: a `Store` without an index |
| `executor` | `executor`: an `Executor` |

Weighbridge's own parts run the same suites. They need pytest; `metric` needs hypothesis too.
"""

import pytest

pytest.register_assert_rewrite(
    *(f"{__name__}.{suite}" for suite in ("executor", "history", "index", "metric", "reader", "strategy"))
)
