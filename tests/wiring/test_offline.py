"""With `needs.limits.offline` nothing is read from, or sent to, another machine."""

from typing import Any

import pytest

from weighbridge.errors import SettingsError
from weighbridge.settings.schema import Settings
from weighbridge.wiring.cluster import cluster
from weighbridge.wiring.offline import require_local_address, require_local_source

ROWS = {"query": "select 1", "id": "id"}
REMOTE: list[tuple[Any, str]] = [
    ({"objects": "s3://bucket/manuals"}, "s3://bucket"),
    ({"objects": "gs://bucket"}, "gs://bucket"),
    ({"objects": "https://files.example/manuals"}, "https://files.example"),
    ({"objects": "s3://bucket/a", "options": {"endpoint_url": "http://minio.example:9000"}}, "s3://bucket"),
    ({"rest": "https://api.example/pages", "id": "id"}, "https://api.example"),
    ({"sql": "postgresql://reader:${SECRET}@db.example/shop", **ROWS}, "postgresql://db.example"),
]
LOCAL: list[Any] = [
    {"objects": "memory://manuals"},
    {"objects": "file:///srv/manuals"},
    {"objects": "s3://bucket/a", "options": {"endpoint_url": "http://127.0.0.1:9000"}},
    {"rest": "http://localhost:8000/pages", "id": "id"},
    {"sql": "sqlite:///shop.db", **ROWS},
    {"sql": "postgresql://reader@127.0.0.1/shop", **ROWS},
    "docs",
]


def settings_of(documents: Any = "docs", *, offline: bool = True, distribute: str = "local") -> Settings:
    needs = {"limits": {"offline": offline}}
    return Settings.model_validate({"documents": documents, "needs": needs, "distribute": distribute})


@pytest.mark.parametrize(("documents", "where"), REMOTE)
def test_documents_of_another_machine_are_refused_without_their_secrets(documents: Any, where: str) -> None:
    offline, online = settings_of(documents), settings_of(documents, offline=False)
    with pytest.raises(SettingsError, match=f"offline is true, and documents would be read from {where}; ") as caught:
        require_local_source(offline.sources[0], offline, environment={"SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)
    require_local_source(online.sources[0], online)


@pytest.mark.parametrize("documents", LOCAL, ids=str)
def test_documents_of_this_machine_are_read(documents: Any) -> None:
    settings = settings_of(documents)
    require_local_source(settings.sources[0], settings)


def test_a_cluster_or_a_database_elsewhere_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"documents and questions would be sent to 10\.0\.0\.7; take one on this"):
        cluster(settings_of(distribute="ray:10.0.0.7:6379"))
    for here in ("local", "ray", "ray:127.0.0.1:6379"):
        cluster(settings_of(distribute=here))
    cluster(settings_of(distribute="ray:10.0.0.7:6379", offline=False))
    with pytest.raises(SettingsError, match=r"passages would be sent to postgresql://db\.example"):
        require_local_address("passages", "postgresql://me:${PASSWORD}@db.example/index", settings_of())
    for store in ("faiss", "postgresql://me@localhost/index"):
        require_local_address("passages", store, settings_of())
