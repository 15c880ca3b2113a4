"""Refuses to send user data to a remote endpoint when `needs.limits.offline` is set."""

from collections.abc import Mapping
from os import environ
from typing import TypeVar
from urllib.parse import urlsplit

from weighbridge.endpoints.connect import LOCAL, address, is_local, remote_address
from weighbridge.errors import SettingsError
from weighbridge.settings.endpoints import EndpointSettings
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.settings.sources import VARIABLE, ObjectSource, RestSource, Source, SqlSource

_HERE = frozenset({"file", "local", "memory"})
"""Schemes of fsspec whose objects are on this machine."""
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


def require_local_source(source: Source, settings: Settings, *, environment: Mapping[str, str] = environ) -> None:
    """Check that documents are not read over the network while `needs.limits.offline` is set.

    Raises:
        SettingsError: the source is a database, an endpoint or a store of objects on another machine.
    """
    if settings.needs.limits.offline and (where := _remote_source(source, environment)):
        raise _elsewhere(f"documents would be read from {where}; copy them into a folder")


def require_local_address(what: str, url: str, settings: Settings, *, environment: Mapping[str, str] = environ) -> None:
    """Check that `what` is not sent to the server of a URL, such as a database, or of host:port.

    Raises:
        SettingsError: the server is not on this machine, and `needs.limits.offline` is set.
    """
    if settings.needs.limits.offline and (where := _remote_host(url, environment)):
        raise _elsewhere(f"{what} would be sent to {where}; take one on this machine")


def _elsewhere(problem: str) -> SettingsError:
    return SettingsError(f"weighbridge.yaml: needs.limits.offline is true, and {problem}, or set offline to false")


def _remote_source(source: Source, environment: Mapping[str, str]) -> str:
    """Return where the documents of a source are, without secrets; empty if that is this machine."""
    match source:
        case ObjectSource():
            scheme, server = source.objects.partition("://")[0], str(source.options.get("endpoint_url", ""))
            if scheme in _HERE or (server and not _remote_host(server, environment)):
                return ""
            return _remote_host(source.objects, environment)
        case RestSource():
            return _remote_host(source.rest, environment)
        case SqlSource():
            return _remote_host(source.sql, environment)
        case _:
            return ""


def _remote_host(url: str, environment: Mapping[str, str]) -> str:
    """Return the scheme and host of a URL; empty if it names none, or this machine."""
    parts = urlsplit(VARIABLE.sub(lambda match: environment.get(match[1], ""), url))
    host = parts.hostname or ""
    return "" if not host or host in LOCAL else f"{parts.scheme}://{host}" if parts.scheme else host
