"""From the figures to the page: the templates beside this file, filled in and sealed.

The page asks for nothing from anywhere: its policy allows its own style and script, by their hashes, and nothing else.
Words of the file are escaped, have no characters that a browser would obey, and are never part of a link.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features.feature import CAPABILITIES, Capability
from features.files import write_bytes
from features.readers import ReadSummary
from features.readers.set_aside import advised
from serving.advice import advice
from serving.campaigns import campaign_figures, machine_shares, whole_figures
from serving.expected_people import USUAL, Expectation
from serving.platform_flags import agreement
from serving.report import charts, wording
from serving.report.findings import find
from serving.summary import WITHOUT, losses
from serving.unsubscribes import ADVICE, DECISIONS, rates, review

CAMPAIGNS_SHOWN = 200
MACHINES_SHOWN = 12
_TEMPLATES = Path(__file__).parent / "templates"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Origin:
    """Where the figures come from: the file's name, the models, how people are counted, what the file could say.

    `capabilities` and `reference` are None where the scored file does not tell; `read` is what the reading of the
    export said, None where a scored file is read back; `notes` are sentences on how far the model fits the events.
    """

    name: str
    model_versions: tuple[str, ...]
    people: Mapping[str, Expectation] = field(default_factory=lambda: USUAL)
    capabilities: frozenset[Capability] | None = None
    reference: Mapping[str, str] | None = None
    read: ReadSummary | None = None
    notes: tuple[str, ...] = ()


def write_report(
    con: duckdb.DuckDBPyConnection, origin: Origin, path: Path, progress: Callable[[str], None] | None = None
) -> None:
    """Write the page whole or not at all; raises InputError where it cannot be written."""
    write_bytes(path, report_page(con, origin, progress).encode())


def report_page(con: duckdb.DuckDBPyConnection, origin: Origin, progress: Callable[[str], None] | None = None) -> str:
    """One page of HTML of the tables `events`, `verdicts` and `campaigns`; the same figures, the same page."""
    capabilities = frozenset(CAPABILITIES) if origin.capabilities is None else origin.capabilities
    tell = progress or (lambda step: None)
    tell("figures of campaigns")
    campaigns: list[dict[str, Any]] = campaign_figures(con, origin.people).to_pylist()
    whole = whole_figures(con, origin.people)
    machines: list[dict[str, Any]] = machine_shares(con).to_pylist()
    tell("figures of events")
    found = find(con, origin.people, capabilities)
    reviewed = review(con)
    tell("the page")
    largest = sorted(campaigns, key=lambda row: -row["messages"])[:CAMPAIGNS_SHOWN]
    shown = sorted(largest, key=lambda row: str(row["campaign_id"]))
    title, meaning = wording.headline(whole, machines)
    makers = _machine_rows(machines)
    sheet, script = ((_TEMPLATES / name).read_text() for name in ("style.css", "sort.js"))
    return (
        _environment()
        .get_template("page.html")
        .render(
            sheet=sheet,
            script=script,
            policy=_policy(sheet, script),
            origin=origin,
            title=title,
            meaning=meaning,
            whole=whole,
            campaigns=shown,
            campaign_count=len(campaigns),
            intervals=charts.intervals(shown),
            machines=makers[:MACHINES_SHOWN],
            other_machines=_together(makers[MACHINES_SHOWN:]),
            kinds=[kind for kind in wording.MACHINES if any(row["actor"] == kind for row in machines)],
            found=found,
            timelines={kind: charts.timeline(delays) for kind, delays in found.delays.items() if not delays.is_empty},
            heats={name: charts.heat(grid) for name, grid in found.hours.items()},
            unsubscribes=_unsubscribes(con, origin.people, reviewed),
            unsubscribe_advice=ADVICE,
            advices=advice(con, origin.capabilities, reviewed),
            flags=agreement(con),
            has_campaigns=bool(con.execute("SELECT count(*) FROM campaigns").fetchall()[0][0]),
            missing=[WITHOUT[each] for each in CAPABILITIES if each not in capabilities],
            remarks=_remarks(origin),
            version=metadata.version("clicksift"),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=wording.inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "named": wording.named,
        "told": wording.told,
        "sentence": wording.sentence,
        "number": wording.number,
        "share": wording.share,
        "duration": wording.duration,
        "owner": wording.owner,
        "network_kind": wording.network_kind,
        "advised": lambda reason: advised([reason]),
    }
    environment.globals |= {
        "charts": charts,
        "machine_words": wording.MACHINES,
        "event_words": wording.EVENT_WORDS,
        "weekdays": _WEEKDAYS,
    }
    return environment


def _policy(sheet: str, script: str) -> str:
    style, code = (f"'sha256-{_digest(text)}'" for text in (sheet, script))
    return (
        f"default-src 'none'; style-src {style}; script-src {code}; base-uri 'none'; form-action 'none';"
        " require-trusted-types-for 'script'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _remarks(origin: Origin) -> list[str]:
    """What was lost on the way, and what to know of the file and of the model on it, a sentence each."""
    lost = [line.strip() for line in losses(origin.read)] if origin.read else []
    return [wording.told(wording.sentence(line)) for line in (*lost, *origin.notes)]


def _machine_rows(machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who made the events called automated, most events first, each with its share of all of them."""
    total = sum(row["opens"] + row["clicks"] + row["unsubscribes"] for row in machines)
    rows = [row | {"events": row["opens"] + row["clicks"] + row["unsubscribes"]} for row in machines]
    return [row | {"share": row["events"] / total} for row in sorted(rows, key=lambda row: -row["events"])]


def _together(machines: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums of the rest, and how many they are; empty where there is no rest."""
    names = ("share", "opens", "clicks", "unsubscribes")
    return {"kinds": len(machines), **{name: sum(row[name] for row in machines) for name in names}} if machines else {}


def _unsubscribes(
    con: duckdb.DuckDBPyConnection, people: Mapping[str, Expectation], reviewed: pa.Table
) -> dict[str, Any]:
    """The review, counted: nobody in it is named; and the days on which mail arrived that led to unsubscribes."""
    pairs = zip(reviewed["decision"].to_pylist(), reviewed["ground"].to_pylist(), strict=True)
    counts = sorted(Counter(pairs).items(), key=lambda item: (DECISIONS.index(item[0][0]), -item[1]))
    decisions = [{"decision": decision, "ground": ground, "events": n} for (decision, ground), n in counts]
    rows = [row for row in rates(con, people).to_pylist() if row["unsubscribes"]]
    jumps = [f"{row['day']}: the machines' share goes {row['change']}." for row in rows if row["change"]]
    bars = vars(charts.days(rows)) if rows else {}
    return {"decisions": decisions, "rows": rows, "jumps": " ".join(jumps), **bars}
