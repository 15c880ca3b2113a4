"""Refuses to send user data to a remote endpoint when `needs.limits.offline` is set."""

from weighbridge.endpoints.connect import remote_address
from weighbridge.errors import SettingsError
from weighbridge.settings.schema import ModelSettings, Settings


def require_leave(what: str, model: ModelSettings, settings: Settings) -> None:
    """Check that `what` may be sent to a model.

    Raises:
        SettingsError: the model is at a remote endpoint, and `needs.limits.offline` is set.
    """
    if settings.needs.limits.offline and (where := remote_address(model)):
        raise SettingsError(
            f"weighbridge.yaml: needs.limits.offline is true, and {what} would be sent to {where}; take an endpoint on "
            "this machine, or set offline to false"
        )
