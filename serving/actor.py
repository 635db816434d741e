"""Who made an automated event: the kind of machine and, where it is known, whose.

Evidence is looked at from the most to the least telling: what the agent calls itself, whose network it came from, then
how it behaved. The expressions use the aliases `f` facts, `a` addresses, `g` agents and `x` features.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from features.arrow_columns import strings
from features.mailbox_host import GATEWAYS, mailbox_hosts
from features.schema import event_row

HUMAN, SCANNER, PRIVACY, PREVIEW, OTHER = (
    "human",
    "security_scanner",
    "privacy_proxy",
    "link_preview",
    "other_automation",
)
ACTORS = (HUMAN, SCANNER, PRIVACY, PREVIEW, OTHER)

_SECURITY_KINDS = "('mail_security', 'security_service', 'security_vendor')"
_ROBOT_KINDS = "('crawler', 'ai_crawler', 'fetcher', 'internet_scanner')"

# Apple's and Gmail's prefetch happen for opens only; the same agent on a click is somebody else's.
ACTOR_SQL = f"""
    CASE
        WHEN v.verdict = 'human' THEN '{HUMAN}'
        WHEN v.verdict IS NULL OR v.verdict <> 'automated' THEN NULL
        WHEN g.kind = 'security_scanner' THEN '{SCANNER}'
        WHEN f.kind = 0 AND g.kind IN ('apple_mpp', 'gmail_prefetch') THEN '{PRIVACY}'
        WHEN g.kind = 'link_preview' OR a.kind = 'link_preview' THEN '{PREVIEW}'
        WHEN a.kind IN {_SECURITY_KINDS} OR a.category = 'mail_security' THEN '{SCANNER}'
        WHEN f.kind = 0 AND (a.kind = 'privacy_relay' OR a.category IN ('apple', 'cdn_relay')) THEN '{PRIVACY}'
        WHEN g.kind IN {_ROBOT_KINDS} OR a.kind IN {_ROBOT_KINDS} THEN '{OTHER}'
        WHEN x.widest_burst >= 2 OR x.honeypot_message = 1 OR x.domain_burst_share > 0.3 OR a.rank = 2 THEN '{SCANNER}'
        WHEN g.kind IN ('http_client', 'headless') THEN '{OTHER}'
        WHEN f.kind > 0 THEN '{SCANNER}'
        ELSE '{OTHER}'
    END
"""

# The network's operator says whose scanner it is only where the network is a security vendor's or a mailbox host's.
_IS_LISTED = f"""(a.kind IN {_SECURITY_KINDS}
    OR a.kind IN ('link_preview', 'privacy_relay', 'crawler', 'ai_crawler', 'fetcher'))"""
_OPERATOR = f"CASE WHEN {_IS_LISTED} OR a.category IN ('mail_security', 'cloud_mailbox') THEN a.operator END"
_IS_NAMED = "g.vendor IS NOT NULL AND g.kind IN ('security_scanner', 'link_preview', 'gmail_prefetch')"
VENDOR_SQL = f"""
    CASE
        WHEN v.verdict IS NULL OR v.verdict <> 'automated' THEN NULL
        WHEN {_IS_NAMED} THEN g.vendor
        WHEN f.kind = 0 AND g.kind = 'apple_mpp' THEN 'apple'
        ELSE coalesce({_OPERATOR}, g.vendor)
    END
"""

# How sure the vendor is, from the surest to the least sure. In a shared network customers of its operator run programs
# too; the gateway is that of the recipient domain, for machines that give nothing away themselves.
OWN_NETWORK, OFFICIAL_LIST, AGENT, COMMUNITY_LIST, SHARED_NETWORK, GATEWAY = VENDOR_EVIDENCE = (
    "own network",
    "official list",
    "agent",
    "community list",
    "shared network",
    "gateway of the domain",
)
_NETWORK_EVIDENCE = f"""
    CASE
        WHEN a.category = 'mail_security' OR ({_IS_LISTED} AND a.evidence IN ('spf', 'asn')) THEN '{OWN_NETWORK}'
        WHEN {_IS_LISTED} AND a.evidence IN ('official', 'published') THEN '{OFFICIAL_LIST}'
        WHEN {_IS_LISTED} THEN '{COMMUNITY_LIST}'
        ELSE '{SHARED_NETWORK}'
    END
