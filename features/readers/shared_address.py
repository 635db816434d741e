"""One address in front of everybody: a proxy that tells nobody whose request it passes on."""

from __future__ import annotations

import duckdb

from features.schema import ENGAGEMENT

# Below these counts one address can be one office, or a handful of people.
_FEWEST_EVENTS = 50
_FEWEST_RECIPIENTS = 20
_SHARE = 0.9
# Private networks (RFC 1918, 4193, 6598), loopback and link-local: no client on the internet has these.
PRIVATE = (
    r"^(10|127|192\.168|169\.254|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\."
    r"|^(::1$|f[cd]|fe[89ab])"
)


def shared_address(con: duckdb.DuckDBPyConnection) -> str | None:
    """What is wrong with the addresses of `events`, in words; None where they can be those of clients.

    Looked at are opens, clicks and unsubscribes with an address, context too.
    """
    kinds = ", ".join(f"'{kind}'" for kind in ENGAGEMENT)
    [row] = con.execute(
        f"""
        WITH client AS (
            SELECT ip, count(*) AS n, regexp_matches(ip, $private) AS private
            FROM events WHERE ip IS NOT NULL AND event_type IN ({kinds}) GROUP BY ip
        )
        SELECT sum(n), max(n), arg_max(ip, n), coalesce(sum(n) FILTER (private), 0),
               (SELECT count(DISTINCT coalesce(recipient_id, message_id)) FROM events
                WHERE ip IS NOT NULL AND event_type IN ({kinds}))
        FROM client""",
        {"private": PRIVATE},
    ).fetchall()
    if row[0] is None:
        return None
    total, most, address, private, recipients = row
    if total < _FEWEST_EVENTS or recipients < _FEWEST_RECIPIENTS:
        return None
    if most >= _SHARE * total:
        what = f"{most / total:.0%} of opens and clicks come from the one address {address}"
    elif private >= _SHARE * total:
        what = f"{private / total:.0%} of opens and clicks come from private addresses"
    else:
        return None
    return (
        f"{what}, as behind a proxy that does not pass the client's address on; addresses are left aside"
        " (--capabilities says otherwise)"
    )
