"""Which event a request's path is, and whose: regular expressions with named groups, as RE2 runs them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from features.errors import InputError
from features.readers.identifiers import quote_text

GROUPS = ("message", "recipient", "campaign", "link", "url", "event")
EVENTS = ("opened", "clicked", "unsubscribed")
EXAMPLE = r"clicked=^/go/(?P<campaign>[^/]+)/(?P<recipient>[^/?]+)"

_MOST_GROUPS = 9  # that regexp_extract can number
# What stands in a regular expression that opens a group (its name, if it has one), and what only looks like it.
_OPENING = re.compile(r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|(\((?:(?!\?)|\?P<(\w+)>))", re.DOTALL)
_IMAGE = r"(?i)\.(?:gif|png|jpe?g|webp|svg|bmp|ico)$"
_LEAVING = "(?i)unsub|optout|opt-out"


@dataclass(frozen=True)
class PathPattern:
    """Requests whose target matches `regex` are `event`; `groups` says which group (from 1) holds what.

    Without an event, the group `event` says what it is, or else the path: an image is an open, a path that speaks of
    leaving an unsubscribe, anything else a click. `method`: only such requests. `control`: not an event of a message
    that anybody could tell, and why.
    """

    regex: str
    groups: Mapping[str, int] = field(default_factory=dict)
    event: str | None = None
    method: str | None = None
    control: str | None = None


def parsed(text: str) -> PathPattern:
    """Read what the user gave: "clicked=REGEX", or the regular expression alone.

    Raises InputError where it cannot be compiled, has another kind or a group of another name, or names neither
    message nor recipient.
    """
    event, equals, rest = text.partition("=")
    if equals and event not in EVENTS and difflib.get_close_matches(event, EVENTS, n=1):
        raise InputError(f"--path-pattern {text}: {event!r} is no kind of event; kinds are {', '.join(EVENTS)}")
    event, regex = (event, rest) if equals and event in EVENTS else ("", text)
    regex = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", regex)
    names = _groups(text, regex)
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        raise InputError(f"--path-pattern {text}: unknown group {unknown[0]}; groups are {', '.join(GROUPS)}")
    if not {"message", "recipient"} & set(names):
        raise InputError(
            f"--path-pattern {text}: says of nobody who it is; name a group message or recipient, as in {EXAMPLE}"
        )
    return PathPattern(regex, names, event or None)


def _groups(text: str, regex: str) -> dict[str, int]:
    try:
        with duckdb.connect() as con:
            con.execute("SELECT regexp_matches('', ?)", [regex])
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
        raise InputError(f"--path-pattern {text}: is no regular expression ({reason}); see {EXAMPLE}") from error
    names = _numbered(regex)
    if any(number > _MOST_GROUPS for number in names.values()):
        raise InputError(f"--path-pattern {text}: has more than {_MOST_GROUPS} groups; write the unnamed ones as (?:…)")
    return names


def _numbered(regex: str) -> dict[str, int]:
    """The named groups of a regular expression, and which of all groups each is, from 1."""
    opened = [found[2] for found in _OPENING.finditer(regex) if found[1]]
    return {name: number for number, name in enumerate(opened, start=1) if name}


_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FOLDER = r"^(?:/[\w.~-]+){0,2}"
_ID = "[A-Za-z0-9]{16,}"


def _known(event: str | None, regex: str, method: str | None = None, control: str | None = None) -> PathPattern:
    return PathPattern(regex, _numbered(regex), event, method, control)


# Each is narrow enough not to take another site's pages for events; where a tracker's paths do not say whose a
# request is, its clicks are counted and left out.
BUILT_IN: tuple[PathPattern, ...] = (
    # What clicksift simulate --format nginx writes.
    _known("opened", r"^/o/(?P<campaign>[^/?]+)/(?P<recipient>[0-9a-f]{16})\.gif"),
    _known("clicked", r"^/c/(?P<campaign>[^/?]+)/(?P<recipient>[0-9a-f]{16})/(?P<link>[^/?]+)"),
    _known("unsubscribed", r"^/u/(?P<campaign>[^/?]+)/(?P<recipient>[0-9a-f]{16})(?:$|[/?])"),
    # listmonk, cmd/handlers.go: the page of subscriptions changes nothing until its form is sent.
    _known("opened", rf"^/campaign/(?P<campaign>{_UUID})/(?P<recipient>{_UUID})/px\.png"),
    _known("clicked", rf"^/link/(?P<link>{_UUID})/(?P<campaign>{_UUID})/(?P<recipient>{_UUID})"),
    _known("unsubscribed", rf"^/subscription/(?P<campaign>{_UUID})/(?P<recipient>{_UUID})", method="POST"),
    _known("clicked", rf"^/(?P<link>subscription)/(?P<campaign>{_UUID})/(?P<recipient>{_UUID})"),
    # GoPhish, controllers/phish.go and models/campaign.go: every page of a campaign carries the id of a result.
    _known(None, r"/report\?(?:.*&)?rid=[0-9A-Za-z]{7,}(?:&|$)", control="a report of a phishing simulation"),
    _known("opened", r"/track\?(?:.*&)?rid=(?P<message>[0-9A-Za-z]{7,})(?:&|$)"),
    _known("clicked", r"\?(?:.*&)?rid=(?P<message>[0-9A-Za-z]{7,})(?:&|$)"),
    # Mautic, EmailBundle and PageBundle, Config/config.php.
    _known("opened", _FOLDER + r"/email/(?P<message>[0-9A-Za-z]{10,})\.gif"),
    _known("clicked", _FOLDER + r"/r/(?P<link>[0-9A-Za-z]{10,})\?(?:.*&)?ct=(?P<message>[^&]+)"),
    _known("unsubscribed", _FOLDER + r"/email/(?:unsubscribe|dnc)/(?P<message>[0-9A-Za-z]{10,})"),
    # Sendy: the rewrite rules of its installations (t.php, l.php) and how mails are made (scheduled.php).
    _known("opened", rf"{_FOLDER}/t/(?P<campaign>{_ID})/(?P<recipient>{_ID})(?:$|[/?])"),
    _known("clicked", rf"{_FOLDER}/l/(?P<recipient>{_ID})/(?P<link>{_ID})/(?P<campaign>{_ID})(?:$|[/?])"),
    # phpList, admin/sendemaillib.php: the id of a click is masked with the installation's secret.
    _known("opened", _FOLDER + r"/ut\.php\?u=(?P<recipient>[0-9a-f]{16,})&(?:amp;)?m=(?P<campaign>\d+)"),
    _known(None, _FOLDER + r"/lt\.php\?(?:tid|id)=", control="a click of phpList, which does not show whose it is"),
)


def matching(patterns: Sequence[PathPattern], target: str, method: str) -> str:
    """SQL: the number of the first pattern that a request matches, NULL where none does."""
    cases = " ".join(
        f"WHEN regexp_matches({target}, {literal(pattern.regex)})"
        f"{f' AND {method} = {quote_text(pattern.method)}' if pattern.method else ''} THEN {number}"
        for number, pattern in enumerate(patterns)
    )
    return f"CASE {cases} END"


def groups(patterns: Sequence[PathPattern], number: str, target: str) -> str:
    """SQL: what all groups of the pattern of that number found, as a STRUCT of texts g1, g2, …: searched for once."""
    width = max(max(pattern.groups.values(), default=1) for pattern in patterns)
    names = ", ".join(f"'g{k}'" for k in range(1, width + 1))
    cases = " ".join(
        f"WHEN {k} THEN regexp_extract({target}, {literal(_widened(pattern, width))}, [{names}])"
        for k, pattern in enumerate(patterns)
        if pattern.groups
    )
    return f"CASE {number} {cases} END"


def _widened(pattern: PathPattern, width: int) -> str:
    """The regular expression with empty groups behind it: the STRUCT has the same fields for all patterns."""
    pieces = [found[0] for found in _OPENING.finditer(pattern.regex)]
    is_quoting = any(piece.startswith(r"\Q") and not piece.endswith(r"\E") for piece in pieces)
    return pattern.regex + r"\E" * is_quoting + "()" * (width - max(pattern.groups.values()))


def group(name: str, patterns: Sequence[PathPattern], number: str, found: str) -> str:
    """SQL: what `found`, all groups of the pattern of that number, has in one; NULL for none, or nothing in it."""
    holding: dict[int, list[str]] = {}
    for k, pattern in enumerate(patterns):
        if name in pattern.groups:
            holding.setdefault(pattern.groups[name], []).append(str(k))
    cases = " ".join(f"WHEN {number} IN ({', '.join(ks)}) THEN {found}.g{place}" for place, ks in holding.items())
    return f"nullif(CASE {cases} END, '')" if cases else "CAST(NULL AS VARCHAR)"


def decoded(value: str) -> str:
    """SQL: the text with %40 put back, as it is where the bytes are no UTF-8."""
    return f"CASE WHEN contains({value}, '%') THEN coalesce(TRY(url_decode({value})), {value}) ELSE {value} END"


def event(patterns: Sequence[PathPattern], number: str, target: str, said: str) -> str:
    """SQL: which event the pattern of that number makes of a request; `said` is the text of the group `event`."""
    path = f"split_part({target}, '?', 1)"
    guessed = f"""CASE WHEN regexp_matches({path}, {quote_text(_IMAGE)}) THEN 'opened'
        WHEN regexp_matches({path}, {quote_text(_LEAVING)}) THEN 'unsubscribed' ELSE 'clicked' END"""
    cases = " ".join(
        f"WHEN {k} THEN {quote_text(pattern.event)}" for k, pattern in enumerate(patterns) if pattern.event is not None
    )
    return f"CASE {number} {cases} ELSE coalesce({said}, {guessed}) END" if cases else f"coalesce({said}, {guessed})"


def literal(regex: str) -> str:
    """Give the SQL text of a regular expression; its braces must not look like a field of a template."""
    return "(" + re.sub(r"\{(?=[^\d,])", "' || chr(123) || '", quote_text(regex)) + ")"


def suggested(shape: str) -> str:
    """Give the pattern to try on paths of this shape, in which "<id>" stands for what differs."""
    names = {1: ["message"], 2: ["campaign", "recipient"]}.get(shape.count("<id>"), ["campaign", "recipient", "link"])
    pieces = [re.escape(piece) for piece in shape.split("<id>")]
    pattern = pieces[0]
    for k, piece in enumerate(pieces[1:]):
        pattern += (f"(?P<{names[k]}>[^/?&.]+)" if k < len(names) else "[^/?&.]+") + piece
    if re.search(_IMAGE, shape.partition("?")[0]):
        return f"opened=^{pattern}"
    return f"{'unsubscribed' if re.search(_LEAVING, shape) else 'clicked'}=^{pattern}"


def shape_of(target: str) -> str:
    """SQL: the path with "<id>" for what differs from request to request: segments with a digit, long ones, values."""
    segments = f"regexp_replace(split_part({target}, '?', 1), '/(?:[^/.]*[0-9][^/.]*|[^/.]{{20,}})', '/<id>', 'g')"
    query = f"regexp_replace(split_part({target}, '?', 2), '=[^&]*', '=<id>', 'g')"
    return f"CASE WHEN contains({target}, '?') THEN {segments} || '?' || {query} ELSE {segments} END"
