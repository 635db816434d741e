"""Where a model does worse than elsewhere: its figures by vendor, actor, device, platform, mailbox host and more.

A slice shows the loss of people only where it has enough of their events, and the recall only where it has enough of
machines'. Intervals are over organisations, and so is the difference from the whole, drawn together with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.table import Table
from rich.text import Text

from features.mailbox_host import HOSTS, mailbox_hosts
from features.schema import event_row
from serving.actor import ACTOR_SQL, HUMAN, VENDOR_SQL
from serving.campaign_table import printable
from serving.model import Thresholds
from serving.terminal_table import titled_table
from training.dataset import Dataset
from training.evaluate import Draws, Figure, judged, percent

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
# Fewer events of a class, or those of fewer organisations, show nothing of the next ones.
FEWEST_EVENTS = 30
FEWEST_ORGANISATIONS = 5
# A person looks at some sixty slices, so that one in twenty would differ by chance: one in a hundred, and one side.
CHANCE = 0.01
# With many organisations a difference of no use to anybody is beyond chance.
MARGINS: Mapping[str, float] = MappingProxyType({"loss": 0.001, "recall": 0.01, "unsure": 0.01})
MOST_SHOWN = 12
HOW_TO_READ = (
    "A slice is shown where it loses more people (by 0.1 points), finds fewer machines or leaves more unsure (by 1"
    " point) than all events together, and the draw of organisations does not explain it (1 % on one side)."
)
_NOTHING = Figure(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class SliceFigures:
    """The events whose `dimension` is `name`: counts, loss, recall and unsure of all, with 95 % intervals.

    A share is NaN below 30 events of its class, its interval below 5 organisations with such events. `worse` names
    the shares ("loss", "recall", "unsure") that are worse than those of all events, beyond chance and by `MARGINS`.
    """

    dimension: str
    name: str
    human: int
    automated: int
    loss: Figure
    recall: Figure
    unsure: Figure
    worse: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """Plain values under one name each, None for what is not known."""
        row: dict[str, Any] = {
            "dimension": self.dimension,
            "slice": self.name,
            "human": self.human,
            "automated": self.automated,
        }
        for measure in ("loss", "recall", "unsure"):
            figure: Figure = getattr(self, measure)
            for suffix, value in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
                row[measure + suffix] = value if np.isfinite(value) else None
        return {**row, "worse": " ".join(self.worse)}


def slice_columns(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """What each labelled event of the connection is, a text column a dimension, in the order of `dataset.labelled`.

    Ask right after that `labelled`: it needs the tables that it leaves. Vendor and network are those of the evidence,
    whoever the label says made it; the actor is "human" where the label says so.
    """
    con.register("labelled_domains", _hosts(con))
    table = con.sql(f"""
        WITH links_seen AS (
            SELECT camp, count(DISTINCT campaign_link) AS links
            FROM facts
            WHERE kind = 1 AND coalesce(honeypot, 0) = 0
            GROUP BY camp
        ),
        labelled AS (
            SELECT event_row, automated, 'automated' AS verdict FROM event_labels
        )
        SELECT
            coalesce({VENDOR_SQL}, 'not known') AS "vendor",
            CASE WHEN v.automated THEN replace({ACTOR_SQL}, '_', ' ') ELSE '{HUMAN}' END AS "actor",
            e.event_type AS "event type",
            CASE WHEN g.device IN ('mobile', 'tablet') THEN 'phone' WHEN g.device = 'desktop' THEN 'desktop'
                ELSE 'not known' END AS "device",
            e.source AS "platform",
            CASE WHEN e.recipient_domain IS NULL THEN 'not known' ELSE coalesce(h.host, 'own domain') END
                AS "mailbox host",
            CASE WHEN f.address_id IS NULL THEN 'no address'
                ELSE replace(coalesce(a.kind, a.category, 'not listed'), '_', ' ') END AS "network",
            CASE WHEN coalesce(f.n_links, nullif(s.links, 0)) IS NULL THEN 'not known'
                WHEN coalesce(f.n_links, s.links) = 1 THEN 'one' ELSE 'several' END AS "links of the mail",
            format('{{:02d}}-{{:02d}} h UTC', CAST(hour(e.timestamp) // 4 * 4 AS INTEGER),
                CAST(hour(e.timestamp) // 4 * 4 + 4 AS INTEGER)) AS "hour"
        FROM labelled AS v
        JOIN facts AS f ON v.event_row = f.event_row
        JOIN features AS x ON v.event_row = x.event_row
        JOIN events AS e ON v.event_row = {event_row("e")}
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        LEFT JOIN agents AS g ON f.agent_id = g.agent_id
        LEFT JOIN links_seen AS s ON f.camp = s.camp
        LEFT JOIN labelled_domains AS h ON e.recipient_domain = h.recipient_domain
        ORDER BY v.event_row
        """).to_arrow_table()
    con.unregister("labelled_domains")
    return table


def _hosts(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Each labelled recipient domain with the name of its mailbox host: recipient_domain, host; NULL for its own."""
    # Only the readers make it; events from elsewhere come without this table.
    con.execute("CREATE TEMP TABLE IF NOT EXISTS domains (recipient_domain VARCHAR, mx VARCHAR)")
    domains = con.sql(f"""
        SELECT DISTINCT e.recipient_domain, d.mx
        FROM event_labels AS l
        JOIN events AS e ON l.event_row = {event_row("e")}
        LEFT JOIN domains AS d ON e.recipient_domain = d.recipient_domain
        WHERE e.recipient_domain IS NOT NULL
        """).to_arrow_table()
    found = mailbox_hosts(domains["recipient_domain"].to_pylist(), domains["mx"].to_pylist())
    names = pa.array(HOSTS, pa.string()).take(found["host_code"].combine_chunks())
    return pa.table({"recipient_domain": found["recipient_domain"], "host": names})


def slice_figures(
    data: Dataset,
    probability: Floats,
    thresholds: Mapping[str, Thresholds],
    columns: pa.Table,
    *,
    seed: int = 7,
    repeats: int = 200,
) -> list[SliceFigures]:
    """Figures for each value of each text column of `columns` (a row an event of `data`), in the order of the columns.

    Values are sorted; NULL is no slice. Nothing for no events.
    """
    if not len(data):
        return []
    machine, unsure = judged(data.kind, probability, thresholds)
    people, everybody = data.y == 0, np.ones(len(data), dtype=bool)
    draws = Draws(data.organisation, seed=seed, repeats=repeats)
    measures = {
        "loss": _Measure(draws, machine & people, people, MARGINS["loss"]),
        "recall": _Measure(draws, machine & ~people, ~people, -MARGINS["recall"]),
        "unsure": _Measure(draws, unsure, everybody, MARGINS["unsure"]),
    }
    found = []
    for dimension in columns.column_names:
        names, code = _encoded(columns[dimension])
        of = {name: measure.by_slice(code, len(names)) for name, measure in measures.items()}
        for position, name in enumerate(names):
            rows = code == position
            shares = {measure: slices[position] for measure, slices in of.items()}
            found.append(
                SliceFigures(
                    dimension,
                    name,
                    human=int((rows & people).sum()),
                    automated=int((rows & ~people).sum()),
                    **{measure: figure for measure, (figure, _) in shares.items()},
                    worse=tuple(measure for measure, (_, is_worse) in shares.items() if is_worse),
                )
            )
    return found


def _encoded(column: pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int64]]:
    """The sorted distinct texts, and the position of each row's among them: -1 for NULL."""
    encoded = column.combine_chunks().dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    order = np.argsort(np.array(names, dtype=object), kind="stable")
    position = np.empty(len(names) + 1, dtype=np.int64)
    position[order], position[-1] = np.arange(len(names)), -1
    code = encoded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
    return [names[place] for place in order], position[code]


class _Measure:
    """A share of all events with its repeats: what the share of a slice is held against.

    `margin` is how much higher a share must be to be worse; below 0 a lower share is worse.
    """

    def __init__(self, draws: Draws, part: Flags, whole: Flags, margin: float) -> None:
        self._draws, self._part, self._whole, self._margin = draws, part, whole, margin
        [self._value], [self._repeats] = (values.T for values in self._shares(np.zeros(len(part), dtype=np.int64), 1))

    def by_slice(self, code: npt.NDArray[np.int64], slices: int) -> list[tuple[Figure, bool]]:
        """The share of each slice, and whether it is worse than that of all."""
        value, repeats, events, organisations = self._counted(code, slices)
        worse_by = np.sign(self._margin) * (value - self._value)
        difference = np.sign(self._margin) * (repeats - self._repeats[:, None])
        found = []
        for position in range(slices):
            if events[position] < FEWEST_EVENTS:
                found.append((_NOTHING, False))
                continue
            if organisations[position] < FEWEST_ORGANISATIONS:
                found.append((Figure(float(value[position]), np.nan, np.nan), False))
                continue
            known = difference[np.isfinite(difference[:, position]), position]
            is_beyond_chance = len(known) > 0 and np.quantile(known, CHANCE) > 0
            is_worse = bool(is_beyond_chance and worse_by[position] >= abs(self._margin))
            found.append((Draws.figure(value[position], repeats[:, position]), is_worse))
        return found

    def _counted(
        self, code: npt.NDArray[np.int64], slices: int
    ) -> tuple[Floats, Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Shares and their repeats by slice, events of the whole and organisations that have any."""
        value, repeats = self._shares(code, slices)
        by_organisation = self._sums(self._whole, code, slices)
        return value, repeats, by_organisation.sum(axis=0).astype(np.int64), (by_organisation > 0).sum(axis=0)

    def _shares(self, code: npt.NDArray[np.int64], slices: int) -> tuple[Floats, Floats]:
        part, whole = (self._sums(rows, code, slices) for rows in (self._part, self._whole))
        # In turns: the draws of a large file are many, and as fractions they take their place a second time.
        turns = np.array_split(self._draws.counts, 8)
        drawn = [np.concatenate([turn.astype(np.float64) @ sums for turn in turns]) for sums in (part, whole)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return part.sum(axis=0) / whole.sum(axis=0), drawn[0] / drawn[1]

    def _sums(self, rows: Flags, code: npt.NDArray[np.int64], slices: int) -> Floats:
        """How many of these rows each organisation has in each slice."""
        chosen = rows & (code >= 0)
        place = self._draws.group[chosen] * slices + code[chosen]
        size = self._draws.groups * slices
        return np.bincount(place, minlength=size).astype(np.float64).reshape(-1, slices)


def worst_first(slices: Iterable[SliceFigures]) -> list[SliceFigures]:
    """Those worse than the whole: by people lost, then by machines not found, then by unsure."""

    def rank(found: SliceFigures) -> tuple[float, float, float]:
        return (
            -found.loss.value if "loss" in found.worse else 0.0,
            found.recall.value if "recall" in found.worse else 1.0,
            -found.unsure.value if "unsure" in found.worse else 0.0,
        )

    return sorted((found for found in slices if found.worse), key=rank)


def slice_table(slices: Sequence[SliceFigures]) -> Table | None:
    """The worst slices, what is worse in bold; None where none differs."""
    worst = worst_first(slices)
    if not worst:
        return None
    title = "Slices that are worse than all events together"
    table = titled_table(title, has_edge=True)
    table.add_column("slice", overflow="fold")
    for heading in ("human", "automated", "people lost", "machines found", "unsure"):
        table.add_column(heading, justify="right", no_wrap=True)
    for found in worst[:MOST_SHOWN]:
        cells = {
            "loss": found.loss.short,
            "recall": found.recall.short,
            "unsure": percent(100 * found.unsure.value, "%"),
        }
        marked = [Text(cell, style="bold" if measure in found.worse else "") for measure, cell in cells.items()]
        name = Text(printable(f"{found.dimension}: {found.name}"))
        table.add_row(name, f"{found.human:,}", f"{found.automated:,}", *marked)
    if len(worst) > MOST_SHOWN:
        table.caption, table.caption_justify = f"and {len(worst) - MOST_SHOWN} more\n", "left"
    return table
