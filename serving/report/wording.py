"""Numbers, times and names in the words of the report, and what a page may not take from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from serving.campaign_table import printable, shortened
from serving.reason_names import CATEGORIES, OWNERS

NAME_WIDTH = 90
_ADDRESS = re.compile(r"[^\s/?&=#<>\"':;,()@]+(?:@|%40)[^\s/?&=#<>\"':;,()@]+", re.IGNORECASE)
_UNIT_SECONDS = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("days", 86_400.0))

EVENT_WORDS: Mapping[str, str] = {"opened": "open", "clicked": "click", "unsubscribed": "unsubscribe"}
# By actor: what it is called, one and many, and what a reader who never heard of it must know.
MACHINES: Mapping[str, tuple[str, str, str]] = {
    "security_scanner": (
        "security scanner",
        "security scanners",
        "The companies that your recipients work for have their mail checked for viruses and fraud before anybody reads"
        " it. These systems open the mail and follow its links, often all of them within seconds of delivery, and your"
        " platform counts each visit as a click.",
    ),
    "privacy_proxy": (
        "privacy proxy",
        "privacy proxies",
        "Some mail programs, Apple Mail above all, load the pictures of every mail beforehand so that senders cannot"
        " see who reads it. Your platform counts an open whether or not anybody looked.",
    ),
    "link_preview": (
        "link preview",
        "link previews",
        "When somebody passes a link on in a chat or on a social network, the service fetches the page to show a"
        " picture of it. Your platform counts that as a click.",
    ),
    "other_automation": (
        "other program",
        "other programs",
        "Programs such as crawlers, archives and scripts that follow links on their own.",
    ),
}


def inert(value: Any) -> Any:
    """Text without control and direction characters, which can make a page show something else than it says.

    Line breaks stay; what is no text, or is markup of our templates, is as it was.
    """
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(map(printable, value.split("\n")))


def named(value: str | None) -> str:
    """A name from a file: no address of anybody in it, and no longer than `NAME_WIDTH` characters."""
    if not value:
        return "(none)"
    hidden = _ADDRESS.sub("(address)", printable(value[: 8 * NAME_WIDTH]))
    return shortened(hidden, NAME_WIDTH)


def told(value: str) -> str:
    """A sentence with words from a file in it: no address of anybody."""
    return _ADDRESS.sub("(address)", value)


def sentence(line: str) -> str:
    """The line with a capital and a full stop."""
    return f"{line[:1].upper()}{line[1:]}{'' if line.endswith(('.', '?', '!')) else '.'}"


def number(value: float | None) -> str:
    """1,234; a dash for what is not known."""
    return "\N{EN DASH}" if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """8.1%; a dash for what is not known."""
    if value is not None and 0 < value < 0.0005:
        return "< 0.1%"
    return "\N{EN DASH}" if value is None else f"{value:.1%}"


def whole_share(value: float) -> str:
    """50%; less than 1% where it is no 0, and more than 99% where it is not all."""
    if 0 < value < 0.005:
        return "less than 1%"
    if 0.995 <= value < 1:
        return "more than 99%"
    return f"{value:.0%}"


def duration(seconds: float | None) -> str:
    """12 s, 2.3 h, 4 days: in the largest unit of which there is at least one."""
    if seconds is None:
        return "not known"
    if seconds < 1:
        return "less than 1 s"
    unit, size = next((unit, size) for unit, size in reversed(_UNIT_SECONDS) if seconds >= size)
    many = seconds / size
    return f"{many:.1f} {unit}" if many < 10 and unit != "s" else f"{many:.0f} {unit}"


def owner(vendor: str | None) -> str:
    """Whose machine it is, as its maker writes it."""
    if not vendor:
        return "not known"
    return OWNERS.get(vendor, vendor.replace("_", " ").capitalize())


def network_kind(category: str | None) -> str:
    """What kind of network it is."""
    return "not known" if category is None else CATEGORIES.get(category, category).replace("''", "'")


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def headline(whole: Mapping[str, Any], machines: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """What happened: one sentence, and those that say what it means. `machines` as of `campaigns.machine_shares`."""
    name = "clicks" if whole.get("clicks") else "opens"
    raw, people = whole.get(name, 0), whole.get(f"human_{name}", 0.0)
    if not raw:
        return "There are no opens or clicks to judge.", []
    verb = {"clicks": "clicked", "opens": "were seen to open"}[name]
    made = 1 - people / raw
    if made < 0.02:
        first = f"Machines made hardly any of the {raw:,} {name}."
    else:
        first = f"About {people:,.0f} people {verb}, not {raw:,}."
        if round(people) == 1:
            first = f"About 1 person {verb}, not {raw:,}."
    rate = name[:-1]
    lines = [
        f"Of {raw:,} messages with {'a click' if name == 'clicks' else 'an open'}, machines alone made"
        f" {whole_share(made)}{_makers(machines, name)}.",
        f"The {rate} rate to report is {share(whole[f'human_{rate}_rate'])} (between"
        f" {share(whole[f'human_{rate}_rate_low'])} and {share(whole[f'human_{rate}_rate_high'])}), not"
        f" {share(whole[f'{rate}_rate'])}.",
    ]
    gone = whole.get("unsubscribes", 0) - whole.get("human_unsubscribes", 0.0)
    if gone >= 1:
        lines.append(
            f"Of {whole['unsubscribes']:,} unsubscribes, about {gone:,.0f} were made by machines: people who may not"
            " have wanted to leave."
        )
    return first, lines


def _makers(machines: Sequence[Mapping[str, Any]], name: str) -> str:
    """Whose they mostly are: those who made a tenth of the machines' events at least."""
    total = sum(row[name] for row in machines)
    large = sorted((row for row in machines if total and row[name] >= total / 10), key=lambda row: -row[name])
    if not large:
        return ""
    alike = [row for row in large if row["actor"] == large[0]["actor"]]
    owners = [owner(row["vendor"]) for row in alike if row["vendor"]]
    named_all = len(owners) == len(alike) <= 3
    whose = f" of {listed([*owners[:3], *([] if named_all else ['others'])])}" if owners else ""
    return f", most of them {MACHINES.get(large[0]['actor'], MACHINES['other_automation'])[1]}{whose}"
