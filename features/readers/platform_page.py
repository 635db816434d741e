"""The documentation pages of the platforms, made from their declarations."""

from __future__ import annotations

import csv
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from features.feature import CAPABILITIES
from features.readers.platform import Path, Platform, bare
from features.schema import EVENT_COLUMNS

# What is missing where a platform gives whole seconds; beside the capabilities.
TIMES = "times"
COLUMNS = ("missing", "opens_recall", "opens_loss", "clicks_recall", "clicks_loss")
_WITHOUT = {
    "address": "without addresses",
    "agent": "without agents",
    "deliveries": "without deliveries",
    "links": "without links",
    "method": "without HTTP methods",
    "domains": "without recipients' domains",
    TIMES: "times in whole seconds",
}
_GIVEN = {"address": "address", "agent": "agent", "deliveries": "deliveries", "links": "links", "domains": "domains"}
_PRECISION = {
    "s": "whole seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds, read to the microsecond",
}
_SHOWN = 6
# The share of people's events called automated that the bundled model's thresholds are set for.
_AIM = 0.005
_BENCHMARK = "`python -m tests.benchmarks.missing_columns`"
_FIELD = re.compile(r"\{([^{}\d,][^{}]*)\}")
_FIRST_OF = re.compile(r"\s*coalesce\(\s*(\{[^{}]+\}\s*,\s*)+\{[^{}]+\}\s*\)\s*")


@dataclass(frozen=True)
class Accuracy:
    """What the bundled model does on simulated senders with some columns `missing`, at the shipped thresholds.

    Recall is the share of automated events called so, loss the share of people's events called automated.
    """

    missing: frozenset[str]
    opens_recall: float
    opens_loss: float
    clicks_recall: float
    clicks_loss: float

    def cells(self) -> tuple[str, ...]:
        """The row of the table of figures, in the order of `COLUMNS`."""
        shares = (self.opens_recall, self.opens_loss, self.clicks_recall, self.clicks_loss)
        return (spelt(self.missing), *(f"{share:.4f}" for share in shares))


def read_accuracy(path: FilePath) -> Mapping[frozenset[str], Accuracy]:
    """The figures that the benchmark wrote, by what was missing."""
    with path.open(newline="") as file:
        rows = [
            Accuracy(
                frozenset(row["missing"].split(", ")) - {"nothing"},
                *(float(row[name]) for name in COLUMNS[1:]),
            )
            for row in csv.DictReader(file)
        ]
    return {row.missing: row for row in rows}


def missing_from(platform: Platform) -> frozenset[str]:
    """The capabilities that the platform does not give, and `TIMES` where its times are whole seconds."""
    coarse = {TIMES} if platform.precision == "s" else set()
    return frozenset({*CAPABILITIES} - platform.gives | coarse)


def spelt(missing: frozenset[str]) -> str:
    """What is missing, in the order of the capabilities; "nothing" where nothing is."""
    return ", ".join(name for name in (*CAPABILITIES, TIMES) if name in missing) or "nothing"


def markdown(platform: Platform, accuracy: Mapping[frozenset[str], Accuracy]) -> str:
    """The page of one platform."""
    tried = (
        "Tried on published samples of its records."
        if platform.tried
        else "Written from the vendor's documentation; not tried on a real file."
    )
    parts = [
        f"# {platform.title}",
        "This page is generated from the reader's declaration; `make docs` writes it again.",
        _prose(f"{tried} Files are recognised by their content; `--format {platform.name}` says so outright."),
        f"## How to get the file\n\n{_prose(platform.export)}",
        "```console\n$ clicksift score EXPORT -o scored.parquet\n```",
        f"## What is read\n\n{_columns(platform)}",
        *_events(platform),
        *_flags(platform),
        f"## What is missing\n\n{_sentence(platform.lacks)}{_left_out(platform)}",
        f"## What that costs\n\n{_cost(platform, accuracy)}",
    ]
    return "\n\n".join(parts) + "\n"


