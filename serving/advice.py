"""What to do about the machines of a scored file: plain advice, each with the figures of the file that call for it.

What is advised whatever the figures are is in `serving.advice_texts`; here it is chosen, ordered and given its reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from textwrap import wrap

import duckdb
import pyarrow as pa

from features.feature import CAPABILITIES, Capability
from features.mailbox_host import mailbox_hosts
from features.readers import given_capabilities
from features.readers.platforms import PLATFORMS
from features.schema import event_row
from serving.actor import PRIVACY, SCANNER, SHARED_NETWORK
from serving.advice_texts import PlatformFilter, Source, Topic, texts
from serving.campaign_table import printable
from serving.platform_flags import Agreement, agreement
from serving.reason_names import OWNERS
from serving.summary import WITHOUT, counted
from serving.unsubscribes import ASK, LEAVE, RESTORE, review

# A domain with fewer recipients may be one person's; naming it would name the person.
FEWEST_RECIPIENTS = 3
GATEWAYS_SHOWN, DOMAINS_SHOWN = 5, 5
_HOST = r"lower(regexp_extract(e.url, '^[A-Za-z]+://([A-Za-z0-9.-]+)', 1))"
_LEAVING = r"regexp_matches(lower(e.url), 'unsubscri|optout|opt-out')"


@dataclass(frozen=True)
class Advice:
    """One thing to do.

    `key` names its kind (unsubscribe, gateway, platform, opens, missing, unnamed, labels, domain, not); `why` are
    figures of this file, `steps` what to do, `letter` a text to send or None, `sources` where the facts are from.
    """

    key: str
    title: str
    why: tuple[str, ...]
    steps: tuple[str, ...]
    letter: str | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class _Gateway:
    """What scanners of one vendor did, to `touched` messages, `shared` of it from networks that others use too.

    `domains` are (domain, messages touched, messages in the file), most first.
    """

    vendor: str
    shared: int
    clicks: int
    opens: int
    unsubscribes: int
    touched: int
    organisations: int
    domains: tuple[tuple[str, int, int], ...]


_SUMMED = ("shared", "clicks", "opens", "unsubscribes", "touched")


def advice(
    con: duckdb.DuckDBPyConnection,
    capabilities: Set[Capability] | None = None,
    reviewed: pa.Table | None = None,
) -> list[Advice]:
    """What to do, the most urgent first, of the tables `events` and `verdicts`; without markup.

    `capabilities` are what the export could be trusted to say; without them a column with any value counts as given.
    `reviewed` is what `unsubscribes.review` gives, where that has been asked already.
    Names of recipient organisations are in it where at least `FEWEST_RECIPIENTS` of their people are, no recipients.
    """
    given = given_capabilities(con) if capabilities is None else capabilities
    [(clicks, unsure, scanned)] = con.execute(
        "SELECT count(*), count(*) FILTER (v.verdict = 'unsure'),"
        f" count(*) FILTER (v.verdict = 'automated' AND v.actor = '{SCANNER}') FROM events AS e"
        f" JOIN verdicts AS v ON v.event_row = {event_row('e')} WHERE e.event_type = 'clicked'"
    ).fetchall()
    links, gateways = _link_hosts(con), _gateways(con)
    found = [
        *_unsubscribe(con, review(con) if reviewed is None else reviewed),
        *(_gateway(each, clicks, links) for each in gateways[:GATEWAYS_SHOWN]),
        *_platforms(con),
        *_opens(con),
        *_missing(given),
        *_unnamed(scanned - sum(each.clicks for each in gateways), clicks),
        _of("labels", f"{unsure:,} of {counted(clicks, 'click')} are unsure; labels of your own make them fewer."),
    ]
    if links:
        found.append(_of("domain", f"Clicked links of this file lead to {_listed(links)}."))
    return [*found, _of("not")]


def _of(name: str, *why: str) -> Advice:
    topic: Topic = texts().topics[name]
    return Advice(name, topic.title, why, topic.steps, sources=topic.sources)


def _unsubscribe(con: duckdb.DuckDBPyConnection, reviewed: pa.Table) -> list[Advice]:
    """Where machines unsubscribe people, or could: they ask for the unsubscribe link."""
    decided = [row for row in reviewed.select(["decision", "verdict"]).to_pylist() if row["verdict"]]
    machines = sum(row["verdict"] == "automated" for row in decided)
    [(followed,)] = con.execute(
        f"SELECT count(*) FROM events AS e JOIN verdicts AS v ON v.event_row = {event_row('e')}"
        f" WHERE e.event_type = 'clicked' AND v.verdict = 'automated' AND {_LEAVING}"
    ).fetchall()
    if not machines and not followed:
        return []
    why = []
    if machines:
        count = {name: sum(row["decision"] == name for row in decided) for name in (LEAVE, ASK, RESTORE)}
        why.append(
            f"Machines made {machines:,} of {counted(len(decided), 'unsubscribe')}. Of all of them {count[LEAVE]:,} are"
            f" to be left, {count[ASK]:,} to be asked about, {count[RESTORE]:,} may be restored once looked at."
        )
    if followed:
        why.append(f"Machines asked for unsubscribe links in {counted(followed, 'click')}.")
    return [_of("unsubscribe", *why)]


def _gateways(con: duckdb.DuckDBPyConnection) -> list[_Gateway]:
    """Vendors whose scanners opened or clicked, those with most clicks first.

    A shared network alone names no vendor: it says whose computers they are, not whose scanner runs on them.
    """
    rows = (
        con.sql(
            f"""
        WITH seen AS (
            SELECT v.vendor, v.vendor_evidence = '{SHARED_NETWORK}' AS shared, e.recipient_domain AS domain,
                e.recipient_id, e.event_type, hash(e.message_id, e.recipient_id) AS msg
            FROM verdicts AS v
            JOIN events AS e ON v.event_row = {event_row("e")}
            WHERE v.actor = '{SCANNER}' AND v.verdict = 'automated' AND v.vendor IS NOT NULL
        ),
        domains AS (
            SELECT recipient_domain AS domain, count(DISTINCT hash(message_id, recipient_id)) AS messages
            FROM events
            WHERE recipient_domain IN (SELECT domain FROM seen) AND NOT is_context
            GROUP BY 1
        )
        SELECT vendor, domain, count(*) AS events, count(*) FILTER (shared) AS shared,
            count(*) FILTER (event_type = 'clicked') AS clicks, count(*) FILTER (event_type = 'opened') AS opens,
            count(*) FILTER (event_type = 'unsubscribed') AS unsubscribes, count(DISTINCT msg) AS touched,
            count(DISTINCT recipient_id) AS recipients, any_value(d.messages) AS messages
        FROM seen
        LEFT JOIN domains AS d USING (domain)
        GROUP BY vendor, domain
        ORDER BY vendor, touched DESC, domain
        """
        )
        .to_arrow_table()
        .to_pylist()
    )
    names = sorted({row["domain"] for row in rows if row["domain"] is not None})
    open_to_all = dict(zip(names, mailbox_hosts(names, [None] * len(names))["is_shared"].to_pylist(), strict=True))
    found = []
    for vendor in sorted({row["vendor"] for row in rows}):
        own = [row for row in rows if row["vendor"] == vendor]
        sums = {name: sum(row[name] for row in own) for name in _SUMMED}
        if sums["shared"] == sum(row["events"] for row in own):
            continue
        organisations = [row for row in own if row["domain"] is not None and not open_to_all[row["domain"]]]
        domains = tuple(
            (row["domain"], row["touched"], row["messages"])
            for row in organisations
            if row["recipients"] >= FEWEST_RECIPIENTS
        )
        found.append(_Gateway(vendor, **sums, organisations=len(organisations), domains=domains))
    return sorted(found, key=lambda each: (-each.clicks, -each.opens, each.vendor))


def _gateway(found: _Gateway, clicks: int, links: Sequence[str]) -> Advice:
    gateway = texts().gateway(found.vendor)
    owner = _owner(found.vendor)
    share = f" ({found.clicks / clicks:.0%} of all clicks)" if found.clicks else ""
    made = {"click": found.clicks, "open": found.opens, "unsubscribe": found.unsubscribes}
    events = _listed(counted(number, noun) + (share if noun == "click" else "") for noun, number in made.items())
    why = [f"{owner}'s scanners made {events}, of {counted(found.touched, 'message')}."]
    if found.shared:
        why.append(f"{found.shared:,} of these are from networks of {owner} that others run programs in too.")
    if found.organisations:
        named = [f"{domain} ({touched:,} of {messages:,} messages)" for domain, touched, messages in found.domains]
        most = f"; most: {_listed(named[:DOMAINS_SHOWN])}" if named else ""
        why.append(f"They scan at {counted(found.organisations, 'recipient organisation')}{most}.")
    about = (
        f"Send the text to the administrators of the organisations. {texts().letter_about}",
        f"What they can set: {gateway.setting.replace('LINKDOMAIN', links[0] if links else 'YOUR LINK DOMAIN')}",
        f"What it does: {gateway.effect}",
        "Exemptions go by domain, address or sender; no words in a mail keep a scanner away. Ask where it matters to"
        " you (large customers, frequent mails); the figures leave these clicks out in any case.",
    )
    letter = texts().letter(found.vendor, links[0] if links else "")
    return Advice("gateway", f"Links are opened by {owner}'s scanners", tuple(why), about, letter, gateway.sources)


def _owner(vendor: str) -> str:
    return OWNERS.get(vendor, vendor[:1].upper() + vendor[1:])


def _platforms(con: duckdb.DuckDBPyConnection) -> list[Advice]:
    """What the platforms that the events are from offer, hide and can be asked for."""
    named = {platform.name: platform for platform in PLATFORMS}
    flags = agreement(con)
    rows = con.execute("SELECT source, count(*) FROM events WHERE source IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1")
    found = []
    for source, events in rows.fetchall():
        if (platform := named.get(source)) is None:
            continue
        known = texts().platforms.get(source) or PlatformFilter(
            offers=f"{platform.title} marks what it takes for machines': {_listed(platform.flags)}."
            if platform.flags
            else f"Nothing in {platform.title}'s events marks machines.",
            hides=f"Of its events: {platform.source_filtering}." if platform.source_filtering else "Nothing is known.",
            ask="Whether its unsubscribe link unsubscribes on a GET; the address, the agent and the method of clicks.",
            sources=(),
        )
        why = [f"{events:,} events are from {platform.title}.", *(_said(row) for row in flags)]
        steps = (
            f"What it offers: {known.offers}",
            f"What that hides: {known.hides}",
            f"What to ask its support for: {known.ask}",
        )
        found.append(Advice("platform", f"What {platform.title} offers", tuple(why), steps, sources=known.sources))
    return found


def _said(row: Agreement) -> str:
    return (
        f"Its {row.flag} marks {row.machine:,} {row.event_type} events, of which {row.machine_automated:,} are called"
        f" automated here; of {row.not_machine:,} that it does not mark, {row.not_machine_automated:,} are."
    )


def _opens(con: duckdb.DuckDBPyConnection) -> list[Advice]:
    [(opens, prefetched)] = con.execute(
        f"SELECT count(*), count(*) FILTER (v.verdict = 'automated' AND v.actor = '{PRIVACY}' AND v.vendor = 'apple')"
        f" FROM events AS e JOIN verdicts AS v ON v.event_row = {event_row('e')} WHERE e.event_type = 'opened'"
    ).fetchall()
    if not prefetched:
        return []
    return [
        _of("opens", f"{prefetched:,} of {counted(opens, 'open')} ({prefetched / opens:.0%}) are Apple's prefetch.")
    ]


def _missing(given: Set[Capability]) -> list[Advice]:
    lacking = [name for name in CAPABILITIES if name not in given]
    if not lacking:
        return []
    why = tuple(f"{WITHOUT[name][0].upper()}{WITHOUT[name][1:]}." for name in lacking)
    steps = tuple(step for name in lacking for step in texts().topics[name].steps)
    return [Advice("missing", "Get more into the export", why, steps)]


def _unnamed(unnamed: int, clicks: int) -> list[Advice]:
    if not unnamed:
        return []
    made = counted(unnamed, "click")
    return [_of("unnamed", f"Scanners of no known vendor made {made}, {unnamed / clicks:.0%} of all.")]


def _link_hosts(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The hosts that clicked links lead to, most messages first, three at most."""
    rows = con.execute(
        f"SELECT {_HOST} AS host FROM events AS e WHERE e.event_type = 'clicked' AND NOT e.is_context AND host <> ''"
        " GROUP BY host ORDER BY count(DISTINCT hash(e.message_id, e.recipient_id)) DESC, host LIMIT 3"
    ).fetchall()
    return [host for (host,) in rows]


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


def plain_text(found: Sequence[Advice], width: int) -> str:
    """The advice to read in a terminal or a text file; lines of at most `width` characters where words allow it."""
    lines = []
    for number, each in enumerate(found, 1):
        lines += [f"{number}. {each.title}", ""]
        lines += [line for why in each.why for line in _wrapped(why, width, "   ")]
        lines += [line for step in each.steps for line in _wrapped(step, width, "   - ")]
        if each.letter:
            lines += ["", "   Text to send:", ""]
            lines += [line for part in each.letter.splitlines() for line in _wrapped(part, width, "   | ")]
        lines += [f"   Source: {source.title} ({source.date}), {source.url}" for source in each.sources]
        lines.append("")
    return "\n".join(map(printable, lines))


def _wrapped(text: str, width: int, mark: str) -> list[str]:
    after = mark if mark.endswith("| ") else " " * len(mark)
    wrapped = wrap(
        text, width, initial_indent=mark, subsequent_indent=after, break_long_words=False, break_on_hyphens=False
    )
    return wrapped or [mark.rstrip()]