"""
# For what `VENDOR_SQL` finds: NULL for none.
VENDOR_EVIDENCE_SQL = f"""
    CASE
        WHEN ({VENDOR_SQL}) IS NULL THEN NULL
        WHEN ({VENDOR_SQL}) = {_OPERATOR} AND {_NETWORK_EVIDENCE} IN ('{OWN_NETWORK}', '{OFFICIAL_LIST}')
            THEN {_NETWORK_EVIDENCE}
        WHEN ({VENDOR_SQL}) = g.vendor OR (f.kind = 0 AND g.kind = 'apple_mpp') THEN '{AGENT}'
        ELSE {_NETWORK_EVIDENCE}
    END
"""
# Fewer messages, or a smaller share of those whose scanner is known, name no gateway.
_FEWEST_SCANNED, _LEAST_SHARE = 3, 0.8


def name_gateways(con: duckdb.DuckDBPyConnection) -> None:
    """Give scanners without a vendor that of their recipient domain's gateway, in the table `verdicts`.

    The gateway is what the mail exchangers say (table `domains`, where it is there), else the vendor whose scanners
    opened or clicked nearly all of the domain's messages that a scanner of a known vendor did. Machines in people's own
    networks and domains that everybody has mailboxes at are left as they are.
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scanned AS
        SELECT e.recipient_domain, v.vendor, v.vendor_evidence, v.event_row, f.msg,
            v.vendor IS NULL AND coalesce(a.rank, 1) > 0 AS is_open
        FROM verdicts AS v
        JOIN facts AS f ON v.event_row = f.event_row AND f.dom IS NOT NULL
        JOIN events AS e ON v.event_row = {event_row("e")}
        LEFT JOIN addresses AS a ON f.address_id = a.address_id
        WHERE v.actor = '{SCANNER}'
        """
    )
    con.register("gateways", _gateways(con))
    con.execute(
        f"""
        UPDATE verdicts SET vendor = found.gateway, vendor_evidence = '{GATEWAY}'
        FROM (
            SELECT s.event_row, g.gateway
            FROM scanned AS s
            JOIN gateways AS g ON s.recipient_domain = g.recipient_domain
            WHERE s.is_open
        ) AS found
        WHERE verdicts.event_row = found.event_row
        """
    )
    con.unregister("gateways")
    con.execute("DROP TABLE scanned")


def _gateways(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """The domains with open scanners and their gateways: recipient_domain, gateway; others are left out."""
    [(has_domains,)] = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'domains'").fetchall()
    exchangers = "LEFT JOIN domains AS d ON s.recipient_domain = d.recipient_domain" if has_domains else ""
    rows = con.execute(
        f"""
        WITH wanted AS (
            SELECT DISTINCT recipient_domain FROM scanned WHERE is_open
        ),
        seen AS (
            SELECT recipient_domain, vendor, count(DISTINCT msg) AS messages
            FROM scanned
            WHERE vendor_evidence IN ('{OWN_NETWORK}', '{OFFICIAL_LIST}', '{AGENT}')
            GROUP BY recipient_domain, vendor
        ),
        main AS (
            SELECT recipient_domain, max(vendor) AS vendor
            FROM seen
            WHERE messages >= {_FEWEST_SCANNED}
                AND messages >= {_LEAST_SHARE} * (SELECT sum(t.messages) FROM seen AS t
                    WHERE t.recipient_domain = seen.recipient_domain)
            GROUP BY recipient_domain
        )
        SELECT s.recipient_domain, {"d.mx" if has_domains else "NULL"}, m.vendor
        FROM wanted AS s
        LEFT JOIN main AS m ON s.recipient_domain = m.recipient_domain
        {exchangers}
        ORDER BY 1
        """
    ).fetchall()
    known = mailbox_hosts([domain for domain, _, _ in rows], [mx for _, mx, _ in rows]).to_pylist()
    found = {
        domain: gateway
        for (domain, _, seen), host in zip(rows, known, strict=True)
        if not host["is_shared"]
        and (gateway := seen if host["gateway_code"] is None else GATEWAYS[host["gateway_code"]]) is not None
    }
    return pa.table({"recipient_domain": strings(found), "gateway": strings(found.values())})
