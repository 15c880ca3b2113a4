"""The settings under `training:` in `weighbridge.yaml`: the data, the method and the second training of an adapter."""

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
ChosenPrecision = Literal["auto", "float32", "bfloat16"]
Reward = Literal["accuracy", "citation", "json", "abstention", "model"]


RATES: Mapping[Method, float] = {
    **dict.fromkeys(("lora", "rslora", "dora", "qlora"), 1e-3),
    "ia3": 5e-2,
    "prompt-tuning": 1e-1,
    "full": 1e-4,
}
"""The learning rate of each method. The fewer weights learn, the longer the steps can be, and must be.

With the rate of LoRA, full fine-tuning diverged (docs/log.md, 2026-11-20).
"""


class RaftSettings(Section):
    """For raft: changes to its retrieved prompts (Zhang et al., 2024)."""

    withheld: Share = 0.0
    """0 to 1: share of the examples without their evidence in the prompt."""
    withheld_target: Literal["abstain", "answer"] = "abstain"
    """The answer to learn without evidence: abstain, or answer (as published)."""
    distractors: Annotated[int, Field(ge=0)] = 0
    """Passages beside the evidence. 0 leaves the retrieved prompt as it is."""
    quotes: bool = False
    """true learns to quote the sentence that holds the answer before giving it."""


class PreferenceSettings(Section):
    """A second training after the supervised one."""

    method: Preference = "none"
    """none, dpo, kto, orpo or grpo."""
    pairs: Path | None = None
    """JSONL of pairs or thumbs. Empty makes them from attempts at the train questions."""
    beta: Above = 0.1
    """The pull towards the first training. More means less change."""
    learning_rate: Above = 5e-5
    """Step size at the start."""
    epochs: Positive = 1
    """Passes over the pairs."""
    samples: Positive = 4
    """Answers to try for each question."""
    temperature: Above = 0.9
    """The sampling temperature of these answers."""
    rewards: tuple[Reward, ...] = ("accuracy",)
    """For grpo: accuracy, citation, json, abstention, model. Their sum counts."""
    steps: Positive = 40
    """For grpo: training steps."""


class HostedSettings(Section):
    """For openai: fine-tuning at a server with OpenAI's fine-tuning API."""

    suffix: str = "weighbridge"
    """The end of the tuned model's name."""
    poll_seconds: Above = 10.0
    """Seconds between two requests for the status of the job."""
    price_per_million: Annotated[float, Field(ge=0)] | None = None
    """Price of a million trained tokens. Empty gives no estimate."""


class TrainingSettings(Section):
    """How fine-tuned and raft are trained."""

    method: Method = "lora"
    """lora, rslora, dora, qlora, ia3, prompt-tuning or full."""
    on: Literal["answers", "documents", "both"] = "answers"
    """answers, documents (continued pre-training), or both."""
    rank: Positive = 16
    """Size of the adapter. With prompt-tuning, its virtual tokens."""
    # Twice the rank: the search over ranks keeps this ratio.
    alpha: Positive = 32
    """Strength of the adapter."""
    layers: Annotated[int, Field(ge=0)] = 0
    """Blocks that learn, counted from the top. 0 means all."""
    learning_rate: Above | None = None
    """Step size at the start. Empty: the usual one of the method."""
    epochs: Positive = 2
    """Passes over the training examples."""
    patience: Positive = 2
    """Training ends after so many epochs without a better dev score."""
    batch_size: Positive = 8
    """Examples for each step."""
    precision: ChosenPrecision = "auto"
    """Of frozen weights: auto (the faster here), float32 or bfloat16."""
    maximum_examples: Positive = 128
    """Training examples to use. More are sampled down."""
    groups: tuple[Group, ...] = ()
    """Access groups to learn from too. Only who may see all of it is answered by the adapter."""
    made: Path | None = None
    """Examples from make-examples. They join the train split only. Empty: none."""
    seconds: Above | None = None
    """A longer training stops, and the next run continues it. Empty sets no limit."""
    dev_examples: Positive = 24
    """Dev examples to score after each epoch, to pick the best checkpoint."""
    learning_curve: bool = True
    """true trains on parts of the examples too, to tell whether more would help."""
    seed: int = 7
    """Orders the examples and draws the adapter's first weights."""
    raft: RaftSettings = RaftSettings()
    preference: PreferenceSettings = PreferenceSettings()
    hosted: HostedSettings = HostedSettings()

    @property
    def supervised_recipe(self) -> Mapping[str, Any]:
        """The settings of the supervised training. Those of later steps and of endpoints are left out."""
        after = {"preference", "hosted", "made", "groups", "learning_curve"}
        return {name: value for name, value in self.without_time_limit.items() if name not in after}

    @property
    def without_time_limit(self) -> Mapping[str, Any]:
        """The settings without the time limit. It does not change the result: a stopped training continues later."""
        # What auto chose is on the adapter's card. An adapter from another machine need not be trained again.
        unchosen = {"precision"} if self.precision == "auto" else set()
        return self.model_dump(mode="json", exclude={"seconds", *unchosen})

    @property
    def rate(self) -> float:
        """The learning rate of the first step."""
        return self.learning_rate or RATES[self.method]

    @property
    def with_rate(self) -> Self:
        """The settings with an explicit learning rate, as an adapter card records them."""
        return self.model_copy(update={"learning_rate": self.rate})

    @property
    def learnable_groups(self) -> frozenset[str]:
        """The access groups with examples and documents to learn from, besides the public ones."""
        return frozenset(self.groups)
