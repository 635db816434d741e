"""How many people are behind the judged messages: an expected number, and how far the model may be off.

The probability of an event is right on average over many senders. Of one sender's file it is not: the small doubt
about each clear reader comes from other senders' machines, and summed up it would take 1 to 3 % from every campaign.
So a message's chance is sharpened before it is summed, and the interval is not that of independent coins: it is as
wide as the errors on senders that the model had not seen, which come by the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from features.errors import ModelError
from features.schema import ENGAGEMENT

# Before the kind of event: the names under which the metrics of a model's manifest have it.
SPREAD = "people."
# Of a figure without any doubt, in messages: no model is that sure.
LEAST_DOUBT = 0.1


@dataclass(frozen=True)
class Expectation:
    """How one kind of event is counted.

    A message of which an event is a person's with chance h at best counts h^s / (h^s + (1 - h)^s) for `sharpness` s.
    `below` and `above` are how far the truth may lie under and over the sum, in units of `doubt`.
    """

    sharpness: float
    below: float
    above: float

    def __post_init__(self) -> None:
        if not (self.sharpness >= 1 and self.below >= 0 and self.above >= 0):
            raise ModelError(
                f"manifest: metrics: {SPREAD}…: sharpness {self.sharpness}, below {self.below}, above {self.above};"
                " a sharpness of at least 1 and units of at least 0 are needed; train the model again"
            )

    def expected(self, hope: str) -> str:
        """SQL of what a message counts, of SQL of the best chance that a person made one of its events."""
        person, machine = (f"({chance}) ^ {self.sharpness!r}" for chance in (hope, f"1 - {hope}"))
        return f"coalesce({person} / ({person} + {machine}), 0)"

    def low(self, people: str, doubt: str) -> str:
        """SQL of the lower end: `people` expected, `doubt` the sum of 1 - h over messages with h of a half or more."""
        return f"greatest({people} - {self.below!r} * {_allowance(doubt)}, 0)"

    def high(self, people: str, doubt: str, raw: str) -> str:
        """SQL of the upper end, `raw` at most: `doubt` the sum of h over messages with h below a half."""
        return f"least({people} + {self.above!r} * {_allowance(doubt)}, {raw})"


def allowance(doubt: Any) -> Any:
    """The unit of the interval: what is doubtful, more than that where it is little, and never nothing.

    >>> allowance(4.0)
    6.1
    """
    return doubt + doubt**0.5 + LEAST_DOUBT


def _allowance(doubt: str) -> str:
    return f"({doubt} + sqrt({doubt}) + {LEAST_DOUBT})"


# For a model that says nothing of a kind of event: as measured on 180 simulated worlds that a model had not seen.
USUAL: Mapping[str, Expectation] = {
    "opened": Expectation(sharpness=3.0, below=2.274, above=2.17),
    "clicked": Expectation(sharpness=2.0, below=2.445, above=3.183),
    "unsubscribed": Expectation(sharpness=3.0, below=0.842, above=2.188),
}


def expectations(metrics: Mapping[str, Any]) -> dict[str, Expectation]:
    """How people are counted, by kind of event, of the metrics of a manifest.

    What they lack is counted as is usual. Raises ModelError where they say what cannot be.
    """
    found = dict(USUAL)
    for name in ENGAGEMENT:
        if (measured := metrics.get(f"{SPREAD}{name}")) is not None:
            try:
                found[name] = Expectation(**measured)
            except TypeError as error:
                raise ModelError(f"manifest: metrics: {SPREAD}{name}: {error}; train the model again") from error
    return found


def described(of: Mapping[str, Expectation]) -> dict[str, dict[str, float]]:
    """The same as metrics have it: what `expectations` reads."""
    return {f"{SPREAD}{name}": asdict(entry) for name, entry in of.items()}
