"""Reads the items that an endpoint lists in JSON as documents, page after page."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weighbridge.errors import DataError, UserError
from weighbridge.ingest.content import Loss, Parsed
from weighbridge.ingest.files.rows import describe_json_kind
from weighbridge.ingest.sources.entity import Entity, make_documents
from weighbridge.ingest.sources.fetch import RestEndpoint
from weighbridge.ingest.sources.secret import ENVIRONMENT, fill_secrets, hide_secrets, read_variable
from weighbridge.protocols import Notify, silent
from weighbridge.settings.sources import VARIABLE, RestSource
from weighbridge.types import Progress

if TYPE_CHECKING:
    from httpx2 import URL

# An endpoint that always names a next page would never end.
MOST_PAGES = 10_000
_DEEPEST = 8
"""Levels of objects in objects that get field names; deeper ones are shown as JSON."""
_ABSENT = object()


def read_rest(
    source: RestSource,
    *,
    environment: Mapping[str, str] = ENVIRONMENT,
    notify: Notify = silent,
    sleep: Callable[[float], None] = time.sleep,
) -> Parsed:
    """Return a document for each item that an endpoint lists, called by its id, in the order of the pages.

    Objects in an item are taken apart, their fields named by dotted paths; a list of objects becomes a table. A page
    that was read before ends the reading, and that is a loss; so do `MOST_PAGES`.

    Raises:
        UserError: an environment variable that the source names is not set.
        DataError: the endpoint refuses or does not answer, its answer does not fit the source, or two items with
            the same id differ. No message holds a secret.
    """
    losses: list[Loss] = []
    with _open(source, environment, sleep) as endpoint:
        entities = _read_entities(source, _read_pages(source, endpoint, losses), endpoint.where, notify)
        parsed = make_documents(entities, endpoint.where, source.maximum_documents)
    return Parsed(parsed.contents, (*parsed.losses, *losses))


@contextmanager
def _open(source: RestSource, environment: Mapping[str, str], sleep: Callable[[float], None]) -> Iterator[RestEndpoint]:
    from httpx2 import URL, Client, InvalidURL

    named = [read_variable(name, environment) for name in VARIABLE.findall(source.rest)]
    value = read_variable(source.header_variable, environment) if source.header_variable else ""
    if not (value.isascii() and value.isprintable()):
        raise UserError(
            f"the environment variable {source.header_variable} holds characters that no HTTP header may have"
        )
    secrets = frozenset({*named, *(quote(secret, safe="") for secret in named), value, *value.split()[-1:]})
    try:
        start = URL(fill_secrets(source.rest, environment, quoted=partial(quote, safe="")))
    except InvalidURL:
        raise DataError(f"{source.label}: 'rest' under documents is no URL") from None
    bare = start.copy_with(username=None, password=None, query=None, fragment=None)
    known = {"Accept": "application/json", "User-Agent": "weighbridge"}
    with Client(timeout=source.timeout_seconds, follow_redirects=False, headers=known) as client:
        yield RestEndpoint(
            client=client,
            where=hide_secrets(f"{source.label} ({bare})", secrets),
            start=start,
            header={source.header: value} if value else {},
            secrets=secrets,
            timeout_seconds=source.timeout_seconds,
            sleep=sleep,
        )


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    items: Sequence[Any]


def _read_pages(source: RestSource, endpoint: RestEndpoint, losses: list[Loss]) -> Iterator[_Page]:
    numbered = bool(source.page_parameter) and not source.next
    url = endpoint.start.copy_set_param(source.page_parameter, source.first_page) if numbered else endpoint.start
    seen: set[bytes] = set()
    for number in range(1, MOST_PAGES + 1):
        content = endpoint.page(url, may_be_absent=numbered and number > 1)
        if content is None:
            return
        if (digest := hashlib.sha256(content).digest()) in seen:
            losses.append(Loss(f"page {number:,}", "is one that was read before; no page after it was read"))
            return
        seen.add(digest)
        whole = endpoint.json(content)
        page = _Page(number, _find_items(source, whole, number, endpoint.where))
        yield page
        if numbered:
            following = url.copy_set_param(source.page_parameter, source.first_page + number) if page.items else None
        else:
            following = _next_page(source, endpoint, url, whole) if source.next else None
            if source.next and number == 1 and _value_at(whole, source.next) is _ABSENT:
                losses.append(Loss("page 1", f"has no field {source.next!r}; no page after it was read"))
        if following is None:
            return
        url = following
    losses.append(Loss(f"page {MOST_PAGES:,}", "is the last that is read; there are more"))


def _next_page(source: RestSource, endpoint: RestEndpoint, url: "URL", whole: Any) -> "URL | None":
    """Return the next page as this one names it: by its URL, or by a value for the page parameter."""
    named = _value_at(whole, source.next)
    if named is _ABSENT or named is None or named is False or named == "":
        return None
    if source.page_parameter:
        return endpoint.start.copy_set_param(source.page_parameter, str(named))
    if not isinstance(named, str):
        told = f"next: {source.next!r} holds {describe_json_kind(named)}, not a URL"
        raise DataError(f"{endpoint.where}: {told}; to send it as a parameter, name that in 'page_parameter'")
    return endpoint.join_url(url, named)


def _find_items(source: RestSource, whole: Any, number: int, where: str) -> Sequence[Any]:
    found = _value_at(whole, source.items)
    if isinstance(found, list):
        return found
    if number > 1 and (found is _ABSENT or found is None):
        return ()
    told = "is not there" if found is _ABSENT else f"holds {describe_json_kind(found)}, not a list"
    lists = ", ".join(repr(path) for path in _lists(whole))
    advice = f"the lists in it are {lists}" if lists else "there is no list in it"
    field = repr(source.items) if source.items else "the answer itself"
    raise DataError(f"{where}: items: {field} {told}; {advice}")


def _lists(value: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the dotted paths of the lists that an answer holds, not far below its top."""
    if isinstance(value, list):
        yield path
    elif isinstance(value, Mapping) and depth <= 3:  # noqa: PLR2004 - far enough for a hint
        for key, inner in list(value.items())[:50]:
            yield from _lists(inner, f"{path}.{key}" if path else key, depth + 1)