def overview(platforms: Sequence[Platform]) -> str:
    """The table of all platforms, which links to their pages."""
    lines = [
        "# Platforms",
        "",
        "This page is generated from the readers' declarations; `make docs` writes it again.",
        "",
        "The files of these platforms are recognised by their content and read as they are. Anything else is read as a"
        " table, by its columns' names or by `--map`.",
        "",
        "| platform | address | agent | deliveries | links | domains | times | machine flags | tried on samples |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for platform in sorted(platforms, key=lambda one: one.title.lower()):
        given = ["yes" if name in platform.gives else "no" for name in _GIVEN]
        flags = ", ".join(f"`{flag}`" if " " not in flag else flag for flag in platform.flags) or "none"
        cells = [*given, platform.precision, flags, "yes" if platform.tried else "no"]
        lines.append(f"| [{platform.title}]({platform.name}.md) | {' | '.join(cells)} |")
    methods = sorted(platform.title for platform in platforms if "method" in platform.gives)
    lines += ["", f"HTTP methods are in: {', '.join(methods) or 'none of them'}."]
    return "\n".join(lines) + "\n"


def _prose(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _sentence(text: str) -> str:
    plain = " ".join(text.split()).rstrip(".")
    return _prose(f"{plain[:1].upper()}{plain[1:]}.")


def _columns(platform: Platform) -> str:
    order = {column.name: n for n, column in enumerate(EVENT_COLUMNS)}
    rows = ["| column | from |", "|---|---|"]
    for name, template in sorted(platform.columns.items(), key=lambda pair: order.get(pair[0], len(order))):
        rows.append(f"| `{name}` | {_source(template, platform)} |")
    zone = f"\n\nTimes without a zone are read in the zone {platform.zone}." if platform.zone else ""
    finest = f"\n\nTimes are given to {_PRECISION[platform.precision]}."
    return "\n".join(rows) + finest + zone


def _source(template: str | Path, platform: Platform) -> str:
    """Which fields a column comes from; computed ones are named, not spelt out."""
    alone = bare(template)
    if alone is not None:
        return f"`{alone}`"
    names = list(dict.fromkeys(_fields(str(template), platform)))
    shown = [f"`{name}`" for name in names[:_SHOWN]]
    if len(names) > _SHOWN:
        shown.append(f"{len(names) - _SHOWN} more")
    if not shown:
        return "the record"
    if _FIRST_OF.fullmatch(str(template)) and not any(name.startswith(":") for name in _FIELD.findall(str(template))):
        return f"the first given of {', '.join(shown)}"
    return f"worked out from {', '.join(shown)}"


def _fields(template: str, platform: Platform) -> Iterable[str]:
    for name in _FIELD.findall(template):
        if name == ":path":
            yield "path of the file"
        elif name.startswith(":"):
            yield from _fields(platform.fields.get(name[1:], ""), platform)
        else:
            yield str(Path.of(name.removeprefix("?")))


def _events(platform: Platform) -> list[str]:
    parts = []
    if platform.words:
        rows = [f"| {word} | {canonical} |" for word, canonical in platform.words.items()]
        parts.append(
            "## Events\n\nBeside the words that every table may use, such as open, click or delivered:\n\n"
            "| its word | is read as |\n|---|---|\n" + "\n".join(rows)
        )
    left = [*platform.controls, *(envelope.empty for envelope in platform.envelopes)]
    if left:
        reasons = "\n".join(f"- {reason}" for reason in dict.fromkeys(left))
        parts.append(f"Records that are no event of a message are counted by reason and left out:\n\n{reasons}")
    if platform.damaged:
        parts.append(_prose(f"Set aside as damaged: {'; '.join(platform.damaged)}."))
    if not platform.folds:
        parts.append("Equal records are repeats of a request, not copies, and all of them stay.")
    return parts


def _flags(platform: Platform) -> list[str]:
    if not platform.flags:
        return []
    named = ", ".join(f"`{flag}`" if " " not in flag else flag for flag in platform.flags)
    text = (
        f"{named}. They are kept beside the verdict (`platform_machine`, `platform_machine_reason`) to compare with,"
        " and are no input of the model."
    )
    return [f"## Its own machine flags\n\n{_prose(text)}"]


def _left_out(platform: Platform) -> str:
    if not platform.source_filtering:
        return ""
    text = f"What the platform leaves out before anybody sees it: {platform.source_filtering}"
    return f"\n\n{_sentence(text)}"


def _cost(platform: Platform, accuracy: Mapping[frozenset[str], Accuracy]) -> str:
    missing = missing_from(platform)
    rows = [("everything given", frozenset[str]())]
    if len(missing) > 1:
        rows += [(_WITHOUT[name], frozenset({name})) for name in (*CAPABILITIES, TIMES) if name in missing]
    if missing:
        rows.append(
            (f"**as here**: {', '.join(_WITHOUT[name] for name in (*CAPABILITIES, TIMES) if name in missing)}", missing)
        )
    table = [
        "| | machines' opens found | people's opens lost | machines' clicks found | people's clicks lost |",
        "|---|---|---|---|---|",
    ]
    for name, lacking in rows:
        row = accuracy[lacking]
        shares = (row.opens_recall, row.opens_loss, row.clicks_recall, row.clicks_loss)
        table.append(f"| {name} | {' | '.join(f'{share:.1%}' for share in shares)} |")
    measured = (
        f"Measured on simulated senders, not on this platform's files ({_BENCHMARK}): the same events with columns"
        " taken away, scored by the bundled model at its thresholds."
    )
    return "\n\n".join([_prose(measured), "\n".join(table), *_warning(accuracy[missing])])


def _warning(row: Accuracy) -> list[str]:
    losses = {"opens": row.opens_loss, "clicks": row.clicks_loss}
    worse = [f"{loss:.1%} of people's {kind}" for kind, loss in losses.items() if loss > _AIM]
    if not worse:
        return []
    text = (
        f"With so little to go by, {' and '.join(worse)} are called automated, more than the {_AIM:.1%} that the"
        " thresholds are set for: expect counts of people that are too low, and train on labels of your own."
    )
    return [_prose(text)]
