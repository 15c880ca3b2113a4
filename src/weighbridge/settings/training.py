"""The nouns under `training:` in `weighbridge.yaml`: what an adapter learns, by which method, and what guards it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from weighbridge.settings.sources import Section

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Above = Annotated[float, Field(gt=0)]
Group = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]

Method = Literal["lora", "rslora", "dora", "qlora", "ia3", "prompt-tuning", "full"]
Preference = Literal["none", "dpo", "kto", "orpo", "grpo"]
Reward = Literal["accuracy", "citation", "json", "abstention", "model"]


RATES: Mapping[Method, float] = {
    **dict.fromkeys(("lora", "rslora", "dora", "qlora"), 1e-3),
    "ia3": 5e-2,
    "prompt-tuning": 1e-1,
    "full": 1e-4,
}
"""The learning rate of each method: few weights bear, and need, longer steps than all of them do."""


class RaftSettings(Section):
    """What `raft` is trained on besides its own retrieved prompts (RAFT, Zhang et al., 2024)."""

    withheld: Share = 0.0
    """Share of the examples whose evidence is taken out of the prompt, so that only distractors are left."""
    withheld_target: Literal["abstain", "answer"] = "abstain"
    """What is to be said without the evidence: that it is not known, or, as published, the answer all the same."""
    distractors: Annotated[int, Field(ge=0)] = 0
    """Passages besides the evidence, from this workload's own retriever; 0: the prompt as it is retrieved."""
    quotes: bool = False
    """Learn to quote the sentence that holds the answer before giving it."""


class PreferenceSettings(Section):
    """A second training after the supervised one: on pairs, on thumbs, or on rewards."""

    method: Preference = "none"
    pairs: Path | None = None
    """JSONL of pairs or thumbs; without one they are made from attempts at the train questions."""
    beta: Above = 0.1
    """How strongly the model is held to what it was before."""
    learning_rate: Above = 5e-5
    epochs: Positive = 1
    samples: Positive = 4
    """Answers tried for each question: to make pairs of, and to compare in a group."""
    temperature: Above = 0.9
    """Of those tries."""
    rewards: tuple[Reward, ...] = ("accuracy",)
    """grpo only: what an answer is rewarded for; the sum counts."""
    steps: Positive = 40
    """grpo only."""


class HostedSettings(Section):
    """Fine-tuning at an endpoint that speaks OpenAI's fine-tuning API: engine openai only."""

    suffix: str = "weighbridge"
    """What the tuned model's name ends in."""
    poll_seconds: Above = 10.0
    price_per_million: Annotated[float, Field(ge=0)] | None = None
    """Of a million trained tokens; without it no price is estimated."""


class TrainingSettings(Section):
    """How the tuned arms are trained, the same for `fine-tuned` and `raft`."""

    method: Method = "lora"
    on: Literal["answers", "documents", "both"] = "answers"
    """The examples' answers, the raw documents (continued pre-training), or both mixed."""
    rank: Positive = 16
    """Of the LoRA methods; with prompt-tuning, the number of virtual tokens."""
    alpha: Positive = 32
    layers: Annotated[int, Field(ge=0)] = 0
    """Blocks that learn, counted from the top; 0: all."""
    learning_rate: Above | None = None
    """Of the first step; without one that of the method, `RATES`."""
    epochs: Positive = 2
    patience: Positive = 2
    """Epochs without a better dev score after which training ends."""
    batch_size: Positive = 8
    maximum_examples: Positive = 128
    """Training examples used; more are sampled down, with the seed."""
    groups: tuple[Group, ...] = ()
    """Access groups whose examples and documents may be learnt too. The adapter then answers only askers who may see
    all that it learnt from; the others are answered by the base model."""
    made: Path | None = None
    """JSONL of examples made from the documents, which join the train split only."""
    seconds: Above | None = None
    """A time limit, no budget: a training that takes longer stops with a checkpoint, and the same command goes on from
    there. How much is learnt is up to `epochs` and `maximum_examples` alone."""
    dev_examples: Positive = 24
    """Dev examples scored after each epoch to pick the best checkpoint."""
    learning_curve: bool = True
    """Train on a quarter, a half and three quarters of the examples too, to tell whether more would help."""
    seed: int = 7
    raft: RaftSettings = RaftSettings()
    preference: PreferenceSettings = PreferenceSettings()
    hosted: HostedSettings = HostedSettings()

    @property
    def supervised(self) -> Mapping[str, Any]:
        """What the supervised training depends on besides its examples: all but what is done after it or elsewhere."""
        after = {"preference", "hosted", "made", "groups", "learning_curve"}
        return {name: value for name, value in self.without_time_limit.items() if name not in after}

    @property
    def without_time_limit(self) -> Mapping[str, Any]:
        """All that shapes what is learnt. A time limit does not: whoever raises it goes on from the checkpoint."""
        return self.model_dump(mode="json", exclude={"seconds"})

    @property
    def rate(self) -> float:
        """The learning rate of the first step."""
        return self.learning_rate or RATES[self.method]

    @property
    def settled(self) -> Self:
        """The same with the learning rate that its method gives it written down, as a card tells it."""
        return self.model_copy(update={"learning_rate": self.rate})

    @property
    def taught(self) -> frozenset[str]:
        """The access groups whose examples and documents may be learnt, besides what everybody may see."""
        return frozenset(self.groups)
