"""Why an event was called automated, or why nobody can say: up to three reasons in words, the strongest first.

What each reason adds to the margin comes from the trees (`serving.attribution`); the words come from its values
(`serving.reason_words`), in SQL over all events.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.arrow_columns import numbers
from serving.attribution import Attribution
from serving.booster import read_trees
from serving.model import BotClickModel
from serving.reason_words import ADDRESS_WORDS, AGENT_WORDS, MACROS, REASONS

MOST_REASONS = 3
# Some reasons have nothing to say of an event, so that more than three are ranked.
_RANKED = {"machine": 6, "person": 4}
_RANK_COLUMNS = tuple(f"{side}_{place}" for side, places in _RANKED.items() for place in range(places))
# Below this part of the strongest, what a reason adds is no reason.
_LEAST_PART = 0.15
_NO_REASON = 255
_ROWS = 65_536  # explained at a time, in some 100 MB
# Put into words at a time: the lists of sentences stay in memory until they are joined.
BATCH_EVENTS = 500_000
NO_WORDS = "many weak signs together"


class Explainer:
    """A model's probabilities a batch at a time, and in the end the reasons behind them.

    `ranks` has the reasons of every row judged so far, in order. Rows to be explained wait until there are many: it
    costs hardly less to explain a hundred of them than ten thousand.
    """

    def __init__(self, model: BotClickModel) -> None:
        self._model = model
        self._attribution = _attribution(model.booster_text, model.feature_names)
        self._least = min(entry.human for entry in model.thresholds.values())
        self._waiting: list[NDArray[np.float32]] = []
        self._explained: list[NDArray[np.uint8]] = []
        self._is_explained: list[NDArray[np.bool_]] = []

    def probability(self, X: NDArray[np.float32], threads: int = 0) -> NDArray[np.float64]:
        """Return the probability of each row of X, and keep in mind which are to be explained."""
        probability = self._model.probability(X, threads)
        doubtful = probability >= self._least
        self._is_explained.append(doubtful)
        self._waiting.append(X[doubtful])
        if sum(map(len, self._waiting)) >= _ROWS:
            self._explain_waiting()
        return probability

    def ranks(self) -> NDArray[np.uint8]:
        """Return numbers of `REASONS`, shape (n, 10), for all rows judged so far.

        Six that speak for a machine and four that speak for a person, the strongest first; 255 where there are no
        more, and throughout where every threshold calls human.
        """
        self._explain_waiting()
        is_explained = np.concatenate([np.empty(0, np.bool_), *self._is_explained])
        result = np.full((len(is_explained), len(_RANK_COLUMNS)), _NO_REASON, dtype=np.uint8)
        result[is_explained] = np.concatenate([result[:0], *self._explained])
        return result

    def _explain_waiting(self) -> None:
        X = np.concatenate([np.empty((0, len(self._model.feature_names)), np.float32), *self._waiting])
        self._waiting.clear()
        for part in np.array_split(X, max(1, -(-len(X) // _ROWS))):
            self._explained.append(ranked(self._attribution.groups(part)))

    def contributions(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what each reason adds to the margin of each row, and in the last column the bias: they sum to it."""
        bias = np.full(len(X), self._attribution.bias)
        return np.column_stack([self._attribution.groups(X), bias])


@lru_cache(maxsize=2)
def _attribution(booster_text: str, feature_names: tuple[str, ...]) -> Attribution:
    return Attribution(read_trees(booster_text), reason_numbers(feature_names), len(REASONS))


def reason_numbers(feature_names: Sequence[str]) -> NDArray[np.int64]:
    """Return for each feature the number of its reason."""
    number = {feature: number for number, reason in enumerate(REASONS) for feature in reason.features}
    return np.array([number[name] for name in feature_names], dtype=np.int64)


