"""Refuses to send user data to a remote endpoint when `needs.limits.offline` is set."""

from typing import TypeVar

from weighbridge.endpoints.connect import address, is_local, remote_address
from weighbridge.errors import SettingsError
from weighbridge.settings.endpoints import EndpointSettings
from weighbridge.settings.schema import ModelSettings, Settings

E = TypeVar("E", bound=EndpointSettings)


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


def complete_endpoint(what: str, given: E, settings: Settings) -> E:
    """Return the settings of an endpoint with the address and key of the model where it has none of its own.

    Raises:
        SettingsError: `what` would be sent to another machine, and `needs.limits.offline` is set.
    """
    model = settings.model
    completed = given.model_copy(
        update={
            "base_url": given.base_url or model.base_url,
            "key_variable": given.key_variable or model.key_variable,
        }
    )
    if settings.needs.limits.offline and not is_local(where := address(completed)):
        raise SettingsError(
            f"weighbridge.yaml: needs.limits.offline is true, and {what} would be sent to {where}; take an "
            "endpoint on this machine, or set offline to false"
        )
    return completed
