"""A real HTTP server, on this machine, that behaves as told."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import DataError, UserError
from weighbridge.ingest.content import Loss, Parsed
from weighbridge.ingest.sources import fetch, rest
from weighbridge.ingest.sources.rest import read_rest
from weighbridge.settings.sources import RestSource
from weighbridge.types import Progress


@dataclass(frozen=True, slots=True)
class Said:
    """What the server answers."""

    body: object = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Behave = Callable[[str, Mapping[str, str]], Said]
"""What a server says to a path with these query parameters."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and what it was asked: paths, and the headers of each."""

    url: str
    asked: list[str]
    headers: list[Mapping[str, str]]


@pytest.fixture
def serve() -> Iterator[Callable[[Behave], Server]]:
    running: list[tuple[ThreadingHTTPServer, Thread]] = []

    def start(behave: Behave) -> Server:
        asked: list[str] = []
        headers: list[Mapping[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                asked.append(self.path)
                headers.append(dict(self.headers))
                parts = urlsplit(self.path)
                said = behave(parts.path, dict(parse_qsl(parts.query)))
                self.send_response(said.status)
                for name, value in {"Content-Length": str(len(said.content)), **said.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return Server(f"http://127.0.0.1:{server.server_port}", asked, headers)

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that a reading would have slept."""
    return []


@pytest.fixture
def read(waits: list[float]) -> Callable[..., Parsed]:
    def one(url: str, environment: Mapping[str, str] | None = None, **settings: Any) -> Parsed:
        return read_rest(RestSource(rest=url, **settings), environment=environment or {}, sleep=waits.append)

    return one


def items(*numbers: int) -> list[dict[str, object]]:
    return [{"id": number, "text": f"text {number}"} for number in numbers]


def names(parsed: Parsed) -> list[str]:
    return [content.name for content in parsed.contents]


def test_an_item_becomes_a_document(serve, read) -> None:
    article = {
        "slug": "tea",
        "title": {"rendered": "Tea &#8211; <b>hot</b>"},
        "summary": "<p>Short.</p><p>Good.</p>",
        "author": {"name": "Ada", "links": ["x", "y"]},
        "steps": [{"what": "boil", "minutes": 4}, {"what": "pour"}],
        "draft": None,
        "teams": ["a", "b"],
    }
    server = serve(lambda *_: Said({"data": {"articles": [article]}}))
    parsed = read(
        f"{server.url}/api/articles", items="data.articles", id="slug", title="title.rendered", groups="teams"
    )
    (tea,) = parsed.contents
    assert (tea.name, tea.title, tea.groups) == ("tea", "Tea \u2013 hot", frozenset("ab"))
    assert tea.text == (
        "# Tea \u2013 hot\n\n- author.name: Ada\n- author.links: x, y\n\n## summary\n\nShort.\n\nGood.\n\n"
        "## steps\n\n| what | minutes |\n| --- | --- |\n| boil | 4 |\n| pour |"
    )
    (short,) = read(
        server.url, items="data.articles", id="slug", text=("author.name", "author.links.1"), name="x"
    ).contents
    assert short.text == "- author.name: Ada\n- author.links.1: y"
    assert not parsed.losses


def test_pages_are_followed_by_their_urls(serve, read) -> None:
    pages = {
        "1": {"items": items(1, 2), "next": "?page=2"},
        "2": {"items": [], "next": "/list?page=3"},
        "3": {"items": items(3), "next": None},
    }
    server = serve(lambda _, query: Said(pages[query.get("page", "1")]))
    parsed = read(f"{server.url}/list", items="items", next="next")
    assert names(parsed) == ["1", "2", "3"]
    assert not parsed.losses
    assert server.asked == ["/list", "/list?page=2", "/list?page=3"]


def test_pages_are_followed_by_a_cursor(serve, read) -> None:
    cursors = {"": {"i": items(1), "c": "a b"}, "a b": {"i": items(2), "c": 7}, "7": {"i": items(3)}}
    server = serve(lambda _, query: Said(cursors[query.get("after", "")]))
    assert names(read(f"{server.url}/?size=1", items="i", next="c", page_parameter="after")) == ["1", "2", "3"]
    assert server.asked == ["/?size=1", "/?size=1&after=a+b", "/?size=1&after=7"]


@pytest.mark.parametrize("end", [Said([]), Said({"error": "no such page"}, 404), Said({"error": "bad page"}, 400)])
@pytest.mark.parametrize("first", [0, 1])
def test_pages_are_counted_until_there_is_none(serve, read, end: Said, first: int) -> None:
    server = serve(lambda _, query: Said(items(int(query["p"]))) if int(query["p"]) < first + 3 else end)
    parsed = read(f"{server.url}/list?p=99", page_parameter="p", first_page=first)
    assert names(parsed) == [str(first + number) for number in range(3)]
    assert not parsed.losses


def test_a_page_that_comes_again_ends_the_reading_and_is_told(serve, read) -> None:
    same = serve(lambda *_: Said(items(1)))
    assert read(same.url, page_parameter="page") == Parsed(
        read(same.url).contents, (Loss("page 2", "is one that was read before; no page after it was read"),)
    )
    circle = serve(lambda path, _: Said({"items": items(1 + (path == "/b")), "next": "/a" if path == "/b" else "/b"}))
    parsed = read(f"{circle.url}/a", items="items", next="next")
    assert names(parsed) == ["1", "2"]
    assert [loss.place for loss in parsed.losses] == ["page 3"]


def test_endless_pages_end(serve, read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MOST_PAGES", 4)
    server = serve(lambda _, query: Said(items(int(query["page"]))))
    parsed = read(server.url, page_parameter="page")
    assert names(parsed) == ["1", "2", "3", "4"]
    assert parsed.losses == (Loss("page 4", "is the last that is read; there are more"),)


def test_a_next_field_that_is_not_there_is_told(serve, read) -> None:
    server = serve(lambda *_: Said({"items": items(1), "links": {"next": "/x"}}))
    assert read(server.url, items="items", next="nxt").losses == (
        Loss("page 1", "has no field 'nxt'; no page after it was read"),
    )


def test_no_more_items_than_wanted_and_no_page_beyond(serve, read) -> None:
    server = serve(lambda _, query: Said(items(int(query["page"]), 100 + int(query["page"]))))
    assert names(read(server.url, page_parameter="page", maximum_documents=3)) == ["1", "101", "2"]
    assert len(server.asked) == 2


def test_the_same_item_twice_is_kept_once_and_another_of_its_id_refused(serve, read) -> None:
    shifting = serve(lambda _, query: Said(items(*{"1": (1, 2), "2": (2, 3)}.get(query["page"], ()))))
    assert names(read(shifting.url, page_parameter="page")) == ["1", "2", "3"]
    server = serve(lambda *_: Said([*items(1), {"id": "1", "text": "other"}, {"id": None, "text": "x"}]))
    with pytest.raises(DataError, match="page 1, item 1 and page 1, item 2 have the same id, '1', and differ"):
        read(server.url)


def test_a_busy_server_is_asked_again_as_late_as_it_says(serve, read, waits: list[float]) -> None:
    answers = [Said("", 503), Said("", 429, {"Retry-After": "7"}), Said("", 500, {"Retry-After": "soon"})]
    server = serve(lambda *_: answers.pop(0) if answers else Said(items(1)))
    assert names(read(server.url)) == ["1"]
    assert waits == [0.5, 7, 2]


@pytest.mark.parametrize(
    ("said", "times", "expected"),
    [
        (Said("", 503), 4, "the server answered HTTP 503, 4 times; try again later"),
        (Said("", 429, {"Retry-After": "3600"}), 1, "HTTP 429; it asks to wait 3,600 seconds"),
        (Said("", 429, {"Retry-After": "Fri, 31 Dec 2149 23:59:59 GMT"}), 1, "HTTP 429; it asks to wait"),
        (Said({"message": "no key abc"}, 401), 1, 'HTTP 401: {"message": "no key ***"}; check \'header\' and'),
        (Said(b"<html>no</html>", 403), 1, "the server answered HTTP 403; check 'header'"),
        (Said("gone", 404), 1, "the server answered HTTP 404: \"gone\"; check 'rest' under documents"),
        (Said(b"", 204), 1, "the server answered HTTP 204; check 'rest'"),
        (Said(b" <!doctype html><p>Log in", 200), 1, "the answer is a web page, not JSON; is there a login"),
        (Said(b"{'a': 1}"), 1, "the answer is not JSON (Expecting property name enclosed in double quotes at char"),
        (Said(b'["\xe9"]'), 1, "the answer is not UTF-8, as JSON must be"),
        (Said(b"[" * 100_000), 1, "the answer is not usable JSON"),
        (Said(b"1" * 5_000), 1, "the answer is not usable JSON"),
        (Said("", 302, {"Location": "/again"}), 6, "the server redirects more than 5 times"),
        (Said("", 302, {"Location": "file:///etc/passwd"}), 1, "'file:///etc/passwd', which is no http or https URL"),
        (Said("", 302, {"Location": "http://host:port/"}), 1, "which is no URL"),
        (Said("", 302), 1, "HTTP 302"),
        (Said({"id": 1}), 1, "items: the answer itself holds an object, not a list; there is no list in it"),
        (Said({"data": {"rows": []}, "tags": []}), 1, "not a list; the lists in it are 'data.rows', 'tags'"),
        (Said(["a"]), 1, "page 1, item 1 is a text, not an object"),
        (Said([{"ID": 1}]), 1, "id: no item has a field 'id'; there are ID"),
    ],
)
def test_an_error_says_what_and_where(serve, read, said: Said, times: int, expected: str) -> None:
    server = serve(lambda *_: said)
    with pytest.raises(DataError) as caught:
        read(f"{server.url}/list?x=1", {"KEY": "Bearer abc"}, header_variable="KEY")
    assert str(caught.value).startswith(f"list ({server.url}/list): ")
    assert expected in str(caught.value)
    assert len(server.asked) == times


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"items": "itmes"}, "items: 'itmes' is not there; the lists in it are 'items'"),
        ({"items": "next"}, "items: 'next' holds a number, not a list"),
        ({"items": "items", "next": "next"}, "next: 'next' holds a number, not a URL; to send it as a parameter"),
        ({"items": "items", "title": "txt"}, "title: no item has a field 'txt'; did you mean 'text'?"),
        ({"items": "items", "groups": "team"}, "groups: no item has a field 'team'; there are id, text"),
        ({"items": "items", "text": ("text", "text.a")}, "text: no item has a field 'text.a'; did you mean 'text'?"),
    ],
)
def test_a_field_that_is_not_there_is_refused(serve, read, settings: dict[str, Any], expected: str) -> None:
    server = serve(lambda *_: Said({"items": items(1, 2), "next": 5}))
    with pytest.raises(DataError) as caught:
        read(server.url, **settings)
    assert expected in str(caught.value)


def test_the_secret_header_goes_to_its_own_server_alone(serve, read) -> None:
    other = serve(lambda *_: Said({"items": items(2), "next": None}))
    own = serve(
        lambda path, _: {
            "/start": Said("", 307, {"Location": "/moved"}),
            "/moved": Said({"items": items(1), "next": "/away"}),
            "/away": Said("", 302, {"Location": f"{other.url}/list"}),
        }[path]
    )
    environment = {"TOKEN": " Bearer s3cret \n"}
    parsed = read(f"{own.url}/start", environment, items="items", next="next", header="X-Key", header_variable="TOKEN")
    assert names(parsed) == ["1", "2"]
    assert [headers.get("X-Key") for headers in own.headers] == ["Bearer s3cret"] * 3
    assert [headers.get("X-Key") for headers in other.headers] == [None]


def test_the_secret_header_does_not_come_back_from_another_server(serve, read) -> None:
    own = serve(lambda path, _: Said("", 302, {"Location": f"{other.url}/list"}) if path == "/a" else Said(items(1)))
    other = serve(lambda *_: Said("", 302, {"Location": f"{own.url}/b"}))
    assert names(read(f"{own.url}/a", {"TOKEN": "abc"}, header_variable="TOKEN")) == ["1"]
    assert [headers.get("Authorization") for headers in own.headers] == ["abc", None]


def test_a_variable_in_the_url_is_quoted_and_never_shown(serve, read) -> None:
    server = serve(lambda _, query: Said(items(1)) if query == {"key": "a b&c"} else Said(query, 418))
    url = f"{server.url}/list?key=${{KEY}}"
    assert names(read(url, {"KEY": "a b&c"})) == ["1"]
    with pytest.raises(DataError, match=r"list \(http://127.0.0.1:\d+/list\): .* HTTP 418: {\"key\": \"\*\*\*\"}"):
        read(url, {"KEY": "wrong"})
    with pytest.raises(UserError, match="the environment variable KEY is not set"):
        read(url)
    with pytest.raises(UserError, match="the environment variable TOKEN is not set"):
        read(server.url, header_variable="TOKEN")
    with pytest.raises(UserError, match="the environment variable TOKEN holds characters that no HTTP header may have"):
        read(server.url, {"TOKEN": "a\nb"}, header_variable="TOKEN")


def test_a_server_that_is_not_there_or_breaks_off(serve, read, waits: list[float]) -> None:
    with pytest.raises(DataError, match=r"the server cannot be reached: .*, 4 times; try again later"):
        read("http://127.0.0.1:9/list")
    server = serve(lambda *_: Said(items(1), 200, {"Content-Length": "999", "Connection": "close"}))
    with pytest.raises(DataError, match="the server cannot be reached"):
        read(server.url)
    assert waits == [0.5, 1, 2] * 2


def test_a_slow_server_and_a_page_without_end(serve, read, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = serve(lambda *_: Said(b"[", 200, {"Content-Length": "999"}))
    with pytest.raises(DataError, match=r"no answer within 0.05 seconds, 4 times; try again later"):
        read(silent.url, timeout_seconds=0.05)
    monkeypatch.setattr(fetch, "LARGEST_PAGE", 1_000_000)
    server = serve(lambda *_: Said(b" " * 1_100_000))
    with pytest.raises(DataError, match="a page is larger than 1 MB; ask for smaller pages"):
        read(server.url)


def test_progress_is_told(serve) -> None:
    seen: list[Progress] = []
    server = serve(lambda _, query: Said(items(*{"1": (1, 2), "2": (3,)}.get(query["page"], ()))))
    read_rest(RestSource(rest=f"{server.url}/list", page_parameter="page"), environment={}, notify=seen.append)
    assert [progress.done for progress in seen] == [2, 3, 3]
    assert {progress.task for progress in seen} == {"read list"}


KEYS = st.sampled_from(["a", "b", "a.b", "0"])


@given(whole=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
), path=st.sampled_from(["", "a", "b.a", "a.b", "a.0", "a.b.0.a", "0", "1.a", ".", "a..b", "a."]))  # fmt: skip
def test_any_path_into_any_json_finds_something_or_nothing(whole: Any, path: str) -> None:
    found = rest._value_at(whole, path)  # noqa: SLF001 - pure, and worth its own property
    assert found is rest._ABSENT or json.dumps(found) in json.dumps(whole)  # noqa: SLF001


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://host/api/articles.json?x=1", "articles"),
        ("https://host/api/${TENANT}/articles/", "articles"),
        ("https://me:secret@host:8080", "host"),
    ],
)
def test_a_source_is_called_by_its_url_and_shows_no_secret(url: str, label: str) -> None:
    assert RestSource(rest=url).label == label
    assert "secret" not in repr(RestSource(rest=url))
