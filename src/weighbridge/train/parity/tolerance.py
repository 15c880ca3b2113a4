"""How far rounding of weights moves a model, and so how far an export may be from its adapter.

Measured on SmolLM2-135M-Instruct, as docs/adr/0004-merge-and-gguf.md tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from weighbridge.train.export.gguf import Quantisation

_LEAST = 0.05
"""The share of a tolerance that is left if the adapter has no doubt at all."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The measured effect of rounding on a good export, and the tolerance: three to five times as much."""

    rounding: float
    """The measured effect in nats, mean over the places."""
    divergence: float
    """The tolerated effect in nats, mean over the places."""
    lead: float
    """A token must lead by this many nats to count: at least six standard deviations of rounding.

    Noise of deviation s on all log-probabilities makes a divergence of s**2 * doubt / 2, and a deviation of
    s * sqrt(2) between two of them.
    """
    doubt: float = 0.55
    """Mean `parity.Place.doubt` of the places it was seen at. Where the adapter is surer, rounding moves less, and so
    may the form; 0: rounding is so coarse that this does not hold."""

    def allowance(self, doubt: float) -> float:
        """Return the nats that a form may be away, mean over places of this mean doubt."""
        return self.divergence * min(max(doubt / self.doubt, _LEAST), 1.0) if self.doubt else self.divergence


TOLERANCES: Mapping[Quantisation, Tolerance] = {
    "F16": Tolerance(rounding=0.00001, divergence=0.001, lead=0.5),
    "BF16": Tolerance(rounding=0.0002, divergence=0.005, lead=0.5),
    "Q8_0": Tolerance(rounding=0.004, divergence=0.02, lead=1.0),
    "Q4_0": Tolerance(rounding=0.28, divergence=0.8, lead=8.5, doubt=0.0),
}
