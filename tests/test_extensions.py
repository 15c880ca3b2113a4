"""Entry points of other distributions: looked up without an import, and errors that name the distribution."""

import sys
from importlib.metadata import EntryPoint

import pytest

from weighbridge import extensions
from weighbridge.errors import ExtensionError
from weighbridge.extensions import extension_names, extension_origin, load_extension


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
    with pytest.raises(ExtensionError, match=r"tides 2\.1 offers 'gone'.*ModuleNotFoundError.*mend or uninstall"):
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