def _read_entities(source: RestSource, pages: Iterator[_Page], where: str, notify: Notify) -> Iterator[Entity]:
    done, checked = 0, False
    named = frozenset({source.id, source.title, source.groups})
    for page in pages:
        objects = [item for item in page.items if isinstance(item, Mapping)]
        if objects and not checked:
            _check_named(source, objects, where)
            checked = True
        for number, item in enumerate(page.items, start=1):
            place = f"page {page.number:,}, item {number:,}"
            if not isinstance(item, Mapping):
                raise DataError(f"{where}: {place} is {describe_json_kind(item)}, not an object")
            chosen = {path: _value(item, path) for path in source.text}
            yield Entity(
                place=place,
                id=_value(item, source.id),
                title=_value(item, source.title) if source.title else None,
                groups=_value(item, source.groups) if source.groups else None,
                fields=chosen or dict(_fields(item, named)),
            )
        done += len(page.items)
        notify(Progress(task=f"read {source.label}", done=done, total=0, unit="items"))


def _check_named(source: RestSource, items: Sequence[Mapping[str, Any]], where: str) -> None:
    """Refuse a field that no item of a page has: its name is wrong, and groups would be none."""
    known = list(dict.fromkeys(name for item in items for name, _ in _fields(item, frozenset())))
    named = (("id", source.id), ("title", source.title), ("groups", source.groups), *(("text", n) for n in source.text))
    for key, path in named:
        if path and all(_value_at(item, path) is _ABSENT for item in items):
            close = get_close_matches(path, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known[:12])}"
            raise DataError(f"{where}: {key}: no item has a field {path!r}{hint}")


def _fields(item: Mapping[str, Any], but: frozenset[str], path: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """Yield the fields of an object, and those of the objects in it, by dotted path; none that is named in `but`."""
    for key, value in item.items():
        name = f"{path}{key}"
        if name in but:
            continue
        if isinstance(value, Mapping) and depth < _DEEPEST:
            yield from _fields(value, but, f"{name}.", depth + 1)
        else:
            yield name, value


def _value(item: Any, path: str) -> Any:
    value = _value_at(item, path)
    return None if value is _ABSENT else value


def _value_at(value: Any, path: str) -> Any:
    """Return the value at a dotted path, `_ABSENT` where there is none; a key that holds dots is tried first."""
    if not path or (isinstance(value, Mapping) and path in value):
        return value[path] if path else value
    first, _, rest = path.partition(".")
    if isinstance(value, Mapping) and first in value and rest:
        return _value_at(value[first], rest)
    if isinstance(value, list) and first.isdecimal() and int(first) < len(value):
        return _value_at(value[int(first)], rest)
    return _ABSENT
