"""How a case is put into words, in the terminal and in a notebook: times, links, agents, what has been decided.

Texts of a file can hold escape sequences and marks that turn the direction of writing; none of them gets through.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from serving.campaign_table import printable
from training.review import Review
from training.review_cases import Case, TimelineEvent

HEADINGS = ("after", "gap", "event", "link", "network", "agent", "verdict", "machine")


def timeline_rows(timeline: Sequence[TimelineEvent]) -> list[tuple[str, ...]]:
    """What is said of each event of a message, in the order of `HEADINGS`; empty where nothing is known.

    The gap is the time since the event before.
    """
    gaps = ["", *(since(b.after_s - a.after_s, units=1) for a, b in pairwise(timeline))]
    return [_cells(event, gap) for event, gap in zip(timeline, gaps, strict=True)]


def _cells(event: TimelineEvent, gap: str) -> tuple[str, ...]:
    method = f" ({event.method})" if event.method and event.method != "GET" else ""
    return (
        since(event.after_s),
        gap,
        printable(f"{event.event_type}{method}"),
        link(event.link),
        printable(event.network or event.address or ""),
        printable(event.agent or ""),
        printable(event.verdict or ""),
        "" if event.probability is None else percent(event.probability),
    )


def since(seconds: float, units: int = 2) -> str:
    """A span of time in one or two units at most: 43.2 s, 3 min 5 s, 2 h 10 min, 4 d 3 h.

    >>> since(0.4), since(185), since(-7800)
    ('0.4 s', '3 min 5 s', '-2 h 10 min')
    """
    sign, span = ("-" if seconds < 0 else ""), abs(seconds)
    if round(span, 1) < 60:
        return f"{sign}{span:.1f} s"
    whole = round(span)
    for size, unit, part, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // part
            return f"{sign}{whole // size} {unit}" + (f" {rest} {smaller}" if rest and units > 1 else "")
    return f"{sign}{whole} s"


def percent(probability: float) -> str:
    """A probability without false certainty: 100 % and 0 % are never said.

    >>> percent(0.42), percent(0.99996), percent(0.0001)
    ('42 %', '>99.9 %', '<0.1 %')
    """
    if not 0.001 <= probability <= 0.999:
        return ">99.9 %" if probability > 0.5 else "<0.1 %"
    digits = 0 if 0.01 <= probability <= 0.99 else 1
    return f"{100 * probability:.{digits}f} %"


def link(text: str | None) -> str:
    """The path of a link, which tells it from the others of its mail; the whole text where it is no address.

    >>> link("https://click.example/offer?u=7"), link("3")
    ('/offer?u=7', '3')
    """
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return printable(text)
    if not parts.netloc:
        return printable(text)
    return printable(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")


def facts(case: Case) -> Sequence[str]:
    """What the case is, a sentence each: the request, what the model makes of it, and what the answer stands for."""
    event = case.event
    lines = [
        f"{event.event_type} {since(event.after_s)} after {case.counted_from}, {event.time:%a %Y-%m-%d %H:%M:%S} UTC"
        + (f", to {case.recipient_domain}" if case.recipient_domain else "")
        + (f", campaign {case.campaign_id}" if case.campaign_id else "")
    ]
    if event.link:
        lines.append(f"link: {event.link}")
    if event.address:
        lines.append(f"from {event.address}" + (f", {event.network}" if event.network else ""))
    if event.user_agent:
        lines.append(f"agent: {event.user_agent}")
    made = " ".join(filter(None, (event.vendor, event.actor)))
    chance = "" if event.probability is None else f", {percent(event.probability)} a machine"
    lines.append(f"verdict: {event.verdict}{chance}" + (f" ({made})" if made else ""))
    if event.reasons:
        lines.append(f"reasons: {event.reasons}")
    if case.given is not None:
        lines.append(f"your label says {'a machine' if case.given else 'a person'}")
    if case.similar_events > 1:
        lines.append(f"{case.similar_events:,} events are like it")
    return [printable(line) for line in lines]


def case_line(review: Review, number: int) -> str:
    """A case in a line for a list: its place from 1 on, the request, the verdict, and what it has been called."""
    event = review.cases[number].event
    decided = review.decided.get(number)
    called = "" if decided is None else "machine" if decided else "human"
    chance = "" if event.probability is None else percent(event.probability)
    parts = (f"{number + 1}", event.event_type, since(event.after_s), event.network, event.agent, event.verdict, chance)
    return printable(" · ".join(filter(None, (*parts, called and f"you: {called}"))))


def standing(review: Review) -> str:
    """Where the sitting stands, and what the case in view has been called in it."""
    place = min(review.position + 1, len(review.cases))
    counts = f"{review.human} human, {review.automated} machine"
    decided = review.decided.get(review.position)
    was = "" if decided is None else f"; this one: {'machine' if decided else 'human'}"
    return f"Case {place} of {len(review.cases)} · {counts}{was}"


def outcome(review: Review) -> str:
    """What a sitting came to, and what is done with it."""
    if not review.decided:
        return "Nothing was decided."
    return (
        f"{len(review.decided)} of {len(review.cases)} cases decided: {review.human} human, {review.automated} machine."
        f" They are in {printable(str(review.log.path))}; clicksift train --labels and clicksift label"
        " --reviewed take it."
    )
