"""The commands that decide from saved files: decide, needs."""

from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.console import open_console
from weighbridge.cli.options import HERE, Json, Root, open_workspace

if TYPE_CHECKING:
    from weighbridge.workflow.decide import WhatIf


def decide_command(
    workspace: Root = HERE,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="KEY=VALUE",
            help="Change a need or a price to see the decision then; may be repeated. Limits: latency.p95=2s, "
            "accuracy=80%, hallucination=5%, memory=8GiB, cost=0.5 (of 1,000 answers), offline=true, must_cite=true; "
            "none lifts one. Load: volume=1e6 (answers a month), months=24. Weights: weight.accuracy=5. Prices: "
            "machine.hour=0.5, tokens.in=0.2, tokens.out=0.8. Without a strategy: strategy.raft=without. Any other "
            "setting by its whole name: needs.indifference=1.",
        ),
    ] = None,
    schema: Annotated[
        str | None,
        typer.Option(help="Print the JSON schema of a saved file, and nothing else: decision, measurements."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take the decision again from the saved measurements, with the present needs and prices of weighbridge.yaml.

    It needs no model, no documents and no index. It saves decision.json and rewrites report.html. With --what-if it
    writes nothing, and shows the decision now beside the decision then.
    """
    if schema is not None:
        import json

        from weighbridge.evaluate.saved_schema import SCHEMAS, saved_schema

        if schema not in SCHEMAS:
            raise typer.BadParameter(f"'{schema}' is not one of {', '.join(SCHEMAS)}", param_hint="--schema")
        print(json.dumps(saved_schema(schema), indent=2, ensure_ascii=False))  # noqa: T201 - the result, for a program
        return
    from weighbridge.workflow.decide import decide_again, decide_what_if

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        if not what_if:
            taken = decide_again(settings, place, console.reporter)
            if as_json:
                from weighbridge.evaluate.weighing import DECISION, saved_text

                print(saved_text(DECISION, taken.decision), end="")  # noqa: T201 - the result, for a program
                return
            from weighbridge.report.what_if.decision_terminal import render_decision

            console.out.print(render_decision(taken))
            return
        found = decide_what_if(settings, place, what_if, console.reporter)
        if as_json:
            console.result(_what_if_json(found))
            return
        from weighbridge.decide.what_if.changes import describe_change
        from weighbridge.report.what_if.decision_terminal import render_what_if

        words = [describe_change(change, settings) for change in found.changes]
        console.out.print(render_what_if(found.now, found.then, found.contrast, words))


def _what_if_json(found: "WhatIf") -> dict[str, object]:
    return {
        "changes": [{"key": one.key, "value": one.text} for one in found.changes],
        "now": found.now.decision,
        "then": found.then.decision,
        "differences": found.contrast.differences,
        "same": found.contrast.same,
        "cost_per_thousand": {
            when: {
                one.strategy: estimate.value
                for one in taken.measurements.measurements
                if (estimate := one.figures.get("cost_per_thousand"))
            }
            for when, taken in (("now", found.now), ("then", found.then))
        },
    }
