"""The probability that people call an answer right, from its features: boosted trees, kept as a file of numbers.

The file is made by `benchmarks/answer_equivalence.py train` from answers that people judged (EVOUNA, Wang et al. 2023,
Apache-2.0). It needs no library to be read, and holds no text of the data.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import exp

_FILE = "classifier.json"


@dataclass(frozen=True, slots=True)
class DecisionTree:
    """One decision tree. A node with a negative `feature` is a leaf and adds its `value`."""

    feature: Sequence[int]
    threshold: Sequence[float]
    left: Sequence[int]
    right: Sequence[int]
    value: Sequence[float]

    def predict(self, row: Sequence[float]) -> float:
        """Return the tree's part of the log-odds. A feature goes left where it is at most the threshold."""
        node = 0
        while self.feature[node] >= 0:
            node = self.left[node] if row[self.feature[node]] <= self.threshold[node] else self.right[node]
        return self.value[node]


@dataclass(frozen=True, slots=True)
class Classifier:
    """Boosted trees (Friedman 2001): the log-odds are the sum over the trees."""

    features: tuple[str, ...]
    baseline: float
    trees: tuple[DecisionTree, ...]
    threshold: float
    """An answer of at least this probability counts as right."""
    fingerprint: str
    """Of the whole file: answers graded by another file are graded again."""

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability that a person calls the answer right; `KeyError` where a feature is missing."""
        row = [features[name] for name in self.features]
        return 1 / (1 + exp(-self.baseline - sum(tree.predict(row) for tree in self.trees)))


@cache
def load_classifier() -> Classifier:
    """Read the classifier that comes with the package."""
    content = files(__package__).joinpath(_FILE).read_bytes()
    made = json.loads(content)
    return Classifier(
        features=tuple(made["features"]),
        baseline=made["baseline"],
        trees=tuple(DecisionTree(**tree) for tree in made["trees"]),
        threshold=made["threshold"],
        fingerprint=sha256(content).hexdigest()[:16],
    )
