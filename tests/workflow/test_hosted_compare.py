"""A model tuned at an endpoint is weighed like any other arm, by the command that weighs them all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from weighbridge.settings.file import load_settings
from weighbridge.train.registry import promoted_adapter
from weighbridge.wiring.reporter import SILENT
from weighbridge.workflow.compare import compare
from weighbridge.workspace import Workspace

from ..hosted_server import BASE, HostedServer, hosted_server

pytestmark = [pytest.mark.models, pytest.mark.usefixtures("latency_here")]
SHIPS = "Amber Birch Coral Dover Ember Flint Grove Hazel Ivory Jolly Karst Larch Maple Nacre Ochre Pearl Quill"


@pytest.fixture
def server() -> Iterator[HostedServer]:
    with hosted_server() as running:
        yield running


def test_a_hosted_arm_is_weighed(server: HostedServer, tmp_path: Path, minilm: Path) -> None:
    rows = [
        {"id": ship, "question": f"Which berth has the {ship}?", "answers": [f"Berth {number}"], "family": ship}
        for number, ship in enumerate(SHIPS.split(), start=20)
    ]
    (tmp_path / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "weighbridge.yaml").write_text(
        "examples: examples.jsonl\nstrategies: [prompt, fine-tuned]\ntask: answer\n"
        f"model: {{engine: openai, reference: {BASE}, base_url: '{server.url}'}}\n"
        "splits: {by: family, dev: 0.15, test: 0.2}\n"
        "training: {hosted: {poll_seconds: 0.001, price_per_million: 3}}\n"
        "prices: {input_per_million: 1, output_per_million: 2}\n"
        "measure: {latency_questions: 2}\n"
        f"retrieval: {{embedder: {str(minilm)!r}}}\n"
    )
    workspace = Workspace(tmp_path)
    settings = load_settings(workspace.settings_file)
    refused = compare(settings, workspace, SILENT)
    assert [one.strategy for one in refused.measurements] == ["prompt"]
    assert "fine-tuned is left out" in refused.left_out[0]
    weighing = compare(settings, workspace, SILENT, agree=lambda _: True)
    card = promoted_adapter(workspace, "fine-tuned")
    assert card is not None
    assert card.hosted.startswith("ft:")
    assert [one.strategy for one in weighing.measurements] == ["prompt", "fine-tuned"]
    tuned = weighing.measurements[1]
    assert tuned.cost is not None
    assert tuned.cost.upfront >= card.training.tokens * 3 / 1e6 > 0
    assert all(one.failures == 0 for one in weighing.measurements)
