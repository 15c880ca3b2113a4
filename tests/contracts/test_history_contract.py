"""What every store's history owes, by the suite that is shipped."""

from weighbridge.contracts.history import *  # noqa: F403
