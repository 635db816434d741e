"""Where labels come from without anyone looking at the events: one declaration per source.

The SQL reads the tables that `features.duckdb_engine` leaves on a connection, `events`, and `person_evidence` of
`training.labels`. It gives event_row and name; names are the source's own or begin with it, and have no "+".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from features.facts import SECOND
from features.feature import Capability
from features.readers.identifiers import quote_text
from features.schema import event_row

HONEYPOT_WINDOW_S = 60
BURST_S, BURST_LINKS = 10, 3
CONVERSION_MINUTES = 30
ECHO_S = 5  # software on the reader's machine fetches what the reader clicks, moments before or after
HEAD = 1  # the code of `facts.method`

# The words of platforms and shops for what only a person is thought to do, folded as event words are.
PERSON_WORDS: dict[str, tuple[str, ...]] = {
    "conversion": (
        *("conversion", "converted", "purchase", "purchased", "order", "ordered", "placed_order", "order_placed"),
        *("order_completed", "completed_order", "checkout_completed", "payment", "paid", "booking", "booked"),
    ),
    "login": ("login", "log_in", "logged_in", "signin", "sign_in", "signed_in"),
    "form submission": (
        *("form_submission", "form_submitted", "form_submit", "submitted_form", "submitted_data", "form_filled"),
        *("fill_out_form", "filled_out_form", "signup", "sign_up", "signed_up", "registration", "registered"),
    ),
    "reply": ("reply", "replied", "email_reply", "email_replied", "replied_email", "replied_to_email"),
}


@dataclass(frozen=True)
class LabelSource:
    """One kind of evidence for who made an event.

    `automated` is what it speaks for, `weight` how much its labels count in training, `words` what it looks at.
    `defining` are the features that it is made of: trained on them, a model would learn the source and nothing
    else. Without one of the capabilities `needs` it finds nothing.
    """

    name: str
    automated: bool
    weight: float
    words: str
    defining: frozenset[str]
    sql: str
    needs: frozenset[Capability] = field(default=frozenset())


# A scan comes from one client, or from many within seconds. The rest of the message is anybody's: people read mails
# that a scanner has read before them.
_HONEYPOT = f"""
    SELECT f.event_row, 'honeypot' AS name
    FROM facts AS f
    JOIN facts AS h ON f.msg = h.msg AND f.us BETWEEN h.us - {HONEYPOT_WINDOW_S * SECOND}
        AND h.us + {HONEYPOT_WINDOW_S * SECOND}
    JOIN features AS x ON f.event_row = x.event_row
    WHERE h.honeypot = 1 AND h.kind = 1 AND (
        f.event_row = h.event_row
        OR f.address_id = h.address_id AND f.agent_id IS NOT DISTINCT FROM h.agent_id
        OR coalesce(f.address_id, h.address_id) IS NULL AND f.agent_id = h.agent_id
        OR f.kind > 0 AND abs(f.us - h.us) <= {BURST_S * SECOND} AND x.links_10s >= {BURST_LINKS}
    )
"""
# An unsubscribe that no click leads to is what a mailbox provider's server sends when a person presses its button (RFC
# 8058): whose server and library it is says nothing about who pressed.
_NOT_ONE_CLICK = f"""(f.kind < 2 OR f.event_row IN (
        SELECT u.event_row
        FROM facts AS u
        JOIN facts AS c ON u.msg = c.msg AND c.us BETWEEN u.us - {60 * SECOND} AND u.us
        WHERE u.kind = 2 AND c.kind = 1 AND u.address_id IS NOT DISTINCT FROM c.address_id
            AND u.agent_id IS NOT DISTINCT FROM c.agent_id
    ))"""
# Lists of trackers and log readers are left out, and so are clouds: others work there too.
_VENDOR_PREFIX = f"""
    SELECT f.event_row, 'vendor prefix' AS name
    FROM facts AS f
    JOIN addresses AS a ON f.address_id = a.address_id
    WHERE {_NOT_ONE_CLICK} AND (
        a.kind = 'mail_security' AND a.evidence IN ('official', 'published', 'spf', 'asn')
        OR a.kind IS NULL AND a.category = 'mail_security' AND NOT a.category_weak
    )
"""
_CRAWLER_AGENT = f"""
    SELECT f.event_row, 'crawler agent' AS name
    FROM facts AS f
    JOIN agents AS g ON f.agent_id = g.agent_id
    WHERE {_NOT_ONE_CLICK} AND g.kind IN (
        'security_scanner', 'crawler', 'ai_crawler', 'fetcher', 'internet_scanner', 'link_preview', 'http_client',
        'headless'
    )
