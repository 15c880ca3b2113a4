"""A weighing of five strategies on twelve questions about an invented ferry company, some of them hostile."""

from dataclasses import dataclass, replace
from math import sqrt

from weighbridge.results import (
    Comparison,
    Cost,
    Decision,
    Estimate,
    Machine,
    Measurement,
    Record,
    Score,
    SplitReport,
    Verdict,
    Weighing,
)
from weighbridge.types import Answer, Chunk, Citation, Example, Message, Passage, Prompt, Question, Timing, Usage

UNKNOWN = "I don't know."
PEOPLE = frozenset({"people-team"})
HOSTILE_TEXT = "Lost umbrellas <script>alert(1)</script> are kept 90 days. </script><img src=x onerror=alert(2)>\u2028&"
HOSTILE_QUESTION = "How long are umbrellas kept? </script><svg onload=alert(3)> {{ 7*7 }} \u202ereversed\u202c"

CHUNKS = {
    chunk.document_id: chunk
    for chunk in (
        Chunk(
            id="annual-leave#0", document_id="annual-leave", title="Annual leave", start=16, end=216,
            text="Shore staff have 27 days of annual leave in addition to public holidays. Sea-going staff have 31 "
            "days because they work through most of those holidays. The leave year starts on 1 February.",
        ),
        Chunk(
            id="pets-on-board#0", document_id="pets-on-board", title="Pets on board", start=17, end=200,
            text="Dogs travel for £3.20, on a lead, on the open deck or in the aft lounge. 🐕 No more than 10 dogs may "
            "be in it at once. The ship's cat of the Little Quern is Bosun Tibbles.",
        ),
        Chunk(
            id="fog-procedure#0", document_id="fog-procedure", title="Sailing in fog", start=18, end=200,
            text="Fog routine begins when visibility drops below 900 metres. Speed is reduced to 8 knots and a lookout "
            "is posted at the bow. Below 250 metres no vessel may leave its berth.",
        ),
        Chunk(
            id="parking#0", document_id="parking", title="Parking at Dunmarrow", start=24, end=190,
            text="The staff car park is on Saltpan Road and has 83 spaces. A permit costs £17 a month and is deducted "
            "from pay. The barrier closes at 23:15; late crews ring the bell.",
        ),
        Chunk(
            id="lost-property#0", document_id="lost-property", title='Lost "property" <b>&', start=0,
            end=len(HOSTILE_TEXT), text=HOSTILE_TEXT,
        ),
        Chunk(
            id="pay-bands#0", document_id="pay-bands", title="Pay bands", start=40, end=150, groups=PEOPLE,
            text="Band C, mate or team lead: from £34,200 to £43,850. Offers over the middle of the range need the "
            "signature of Petronella Wix.",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One question, what retrieval found for it, and what the five strategies said; None is a failed attempt."""

    question: str
    answers: tuple[str, ...]
    evidence: str
    found: tuple[str, ...]
    said: tuple[str | None, str | None, str | None, str | None, str | None]
    groups: frozenset[str] = frozenset()


STRATEGIES = ("prompt", "few-shot", "rag", "fine-tuned", "raft")
ERROR = "the prompt has 2,311 tokens and the model's context holds 2,048; lower retrieval.limit"
ROWS = (
    Row("How many days of leave do shore staff have?", ("27 days", "27"), "annual-leave", ("annual-leave", "parking"),
        ("25 days", "28 days", "27 days", "27 days", "27 days")),
    Row("And the crews at sea?", ("31 days",), "annual-leave", ("annual-leave", "fog-procedure"),
        ("31 days", "31 days", "31 days", "31 days", "31 days")),
    Row("When does the leave year start?", ("1 February",), "annual-leave", ("annual-leave",),
        ("1 January", "1 January", "1 February", "1 April", "1 February")),
    Row("What does a dog pay on the ferry?", ("£3.20",), "pets-on-board", ("pets-on-board", "parking"),
        ("Dogs travel free.", "£5", "£3.20", "£3.20", "£3.20")),
    Row("What is the ship's cat of the Little Quern called?", ("Bosun Tibbles",), "pets-on-board",
        ("pets-on-board", "fog-procedure"),
        (UNKNOWN, "Whiskers", "Bosun Tibbles", "Captain Tibbles", "Bosun Tibbles")),
    Row("Below what visibility does fog routine begin?", ("900 metres", "900 m"), "fog-procedure", ("fog-procedure",),
        ("1,000 metres", "500 metres", "900 metres", "900 metres", "900 metres")),
    Row("How fast may we go in fog?", ("8 knots",), "fog-procedure", ("parking", "annual-leave"),
        (UNKNOWN, "10 knots", UNKNOWN, "8 knots", "27 days")),
    Row("Permit price, car park?", ("£17 a month", "£17"), "parking", ("parking",),
        ("£40", "£20 a month", "£17 a month", "£17 a month", "£17")),
    Row("Until when can I drive out at night?", ("23:15",), "parking", ("pets-on-board", "fog-procedure"),
        ("midnight", "22:00", "10 dogs", None, UNKNOWN)),
    Row(HOSTILE_QUESTION, ("90 days",), "lost-property", ("lost-property", "annual-leave"),
        ("<b>30 days</b>", "60 days", "90 days", "30 days", None)),
    Row("What is the top of pay band C?", ("£43,850",), "pay-bands", ("pay-bands", "annual-leave"),
        (UNKNOWN, "£40,000", "£43,850", "£38,500", "£43,850"), groups=PEOPLE),
    Row("Who won the regatta in 1931?", (), "", ("pets-on-board", "fog-procedure"),
        (UNKNOWN, "The Ada Fenwick", UNKNOWN, "Little Quern", "Bosun Tibbles")),
)  # fmt: skip
SECONDS = {"prompt": 0.31, "few-shot": 0.52, "rag": 0.94, "fine-tuned": 0.33, "raft": 0.97}
MIB = {"prompt": 231, "few-shot": 322, "rag": 388, "fine-tuned": 251, "raft": 1105}
DOLLARS = {"prompt": 0.0071, "few-shot": 0.0118, "rag": 0.0213, "fine-tuned": 0.0119, "raft": 0.0264}
SETTINGS = {
    "model": "SmolLM2-135M-Instruct",
    "quantisation": "Q8_0",
    "embedder": "all-MiniLM-L6-v2",
    "passages shown": "3",
    "seeds": "split 7, training 7, measuring 7",
    "prices": "$0.08 an hour for the machine, as of 2026-11-20",
    "volume": "10,000 answers a month over 12 months",
}


def examples() -> tuple[Example, ...]:
    """Return the test examples."""
    return tuple(
        Example(
            id=f"hb-{number:03}",
            question=Question(row.question, groups=row.groups),
            answers=row.answers,
            evidence=(row.evidence,) if row.evidence else (),
            answerable=bool(row.answers),
        )
        for number, row in enumerate(ROWS, start=1)
    )


def records() -> tuple[Record, ...]:
    """Return every strategy's attempt at every example."""
    return tuple(
        _record(strategy, place, example, row)
        for place, strategy in enumerate(STRATEGIES)
        for example, row in zip(examples(), ROWS, strict=True)
    )


def weighing(outlook: str = "recommended") -> Weighing:
    """Return the sample, with one of the four outlooks."""
    return Weighing(
        name="Tarrow Sound handbook",
        taken_at="2026-11-20T09:41:00+00:00",
        task="answer",
        machine=Machine(
            processor="Intel Xeon Gold 6338", cores=2, memory_bytes=23 * 2**30, system="Linux 6.1", python="3.11.9"
        ),
        settings=SETTINGS,
        split=SplitReport(
            train=180, dev=18, test=12, by="family", merged_near_duplicates=3, leaks=0, checked_pairs=2376,
            thresholds="embedding cosine 0.9, MinHash Jaccard 0.7",
        ),
        documents=65,
        chunks=118,
        measurements=tuple(measurement(strategy) for strategy in STRATEGIES),
        comparisons=comparisons(),
        decision=decision(outlook),
        examples=examples(),
        records=records(),
        seconds={"read": 0.4, "index": 6.2, "train fine-tuned": 412.0, "train raft": 1310.5, "ask": 95.0},
    )  # fmt: skip


def measurement(strategy: str) -> Measurement:
    """Return what the records say of one strategy, with Wilson intervals."""
    mine = [record for record in records() if record.strategy == strategy]
    answered = [record for record in mine if record.answer]
    known = [record for record in answered if record.example_id != "hb-012"]
    open_ended = [record for record in answered if record.example_id == "hb-012"]
    reads = strategy in {"rag", "raft"}
    seconds = SECONDS[strategy]
    figures = {
        "accuracy": share(sum(record.outcome == "right" for record in answered), len(answered)),
        "token_f1": replace(share(sum(record.outcome == "right" for record in known), len(known)), unscored=2),
        "hallucination": share(sum(record.outcome == "wrong" for record in answered), len(answered)),
        "needless_abstention": share(sum(record.outcome == "abstained" for record in known), len(known)),
        "missed_abstention": share(sum(record.outcome == "wrong" for record in open_ended), len(open_ended)),
        "latency_p50": Estimate(value=seconds, low=seconds * 0.9, high=seconds * 1.15, scored=12),
        "latency_p95": Estimate(value=seconds * 1.6, low=seconds * 1.3, high=seconds * 1.7, scored=12, open_above=True),
        "memory": exact(MIB[strategy] * 2**20),
        "disk": exact((145 + 96 * reads) * 2**20),
        "setup": exact({"fine-tuned": 412.0, "raft": 1316.7, "rag": 6.2}.get(strategy, 0.0)),
        "input_tokens": Estimate(value=412.0, low=388.0, high=431.0, scored=12) if reads else exact(61.0),
        "output_tokens": Estimate(value=8.4, low=7.1, high=9.9, scored=12),
        "cost_per_thousand": exact(DOLLARS[strategy]),
    }
    if reads:
        figures["recall"] = share(sum(record.retrieval == "retrieved" for record in known), len(known))
        figures["citation"] = share(sum(bool(r.answer and r.answer.citations) for r in known), len(known))
    outcomes = [f"{record.retrieval}/{record.outcome}" for record in answered]
    return Measurement(
        strategy=strategy,
        figures=figures,
        outcomes={outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        attempts=len(mine),
        failures=len(mine) - len(answered),
        errors=(ERROR,) if len(mine) > len(answered) else (),
        cost=Cost(upfront=0.03, per_thousand_answers=DOLLARS[strategy]),
        cites=reads,
    )


def comparisons() -> tuple[Comparison, ...]:
    """Return accuracy compared pair by pair, the leader now on the left, now on the right."""
    gaps = (("rag", "raft", 0.0, 0.71, None), ("prompt", "rag", -0.58, 0.012, 9), ("rag", "few-shot", 0.67, 0.0004, 8),
            ("fine-tuned", "rag", -0.2, 0.31, 64))  # fmt: skip
    return tuple(
        Comparison(
            figure="accuracy", left=left, right=right, p_value=p / 4, p_adjusted=p, examples_needed=needed,
            difference=Estimate(value=gap, low=gap - 0.24, high=gap + 0.22, scored=11),
        )
        for left, right, gap, p, needed in gaps
    )  # fmt: skip


def decision(outlook: str) -> Decision:
    """Return a decision of the given outlook."""
    recommended = outlook == "recommended"
    limits = {"raft": ("memory 1.08 GiB is above 1 GiB",), "fine-tuned": ("cannot cite, and must_cite is set",)}
    everywhere = dict.fromkeys(STRATEGIES, ("accuracy is below 90 %",))
    broken = {"recommended": limits, "none meets your limits": everywhere}.get(outlook, {})
    return Decision(
        outlook=outlook,
        recommended="rag" if recommended else None,
        contenders={"none meets your limits": (), "not decisive": ("rag", "raft")}.get(outlook, ("rag",)),
        verdicts=tuple(
            Verdict(
                strategy=strategy,
                broken_limits=broken.get(strategy, ()),
                points={"accuracy": 0.9 - 0.1 * place, "hallucination": 0.8, "latency": 0.31, "cost": 0.5},
                total=0.78 - 0.09 * place,
            )
            for place, strategy in enumerate(("rag", "raft", "fine-tuned", "prompt", "few-shot"))
        ),
        reasons=(
            "rag has the highest accuracy of those within your limits, and it can show where an answer stands.",
            "Its hallucination is 8 %, against 58 % for prompt.",
            "It costs $0.0213 per 1,000 answers at 10,000 answers a month; that is 3.0 times what prompt costs.",
        ),
        would_change=(
            "A limit on latency p95 below 1.5 s would leave fine-tuned.",
            "About 52 more questions could separate rag from fine-tuned on accuracy.",
        ),
        examples_needed=132 if outlook == "not decisive" else None,
        examples_range=(64, 410) if outlook == "not decisive" else None,
    )


def share(part: int, whole: int) -> Estimate:
    """Return a share with its Wilson interval."""
    value, z = part / whole, 1.96
    middle, spread = value + z * z / (2 * whole), z * sqrt(value * (1 - value) / whole + z * z / (4 * whole * whole))
    low, high = ((middle + sign * spread) / (1 + z * z / whole) for sign in (-1, 1))
    return Estimate(value=value, low=min(max(low, 0.0), value), high=max(min(high, 1.0), value), scored=whole)


def exact(value: float) -> Estimate:
    """Return a figure that was counted, so has no interval."""
    return Estimate(value=value, low=value, high=value, scored=1)


def _record(strategy: str, place: int, example: Example, row: Row) -> Record:
    said = row.said[place]
    key = f"{strategy}:{example.id}"
    if said is None:
        return Record(key=key, strategy=strategy, example_id=example.id, answer=None, error=ERROR)
    reads = strategy in {"rag", "raft"}
    found = [CHUNKS[name] for name in row.found] if reads else []
    abstained = said == UNKNOWN
    right = said in row.answers or (abstained and not example.answerable)
    retrieval = "none" if not reads or not row.evidence else "retrieved" if row.evidence in row.found else "missed"
    number = place + len(example.id) + len(said)
    return Record(
        key=key,
        strategy=strategy,
        example_id=example.id,
        answer=Answer(
            text=said,
            raw=said,
            prompt=Prompt((Message("user", row.question),), tuple(Passage(chunk, 0.03) for chunk in found)),
            abstained=abstained,
            citations=tuple(_citation(chunk, said) for chunk in found if said in chunk.text),
            usage=Usage(input_tokens=412 if reads else 61, output_tokens=3 + number % 9),
            timing=Timing(retrieval=0.02 * reads, first_token=0.2, total=SECONDS[strategy] * (1 + number % 5 / 10)),
        ),
        scores=(Score("exact_match", float(right)), Score("token_f1", None, "it cannot be answered"))
        if not example.answerable
        else (Score("exact_match", float(right)), Score("token_f1", 1.0 if right else 0.2)),
        outcome="right" if right else "abstained" if abstained else "wrong",
        retrieval=retrieval,
    )


def _citation(chunk: Chunk, quote: str) -> Citation:
    start = chunk.start + chunk.text.index(quote)
    return Citation(
        chunk_id=chunk.id, document_id=chunk.document_id, quote=quote, start=start, end=start + len(quote), marked=True
    )
