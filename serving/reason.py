"""What a reason is: features that an engineer would name in one breath, and what they say. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass

# A condition and the words where it holds, both SQL.
Case = tuple[str, str]


@dataclass(frozen=True)
class Reason:
    """Some features and two sentences: where they speak for a machine, and where they speak for a person.

    The sentences are SQL over the aliases of `features.query` (`x` is the feature table) and `q`, the table
    `reputations`. They are NULL where the values hold nothing to say, so that an unknown value never reads as a number.
    """

    name: str
    features: tuple[str, ...]
    machine: str
    person: str


def chosen(*cases: Case) -> str:
    """Return the SQL of the first words whose condition holds, NULL where none does."""
    return "CASE " + " ".join(f"WHEN {condition} THEN {words}" for condition, words in cases) + " END"