"""
_PREFETCH_AGENT = """
    SELECT f.event_row, 'prefetch agent' AS name
    FROM facts AS f
    JOIN agents AS g ON f.agent_id = g.agent_id
    WHERE f.kind = 0 AND g.kind IN ('apple_mpp', 'gmail_prefetch')
"""
# A mail is sent before it is delivered: what is quick after sending is quicker still after delivery, or before it.
_BURST = f"""
    WITH early AS (
        SELECT event_row, msg, us, link, us - coalesce(delivered_us, sent_us) AS delay_us
        FROM facts
        WHERE kind > 0 AND us - coalesce(delivered_us, sent_us) <= {2 * BURST_S * SECOND}
    ),
    counted AS (
        SELECT msg, us, delay_us, count(DISTINCT link) OVER (
            PARTITION BY msg ORDER BY us RANGE BETWEEN CURRENT ROW AND {BURST_S * SECOND} FOLLOWING
        ) AS links
        FROM early
    )
    SELECT e.event_row, 'burst at delivery' AS name
    FROM early AS e
    JOIN counted AS c ON e.msg = c.msg AND e.us BETWEEN c.us AND c.us + {BURST_S * SECOND}
    WHERE c.links >= {BURST_LINKS} AND c.delay_us <= {BURST_S * SECOND}
"""
_PLATFORM_FLAG = f"""
    SELECT
        {event_row("e")} AS event_row,
        'platform flag ' || replace(coalesce(split_part(e.platform_machine_reason, '=', 1), e.source), '+', ' ') AS name
    FROM events AS e
    WHERE e.platform_machine
"""


def _person(name: str, weight: float) -> LabelSource:
    """A click that somebody's own doing followed: the last in the half hour before, of the client that is named.

    Where several clients could be meant nobody can say whose it was, and where a client clicks twice within seconds,
    one of the two may be software on the person's own machine: neither is a label.
    """
    return LabelSource(
        name,
        False,
        weight,
        f"the click before a {name}, by the same client within {CONVERSION_MINUTES} minutes",
        frozenset(),
        f"SELECT event_row, kind AS name FROM vouched_clicks WHERE kind = {quote_text(name)}",
    )


SOURCES: tuple[LabelSource, ...] = (
    LabelSource(
        "honeypot",
        True,
        1.0,
        f"within {HONEYPOT_WINDOW_S} s of a click on the hidden link, by the same client or in its burst",
        frozenset({"honeypot", "honeypot_60s", "honeypot_message"}),
        _HONEYPOT,
        frozenset({"links"}),
    ),
    LabelSource(
        "vendor prefix",
        True,
        1.0,
        "from a mail security vendor's own network or published range",
        frozenset(
            {
                *("network_kind", "network_operator", "network_evidence", "network_rank"),
                *("as_category", "as_category_weak"),
            }
        ),
        _VENDOR_PREFIX,
        frozenset({"address"}),
    ),
    LabelSource(
        "crawler agent",
        True,
        1.0,
        "an agent that calls itself a crawler, scanner, link preview or HTTP library",
        frozenset({"agent_kind", "browser", "device", "os"}),
        _CRAWLER_AGENT,
        frozenset({"agent"}),
    ),
    LabelSource(
        "prefetch agent",
        True,
        1.0,
        "an open with the agent of Apple's or Gmail's prefetch",
        frozenset({"agent_kind", "browser", "device", "os", "agent_impossible"}),
        _PREFETCH_AGENT,
        frozenset({"agent"}),
    ),
    LabelSource(
        "burst at delivery",
        True,
        0.5,  # the first to click where mails are waited for and deliveries logged late are people with many tabs
        f"among {BURST_LINKS} links or more within {BURST_S} s, begun at most {BURST_S} s after delivery",
        frozenset(
            {
                *("links_1s", "links_10s", "link_share_10s", "widest_burst", "since_burst_s"),
                *("since_delivery_s", "since_sent_s", "since_arrival_s", "first_click_delay_s"),
            }
        ),
        _BURST,
        frozenset({"links"}),
    ),
    LabelSource(
        "platform flag",
        True,
        0.3,
        "what the platform itself calls a machine",
        frozenset(),
        _PLATFORM_FLAG,
    ),
    _person("conversion", 1.0),
    _person("login", 1.0),
    _person("form submission", 1.0),
    # An autoresponder replies, too.
    _person("reply", 0.5),
)
