"""Written-out events with what a rule must say of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.feature import CAPABILITIES
from serving.baselines import RULES, Rule, make_tables, verdicts
from tests.features.event_tables import CHROME, tables

PERSON, ABSTAINS = "a person's", None
BROWSER = CHROME.format(140)
MPP = "Mozilla/5.0"
GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135"
    " Safari/537.36 Edge/12.246 Mozilla/5.0"
)
GMAIL_PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
EVERYTHING: frozenset[str] = frozenset(CAPABILITIES)
TRAP = "https://t.example/trap"
WITH_TRAP = ({"campaign_id": "spring", "honeypot_url": TRAP, "n_links": 3},)


def rule(name: str) -> Rule:
    """The rule of this name."""
    return next(rule for rule in RULES if rule.name == name)


def judged(name: str, events: Sequence[Mapping[str, Any]], **options: Any) -> list[str | None]:
    """What the rule says of each event in turn: its reason for a machine, else PERSON or ABSTAINS."""
    capabilities = options.pop("capabilities", EVERYTHING)
    con = tables(events, **options)
    make_tables(con, capabilities)
    found = verdicts(con, rule(name)).to_pylist()
    assert all((row["reason"] is not None) == (row["machine"] is True) for row in found)
    return [row["reason"] if row["machine"] else ABSTAINS if row["machine"] is None else PERSON for row in found]


def check(name: str, *rows: tuple[Mapping[str, Any], str | None], **options: Any) -> None:
    """Each row is an event and what the rule must say of it."""
    __tracebackhide__ = True
    events, wanted = zip(*rows, strict=True)
    assert judged(name, events, **options) == list(wanted)
