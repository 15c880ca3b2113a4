"""Entry points of other distributions: looked up without an import, and errors that name the distribution."""

import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from weighbridge import extensions
from weighbridge.answer.build import Parts, build_own
from weighbridge.errors import ExtensionError, WorkspaceError
from weighbridge.extensions import extension_names, extension_origin, load_extension
from weighbridge.ingest.files.cache import cache_key
from weighbridge.ingest.files.kinds import reader_of, sniff, version_of
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.protocols import NONE, NOTHING, NoDemonstrations, Nothing, OwnStrategy
from weighbridge.retrieve.stores.open import open_store


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    find = extensions.entry_points_of

    def add(name, version, points):
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[weighbridge.metrics]\n{points}\n")
        find.cache_clear()
        return tmp_path

    yield add
    find.cache_clear()


def test_a_part_is_loaded_with_the_distribution_it_comes_from(install):
    folder = install("tides", "2.1", "tidal = tides_metric:Tidal")
    (folder / "tides_metric.py").write_text("class Tidal:\n    name = 'tidal'\n")
    assert extension_names("weighbridge.metrics") == ("tidal",)
    assert extension_names("weighbridge.stores") == ()
    assert extension_origin("weighbridge.metrics", "tidal") == "tides 2.1"
    assert "tides_metric" not in sys.modules, "names are looked up without an import"
    found = load_extension("weighbridge.metrics", "tidal")
    assert (found.part.name, found.origin) == ("tidal", "tides 2.1")


def test_what_cannot_be_imported_names_its_distribution(install):
    folder = install("tides", "2.1", "gone = tides_gone:Tidal\nraises = tides_raises:Tidal")
    (folder / "tides_raises.py").write_text("raise RuntimeError('no tide today')\n")
    with pytest.raises(ExtensionError, match=r"tides 2\.1 offers 'gone'.*ModuleNotFoundError.*repair or uninstall"):
        load_extension("weighbridge.metrics", "gone")
    with pytest.raises(ExtensionError, match="RuntimeError: no tide today"):
        load_extension("weighbridge.metrics", "raises")


def test_an_unknown_name_is_told_what_is_offered(install):
    install("tides", "2.1", "tidal = tides_metric:Tidal")
    with pytest.raises(ExtensionError, match=r"no installed distribution offers 'tide'.*offered are: tidal"):
        load_extension("weighbridge.metrics", "tide")
    with pytest.raises(ExtensionError, match="offered are: none"):
        load_extension("weighbridge.stores", "tide")


def test_two_distributions_may_not_offer_one_name(install):
    install("tides", "2.1", "tidal = tides_metric:Tidal")
    install("waves", "0.1", "tidal = waves:Tidal")
    with pytest.raises(
        ExtensionError, match=r"(tides 2\.1 and waves 0\.1|waves 0\.1 and tides 2\.1) both offer 'tidal'"
    ):
        load_extension("weighbridge.metrics", "tidal")
    assert extension_origin("weighbridge.metrics", "tidal") == ""


def test_a_point_without_a_distribution_has_a_name(monkeypatch):
    point = EntryPoint("lone", "json:loads", "weighbridge.metrics")
    monkeypatch.setattr(extensions, "entry_points_of", lambda _: {"lone": (point,)})
    assert load_extension("weighbridge.metrics", "lone").origin == "an unknown distribution"


def fail(*_):
    raise KeyError("tide")


def refuse(*_):
    raise WorkspaceError("the harbour is closed")


def keep(parts):
    return SimpleNamespace(parts=parts, fingerprint="kept")


def open_nothing(*_):
    return SimpleNamespace(layout="rows 3")


broken = OwnStrategy(build=fail)
closed = OwnStrategy(build=keep)
reading = OwnStrategy(build=keep, reads=True)
showing = OwnStrategy(build=keep, shows=True)


@pytest.fixture
def offer(monkeypatch):
    """Offers parts of this file, as one or several distributions would."""

    def offer(group, name, *parts):
        points = tuple(EntryPoint(name, f"{__name__}:{part}", group) for part in parts)
        monkeypatch.setattr(extensions, "entry_points_of", lambda wanted: {name: points} if wanted == group else {})

    return offer


def test_a_strategy_or_a_store_that_fails_names_its_distribution(offer, tmp_path):
    offer("weighbridge.strategies", "tidal", "broken")
    parts = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=1)
    with pytest.raises(ExtensionError, match=r"its strategy 'tidal' cannot be built \(KeyError: 'tide'\)"):
        build_own("tidal", parts, fail)
    offer("weighbridge.stores", "tidal", "fail")
    with pytest.raises(ExtensionError, match="its store 'tidal' cannot be opened"):
        open_store("tidal:a", tmp_path)
    offer("weighbridge.stores", "tidal", "refuse")
    with pytest.raises(WorkspaceError, match=r"^the harbour is closed$"):
        open_store("tidal:a", tmp_path)


def test_a_file_that_two_distributions_read_is_not_guessed(offer, tmp_path):
    offer("weighbridge.readers", "tides", "fail", "refuse")
    file = tmp_path / "may.tides"
    file.write_text("high water at 5\n")
    with pytest.raises(ExtensionError, match="both offer 'tides'"):
        reader_of(sniff(file))


def test_another_release_of_a_reader_reads_its_files_and_archives_again(monkeypatch, tmp_path):
    """Readings are kept by these keys."""
    own, text = tmp_path / "may.tides", tmp_path / "may.txt"
    for file in (own, text):
        file.write_text("high water at 5\n")
    keys = []
    for version in ("2.1", "2.2"):
        point = EntryPoint("tides", f"{__name__}:fail", "weighbridge.readers")
        vars(point).update(dist=SimpleNamespace(name="tides", version=version))
        monkeypatch.setattr(extensions, "entry_points_of", lambda _, point=point: {"tides": (point,)})
        limits = ReadingLimits()
        keys.append((cache_key(own, limits), version_of("reader:tides"), version_of("zip"), cache_key(text, limits)))
    before, after = keys
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False, False, True]


@pytest.mark.parametrize("own", ["closed", "reading", "showing"])
def test_a_strategy_gets_documents_and_examples_only_where_it_says_so(offer, own):
    """What it gets is what is counted as its cost."""
    found, examples = Nothing("found"), NoDemonstrations("examples")
    offer("weighbridge.strategies", "tidal", own)
    parts = Parts(task="answer", about="", choices=(), retriever=found, demonstrations=examples, limit=1)
    handed = build_own("tidal", parts, fail).strategy.parts
    assert handed.retriever == (found if own == "reading" else NOTHING)
    assert handed.demonstrations == (examples if own == "showing" else NONE)


def test_the_distribution_of_a_store_is_part_of_its_layout(offer, tmp_path):
    """An index is built again where the layout is another."""
    offer("weighbridge.stores", "tidal", "open_nothing")
    assert open_store("tidal", tmp_path).layout == "an unknown distribution rows 3"
