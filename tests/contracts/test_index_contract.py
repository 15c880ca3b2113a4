"""What every store's index owes, by the suite that is shipped."""

from weighbridge.contracts.index import *  # noqa: F403
