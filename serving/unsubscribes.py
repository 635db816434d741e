"""Which unsubscribes a machine made, what speaks for it, and whether one may be undone: leave, ask or restore.

Who is restored by mistake gets mail after opting out, which law forbids nearly everywhere. So `restore` needs
everything at once: the unsubscribe link was fetched inside a burst of one scanner over several links of the message,
and nothing in the file lets a person be suspected. What a person's mailbox sends for the person (one-click, RFC 8058),
what was confirmed on a page, and complaints are left as they are, whatever else is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt

import duckdb
import pyarrow as pa

from features.arrow_columns import strings
from features.errors import InputError
from features.readers.identifiers import quote_text
from features.readers.platforms import PLATFORMS
from features.schema import event_row
from serving.actor import AGENT, COMMUNITY_LIST, GATEWAY, OFFICIAL_LIST, OWN_NETWORK, SCANNER
from serving.expected_people import USUAL, Expectation
from serving.reason_names import OWNERS

LEAVE, ASK, RESTORE = DECISIONS = ("leave", "ask", "restore")
# What to do with each; the CSV says it in every row, so that no row is acted upon without it.
ADVICE: Mapping[str, str] = {
    LEAVE: "Stays unsubscribed.",
    ASK: "Stays unsubscribed. Ask the person where you are in touch anyway (a call, an account page), never by a"
    " mailing.",
    RESTORE: "Nothing happens by itself. May be restored after somebody has looked at it and the law that applies"
    " allows it: if this is wrong, you mail a person who opted out. Let the unsubscribe link lead to a page that asks"
    " for a POST, so that it does not happen again.",
}
# A scanner asks for all links of a message within a second or a few; 10 s leaves room for slow ones.
BURST_S = 10
# A person who is at the mailbox within a day of it may have left by the same link.
NEARBY_S = 24 * 3600
# Other links in a burst, beside the unsubscribe link: one is enough of a scanner that is known by name.
_LINKS_OF_KNOWN, _LINKS_OF_UNKNOWN = 1, 2
_KNOWN = f"('{OWN_NETWORK}', '{OFFICIAL_LIST}', '{AGENT}', '{COMMUNITY_LIST}')"
# Their servers also send one-click requests for people: without a method nobody can tell these from their scanners'.
_ONE_CLICK_SENDERS = "('microsoft', 'google', 'yahoo', 'apple')"

# Fewer unsubscribes on either side of a change are no sample; a change is as large as this, and beyond chance.
FEWEST_UNSUBSCRIBES = 10
JUMP_SHARE, JUMP_ERRORS = 0.2, 3.0


def review(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """One row an unsubscribe or spam complaint of the tables `events` and `verdicts`, in order of time.

    decision: leave, ask or restore. ground: what decided, in few words; evidence: all that speaks for and against, in
    words; advice: what to do, see `ADVICE`. campaign_id, recipient_id and message_id: as in the file, but for
    addresses, which are hashed. timestamp, event_type, recipient_domain; event_id and raw_ref find the event in the
    file. method: how it was made, in words. verdict, probability, vendor and reasons of our judgement, NULL where
    nobody judged. after_delivery_s: seconds from delivery or, where that is not known, sending. burst_links: other
    links of the message that the same scanner asked for within `BURST_S`.
    """
    steps = ",\n".join(f"{name} AS ({sql})" for name, sql in _steps().items())
    return con.sql(
        f"""
        WITH {steps}
        SELECT
            decision, ground, {_evidence()} AS evidence, {_cases("decision", ADVICE)} AS advice,
            campaign_id, recipient_id, message_id, timestamp, event_type, recipient_domain, event_id, raw_ref, method,
            verdict, probability, vendor, reasons, after_delivery_s, burst_links
        FROM decided
        ORDER BY timestamp, event_row
        """
    ).to_arrow_table()


def _steps() -> Mapping[str, str]:
    """The steps of the query: what left, what was around it, the signs of each, the decision."""
    is_person = "verdict IN ('human', 'unsure')"
    own_act = "how IN ('complaint', 'one_click', 'header', 'page', 'post')"
    return {
        "seen": f"""
            SELECT
                {event_row("e")} AS event_row, hash(e.message_id, e.recipient_id) AS msg, e.recipient_id,
                epoch_us(e.timestamp) / 1e6 AS seconds, e.event_type, e.ip, v.verdict, v.actor, v.vendor,
                v.vendor_evidence, e.event_type IN ('unsubscribed', 'complained') AS leaves, {_HOW} AS how,
                coalesce(e.link_id, split_part(e.url, '?', 1)) AS link
            FROM events AS e
            LEFT JOIN verdicts AS v ON v.event_row = {event_row("e")}
            WHERE NOT e.is_context
                AND e.event_type IN ('opened', 'clicked', 'unsubscribed', 'complained', 'subscribed')
        """,
        "gone": """
            SELECT event_row, msg, recipient_id, seconds, how, verdict, event_type, ip, vendor, vendor_evidence, link
            FROM seen WHERE leaves
        """,
        # By one source: one address, or one vendor that is known by more than its place in front of the mailbox.
        "bursts": f"""
            SELECT g.event_row, count(DISTINCT c.link) AS burst_links
            FROM gone AS g
            JOIN seen AS c ON c.msg = g.msg AND c.event_type = 'clicked' AND c.verdict = 'automated'
                AND c.actor = '{SCANNER}' AND abs(c.seconds - g.seconds) <= {BURST_S}
                AND c.link IS DISTINCT FROM g.link
                AND (c.ip = g.ip OR (c.vendor = g.vendor AND c.vendor_evidence <> '{GATEWAY}'
                    AND g.vendor_evidence <> '{GATEWAY}'))
            WHERE g.event_type = 'unsubscribed'
            GROUP BY g.event_row
        """,
        "on_message": """
            SELECT msg,
                bool_or(event_type = 'clicked' AND verdict = 'human') AS clicked,
                bool_or(event_type = 'opened' AND verdict = 'human') AS opened,
                bool_or(verdict = 'unsure' AND NOT leaves) AS doubtful
            FROM seen
            WHERE msg IN (SELECT msg FROM gone)
            GROUP BY msg
        """,
        "of_recipient": f"""
            SELECT recipient_id,
                count(*) FILTER (event_type = 'complained') AS complaints,
                count(*) FILTER (leaves AND ({own_act} OR verdict = 'human')) AS own,
                max(seconds) FILTER (event_type = 'subscribed') AS came_back
            FROM seen
            WHERE recipient_id IN (SELECT recipient_id FROM gone)
            GROUP BY recipient_id
        """,
        "people": f"""
            SELECT recipient_id, seconds FROM seen
            WHERE {is_person} AND NOT leaves AND recipient_id IN (SELECT recipient_id FROM gone)
        """,
        # The nearest on either side instead of a join over all pairs: a test address can have any number of events.
        "before": "SELECT g.event_row, g.seconds - p.seconds AS gap FROM gone AS g ASOF JOIN people AS p"
        " ON g.recipient_id = p.recipient_id AND g.seconds >= p.seconds",
        "after": "SELECT g.event_row, p.seconds - g.seconds AS gap FROM gone AS g ASOF JOIN people AS p"
        " ON g.recipient_id = p.recipient_id AND g.seconds <= p.seconds",
        "signs": f"""
            SELECT
                e.*, g.event_row, g.how, {_cases("g.how", _METHODS)} AS method,
                v.verdict, v.probability, v.actor, v.vendor, v.vendor_evidence, v.reasons,
                round(epoch_us(e.timestamp) / 1e6 - epoch_us(coalesce(e.delivered_at, e.sent_at)) / 1e6, 1)
                    AS after_delivery_s,
                coalesce(b.burst_links, 0) AS burst_links,
                coalesce(m.clicked, FALSE) AS person_clicked, coalesce(m.opened, FALSE) AS person_opened,
                coalesce(m.doubtful, FALSE) AS doubtful,
                least(x.gap, y.gap) AS person_gap_s,
                coalesce(r.complaints, 0) - (g.event_type = 'complained')::INTEGER > 0 AS complained,
                coalesce(r.own, 0) - ({own_act} OR coalesce(g.verdict = 'human', FALSE))::INTEGER > 0 AS left_otherwise,
                coalesce(r.came_back > g.seconds, FALSE) AS came_back,
                g.seconds > (SELECT max(epoch_us(timestamp)) / 1e6 FROM events) - {NEARBY_S} AS at_the_end
            FROM gone AS g
            JOIN events AS e ON {event_row("e")} = g.event_row
            LEFT JOIN verdicts AS v ON v.event_row = g.event_row
            LEFT JOIN bursts AS b ON b.event_row = g.event_row
            LEFT JOIN on_message AS m ON m.msg = g.msg
            LEFT JOIN of_recipient AS r ON r.recipient_id = g.recipient_id
            LEFT JOIN before AS x ON x.event_row = g.event_row
            LEFT JOIN after AS y ON y.event_row = g.event_row
        """,
        "grounds": f"SELECT *, {_first(_GROUNDS)} AS own_ground FROM signs",
        "single": f"SELECT *, {_cases('own_ground', {ground: decision for ground, _, decision in _GROUNDS})} AS own"
        " FROM grounds",
        # What is not clear of one of a recipient's unsubscribes is not clear of the recipient.
        "together": f"""
            SELECT *, own = '{RESTORE}' AND bool_or(own <> '{RESTORE}') OVER (PARTITION BY recipient_id) AS unclear
            FROM single
        """,
        "decided": f"""
            SELECT *, CASE WHEN unclear THEN '{ASK}' ELSE own END AS decision,
                CASE WHEN unclear THEN '{_UNCLEAR}' ELSE own_ground END AS ground
            FROM together
        """,
    }


# How it was made. A POST without a page before it is what RFC 8058 has mailbox providers send.
_HOW = """
    CASE
        WHEN e.event_type = 'complained' OR e.unsubscribe_method = 'complaint' THEN 'complaint'
        WHEN e.event_type <> 'unsubscribed' THEN NULL
        WHEN e.unsubscribe_method IN ('one_click', 'page') THEN e.unsubscribe_method
        WHEN e.unsubscribe_method = 'list_unsubscribe' THEN 'header'
        WHEN upper(e.http_method) IN ('GET', 'HEAD') THEN lower(e.http_method)
        WHEN e.http_method IS NOT NULL THEN 'post'
        WHEN e.unsubscribe_method = 'link' OR e.url IS NOT NULL THEN 'link'
        ELSE 'unknown'
    END