def ranked(added: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return the reasons that count, strongest first, of what each adds: see `Explainer.ranks`."""
    return np.column_stack([_strongest(added, _RANKED["machine"]), _strongest(-added, _RANKED["person"])])


def _strongest(added: NDArray[np.floating[Any]], places: int) -> NDArray[np.uint8]:
    order = np.argsort(-added, axis=1, kind="stable")[:, :places]
    strength = np.take_along_axis(added, order, axis=1)
    counts = (strength > 0) & (strength >= _LEAST_PART * strength[:, :1])
    return np.where(counts, order, _NO_REASON).astype(np.uint8)


def rank_columns(ranks: NDArray[np.uint8]) -> dict[str, pa.Array]:
    """Return the ranks as the columns that `explain` reads, NULL where there is no reason."""
    return {
        name: numbers(np.ascontiguousarray(column), column == _NO_REASON)
        for name, column in zip(_RANK_COLUMNS, ranks.T, strict=True)
    }


def explain(con: duckdb.DuckDBPyConnection, batch_events: int = BATCH_EVENTS) -> None:
    """Put the reasons into words: makes the table `explained` of event_row and reasons.

    It has the automated and unsure events of the table `predicted` (event_row, verdict, the columns of
    `rank_columns`), for which `facts`, `features`, `addresses`, `agents` and `reputations` are on the connection.
    """
    for macro in MACROS:
        con.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")
    for name, words in WORDED.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {words}")
    explain_nothing(con)
    ends = con.execute(_BATCH_ENDS, {"size": batch_events}).fetchall()
    for (after,), (last,) in itertools.pairwise([(-1,), *ends]):
        con.execute(f"INSERT INTO explained {_EXPLAINED}", {"after": after, "last": last})
    for name in WORDED:
        con.execute(f"DROP TABLE {name}")


def explain_nothing(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `explained` without a row: nobody asks for reasons."""
    con.execute("CREATE OR REPLACE TEMP TABLE explained (event_row BIGINT, reasons VARCHAR)")


# Words of addresses and agents, made once for each: tables that the sentences join.
WORDED = {
    "address_words": f"SELECT address_id, {ADDRESS_WORDS} AS words FROM addresses AS a",
    "agent_words": f"SELECT agent_id, kind, engine, engine_version, os, {AGENT_WORDS} AS words FROM agents AS g",
}
_BATCH_ENDS = """
    SELECT event_row
    FROM (
        SELECT event_row, row_number() OVER (ORDER BY event_row) AS number, count(*) OVER () AS n
        FROM predicted
        WHERE verdict <> 'human'
    )
    WHERE number % $size = 0 OR number = n
    ORDER BY event_row
"""
# The sentences for machines first, then those for people: one number for each.
_SENTENCES = " ".join(
    f"WHEN {number} THEN {words}"
    for number, words in enumerate([*(reason.machine for reason in REASONS), *(reason.person for reason in REASONS)])
)
_CODES = ", ".join(f"v.{name} + {len(REASONS) if name.startswith('person') else 0}" for name in _RANK_COLUMNS)
_BATCH = "event_row > $after AND event_row <= $last"
_EXPLAINED = f"""
    WITH ranks AS (
        SELECT event_row, verdict, unnest([{_CODES}]) AS code, unnest(range({len(_RANK_COLUMNS)})) AS place
        FROM predicted AS v
        WHERE verdict <> 'human' AND {_BATCH}
    ),
    sentences AS (
        SELECT
            v.event_row,
            v.place,
            v.code < {len(REASONS)} AS of_machine,
            CASE v.code {_SENTENCES} END AS words
        FROM ranks AS v
        JOIN (SELECT * FROM facts WHERE {_BATCH}) AS f ON v.event_row = f.event_row
        JOIN (SELECT * FROM features WHERE {_BATCH}) AS x ON v.event_row = x.event_row
        LEFT JOIN (SELECT * FROM reputations WHERE {_BATCH}) AS q ON v.event_row = q.event_row
        LEFT JOIN address_words AS a ON f.address_id = a.address_id
        LEFT JOIN agent_words AS g ON f.agent_id = g.agent_id
        WHERE v.code IS NOT NULL AND (v.verdict = 'unsure' OR v.code < {len(REASONS)})
    ),
    listed AS (
        SELECT
            event_row,
            -- Not in a WHERE, for which every sentence would be made twice.
            list(words ORDER BY place) FILTER (of_machine AND words IS NOT NULL) AS machine,
            list(words ORDER BY place) FILTER (NOT of_machine AND words IS NOT NULL) AS person
        FROM sentences
        GROUP BY event_row
    )
    SELECT
        v.event_row,
        coalesce(
            nullif(
                CASE v.verdict
                    WHEN 'automated' THEN array_to_string(l.machine[1:{MOST_REASONS}], '; ')
                    ELSE concat_ws('; ', 'like a machine: ' || l.machine[1], 'like a person: ' || l.person[1])
                END,
                ''
            ),
            '{NO_WORDS}'
        )
    FROM (SELECT * FROM predicted WHERE verdict <> 'human' AND {_BATCH}) AS v
    LEFT JOIN listed AS l ON v.event_row = l.event_row
"""