"""
_METHODS: Mapping[str, str] = {
    "complaint": "marked as spam",
    "one_click": "one-click POST (RFC 8058)",
    "header": "the mailbox's own unsubscribe button (List-Unsubscribe)",
    "page": "confirmed on a page",
    "post": "POST request",
    "get": "GET of the unsubscribe link",
    "head": "HEAD of the unsubscribe link",
    "link": "the unsubscribe link, method not given",
    "unknown": "method not given",
}
_UNCLEAR = "another unsubscribe of the same recipient is not clear"
_FILTERING = ", ".join(quote_text(each.name) for each in PLATFORMS if each.source_filtering) or "''"
# What decides, the first that holds: in words, as SQL over `signs`, and the decision.
_GROUNDS: tuple[tuple[str, str, str], ...] = (
    ("marked as spam", "how = 'complaint'", LEAVE),
    (
        "one-click: a mailbox provider sends it when a person presses its button",
        "how IN ('one_click', 'header', 'post')",
        LEAVE,
    ),
    ("confirmed on a page", "how = 'page'", LEAVE),
    ("judged to be a person's", "verdict = 'human'", LEAVE),
    ("not judged: no request was seen", "verdict IS NULL", LEAVE),
    ("the recipient has complained as well", "complained", LEAVE),
    ("the recipient has also left in a way that only people do", "left_otherwise", LEAVE),
    ("the recipient has subscribed again since", "came_back", LEAVE),
    ("not sure who made it", "verdict = 'unsure'", ASK),
    ("no recipient is named", "recipient_id IS NULL", ASK),
    ("how it was made is not known", "how = 'unknown'", ASK),
    ("a machine, but not a security scanner", f"actor IS DISTINCT FROM '{SCANNER}'", ASK),
    (
        "no method is given, and this network sends one-click requests for people too",
        f"how = 'link' AND vendor IN {_ONE_CLICK_SENDERS}",
        ASK,
    ),
    (
        "no burst of one scanner over the links of the message",
        f"burst_links < CASE WHEN vendor_evidence IN {_KNOWN} THEN {_LINKS_OF_KNOWN} ELSE {_LINKS_OF_UNKNOWN} END",
        ASK,
    ),
    ("a person clicked or opened the same message", "person_clicked OR person_opened", ASK),
    ("an open or click of the same message may be a person's", "doubtful", ASK),
    ("a person may have been at the mailbox within a day", f"coalesce(person_gap_s <= {NEARBY_S}, FALSE)", ASK),
    ("the platform leaves later events out, a person's among them", f"source IN ({_FILTERING})", ASK),
    ("the file ends within a day: a person's sign may follow", "at_the_end", ASK),
    ("inside a scanner's burst, no sign of a person", "TRUE", RESTORE),
)


def _first(grounds: Iterable[tuple[str, str, str]]) -> str:
    cases = " ".join(f"WHEN {condition} THEN {quote_text(ground)}" for ground, condition, _ in grounds)
    return f"CASE {cases} END"


def _cases(value: str, words: Mapping[str, str]) -> str:
    return f"CASE {value} {' '.join(f'WHEN {quote_text(k)} THEN {quote_text(v)}' for k, v in words.items())} END"


def _evidence() -> str:
    """SQL of everything that is known of an unsubscribe, in words; it begins with what decided."""
    owner = f"coalesce({_cases('vendor', OWNERS)}, upper(vendor[1]) || vendor[2:])"
    amount = "CASE WHEN {x} < 120 THEN round({x})::INTEGER || ' s' WHEN {x} < 7200 THEN round({x} / 60)::INTEGER"
    amount += " || ' min' ELSE round({x} / 3600)::INTEGER || ' h' END"
    delay, gap = amount.format(x="abs(after_delivery_s)"), amount.format(x="person_gap_s")
    base = "CASE WHEN delivered_at IS NULL THEN 'sending' ELSE 'delivery' END"
    parts = (
        "ground",
        f"method || CASE WHEN after_delivery_s IS NULL THEN '' ELSE ', ' || {delay}"
        f" || CASE WHEN after_delivery_s < 0 THEN ' before ' ELSE ' after ' END || {base} END",
        "CASE WHEN verdict IS NOT NULL THEN 'called ' || verdict || ' (probability of a machine '"
        f" || round(probability, 4) || ')' || CASE WHEN vendor IS NULL THEN '' ELSE ', ' || {owner}"
        " || CASE WHEN vendor_evidence IS NULL THEN '' ELSE ' (' || vendor_evidence || ')' END END END",
        "CASE WHEN burst_links > 0 THEN burst_links || CASE WHEN burst_links = 1 THEN ' other link' ELSE ' other links'"
        f" END || ' asked for by the same scanner within {BURST_S} s' END",
        "CASE WHEN person_clicked THEN 'a person clicked the message' END",
        "CASE WHEN person_opened THEN 'a person opened the message' END",
        "CASE WHEN doubtful THEN 'an unsure open or click of the message' END",
        f"CASE WHEN person_gap_s IS NOT NULL THEN 'nearest event of the recipient that may be a person''s: ' || {gap}"
        " || ' away' END",
        "CASE WHEN complained THEN 'the recipient complained' END",
        "CASE WHEN left_otherwise THEN 'the recipient also left otherwise' END",
        "CASE WHEN came_back THEN 'subscribed again later' END",
        "CASE WHEN at_the_end THEN 'the file ends within a day after it' END",
    )
    return f"concat_ws('; ', {', '.join(parts)})"


def check_rates(by: str) -> None:
    """Raise InputError for what rates cannot be given by."""
    if by not in ("day", "campaign"):
        raise InputError(f"--by {by}: expected day or campaign")


def rates(con: duckdb.DuckDBPyConnection, people: Mapping[str, Expectation] = USUAL, by: str = "day") -> pa.Table:
    """Unsubscribes over time, raw and by people: a row a day on which messages arrived, or (`by` campaign) a campaign.

    day: of arrival, else sending, UTC; of a campaign the first. campaign_id only by campaign. messages: delivered, or
    all with an event where nobody says; unsubscribes: messages with at least one; human_unsubscribes: the expected
    number made by people (`people`, of the model's manifest), as in the figures of campaigns. rate, human_rate: shares
    of the messages; machine_share: of the unsubscribes, NULL without any. change: see `changes`, NULL for none.
    """
    own = "coalesce(e.campaign_id, '')" if by == "campaign" else "''"
    person = people["unsubscribed"].expected("hope")
    made = con.sql(
        f"""
        WITH messages AS (
            SELECT {own} AS campaign_id, hash(e.message_id, e.recipient_id) AS msg,
                CAST(min(coalesce(e.delivered_at, e.sent_at, e.timestamp)) AT TIME ZONE 'UTC' AS DATE) AS day,
                bool_or(e.event_type = 'delivered') AS delivered,
                max(1 - v.probability) FILTER (e.event_type = 'unsubscribed') AS hope
            FROM events AS e
            LEFT JOIN verdicts AS v ON v.event_row = {event_row("e")}
            WHERE NOT e.is_context
            GROUP BY campaign_id, msg
        ),
        sums AS (
            SELECT min(day) AS day, campaign_id,
                coalesce(nullif(count(*) FILTER (delivered), 0), count(*)) AS messages,
                count(hope) AS unsubscribes,
                coalesce(sum({person}) FILTER (hope IS NOT NULL), 0) AS human_unsubscribes
            FROM messages
            GROUP BY campaign_id{"" if by == "campaign" else ", day"}
        )
        SELECT {"campaign_id, " if by == "campaign" else ""} day, messages, unsubscribes, human_unsubscribes,
            unsubscribes / messages AS rate, human_unsubscribes / messages AS human_rate,
            1 - human_unsubscribes / nullif(unsubscribes, 0) AS machine_share
        FROM sums
        ORDER BY day, campaign_id
        """
    ).to_arrow_table()
    counts = zip(made["unsubscribes"].to_pylist(), made["human_unsubscribes"].to_pylist(), strict=True)
    return made.append_column("change", strings(changes([(each, each - human) for each, human in counts])))


def changes(counts: Sequence[tuple[int, float]]) -> list[str | None]:
    """Where machines' share of unsubscribes jumps: 'up', 'down' or None of each pair (unsubscribes, those by machines).

    A row is compared with all rows since the last change. It is one if the shares differ by `JUMP_SHARE` or more and
    by more than `JUMP_ERRORS` standard errors of the difference. Rows with too few unsubscribes are put together with
    the next ones until they are `FEWEST_UNSUBSCRIBES`; the mark stands at the last of them.

    >>> changes([(40, 8.0), (50, 10.0), (60, 54.0), (40, 36.0)])
    [None, None, 'up', None]
    """
    marks: list[str | None] = []
    base, base_machines, part, part_machines = 0, 0.0, 0, 0.0
    for unsubscribes, machines in counts:
        marks.append(None)
        part, part_machines = part + unsubscribes, part_machines + machines
        if part < FEWEST_UNSUBSCRIBES:
            continue
        if base and (mark := _jump(base, base_machines, part, part_machines)):
            marks[-1], base, base_machines = mark, 0, 0.0
        base, base_machines = base + part, base_machines + part_machines
        part, part_machines = 0, 0.0
    return marks


def _jump(n: int, machines: float, n_next: int, machines_next: float) -> str | None:
    """Whether the share of the second sample is another than that of the first: 'up', 'down' or None."""
    together = (machines + machines_next) / (n + n_next)
    error = sqrt(max(together * (1 - together), 0) * (1 / n + 1 / n_next))
    gap = machines_next / n_next - machines / n
    # Shares are sums of probabilities: 0.2 may come as a hair less.
    if abs(gap) + 1e-9 < JUMP_SHARE or abs(gap) <= JUMP_ERRORS * error:
        return None
    return "up" if gap > 0 else "down"
