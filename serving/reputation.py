"""What a model learnt of networks, agents and recipient domains from its labels, as columns beside the catalogue's.

A model may hold a table of labelled sums (`SCHEMA`). Its inputs are then the feature catalogue's and
`REPUTATION_NAMES`; a model without the table has the catalogue's alone. The table is looked up once for each distinct
address, agent and domain, and the sums fade with the time between the last label and the event.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features import address_key
from features.arrow_columns import numbers, strings, to_array
from features.errors import ModelError
from features.mailbox_host import mailbox_hosts

NETWORK, ASN, AGENT, DOMAIN, ALL = "network", "asn", "agent", "domain", "all"
KINDS = (NETWORK, ASN, AGENT, DOMAIN)
REPUTATION_CATEGORICAL = ("mailbox_host", "mailbox_gateway")
REPUTATION_NAMES: tuple[str, ...] = (*(f"{kind}_reputation" for kind in KINDS), *REPUTATION_CATEGORICAL)
# Opens are one thing, clicks and what follows them another: a scanner's organisation has people's opens.
OPENED, CLICKED = "opened", "clicked"

# After this long a label counts half: gateways and the ranges of scanners change within a year.
HALF_LIFE_DAYS = 90
HALF_LIFE_US = HALF_LIFE_DAYS * 86_400 * 1_000_000
# Fewer messages than that make no reputation, neither in training nor afterwards.
FEWEST_MESSAGES = 3
# Every share is drawn towards the share of all labels as if by so many messages more.
IMAGINED_MESSAGES = 4.0
# The share of all labels, where it is as good as 0 or 1, says little of what comes next.
_LEAST_PRIOR = 0.02
_LONGEST_AGENT = 500
MOST_ROWS = 1_000_000

# automated and total are sums over messages as of last_seen, when the key was last labelled; messages counts them. Of
# each kind and key there is one row for opens, and one for clicks and unsubscribes; kind "all" has all labels.
SCHEMA = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("event_type", pa.string(), nullable=False),
        pa.field("automated", pa.float64(), nullable=False),
        pa.field("total", pa.float64(), nullable=False),
        pa.field("messages", pa.int64(), nullable=False),
        pa.field("last_seen", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)

# Which agents and domains can have a reputation: SQL over the aliases g and d of their tables. What may hold an address
# of a person is left out, and so are mailboxes for everybody, whose recipients have nothing in common.
NAMED_AGENT = f"length(g.user_agent) BETWEEN 1 AND {_LONGEST_AGENT} AND NOT contains(g.user_agent, '@')"
NAMED_DOMAIN = "NOT d.is_shared AND NOT contains(d.recipient_domain, '@')"


def parquet(table: pa.Table) -> bytes:
    """The one file of a table."""
    sink = io.BytesIO()
    pq.write_table(table.cast(SCHEMA), sink, compression="zstd", write_statistics=False)
    return sink.getvalue()


def read_parquet(content: bytes) -> pa.Table:
    """The table of a file; raises ModelError for one that is no table of reputations or has too many rows."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        if not file.schema_arrow.equals(SCHEMA) or file.metadata.num_rows > MOST_ROWS:
            raise ModelError(
                f"reputation: {file.metadata.num_rows:,} rows of {', '.join(file.schema_arrow.names)}; expected at most"
                f" {MOST_ROWS:,} of {', '.join(SCHEMA.names)}; train the model again"
            )
        table = file.read()
    except pa.ArrowException as error:
        raise ModelError(f"reputation: no Parquet file ({str(error).splitlines()[0]}); train it again") from error
    sums = np.stack([to_array(table[name]) for name in ("automated", "total")])
    sound = bool(np.isfinite(sums).all() and (sums >= 0).all())
    if not sound or not {OPENED, CLICKED} >= set(table["event_type"].unique().to_pylist()):
        raise ModelError("reputation: sums below 0 or of other events than opens and clicks; train the model again")
    return table


def prior(automated: float, total: float) -> float:
    """The share towards which others are drawn: of all labels, and a half where there are none."""
    return min(1 - _LEAST_PRIOR, max(_LEAST_PRIOR, automated / total if total else 0.5))


def odds_sql(automated: str, total: str, share: str) -> str:
    """SQL of how much likelier than otherwise an event is automated: the difference of log odds, 0 for no evidence.

    `automated` of `total` messages were; `share` is the prior share.
    """
    machines = f"({automated} + {IMAGINED_MESSAGES} * {share})"
    people = f"(greatest({total} - {automated}, 0) + {IMAGINED_MESSAGES} * (1 - {share}))"
    return f"(ln({machines} / {people}) - ln({share} / (1 - {share})))"


def network_texts(numbers: Iterable[int]) -> list[str]:
    """The /24 or /48 of each number of `features.ip_lookup.locate`.

    >>> network_texts([0xC00002])
    ['192.0.2.0/24']
    """
    return [
        f"{address_key.unpack(_MAPPED + (number << 8).to_bytes(4, 'big'))}/24"
        if number < _IPV6
        else f"{address_key.unpack((number - _IPV6).to_bytes(6, 'big') + bytes(10))}/48"
        for number in numbers
    ]


def network_numbers(texts: Sequence[str]) -> list[int | None]:
    """The number of each /24 or /48, None for what is neither."""
    found: list[int | None] = []
    for text in texts:
        key = address_key.pack(text.partition("/")[0])
        if key is None:
            found.append(None)
        elif key.startswith(_MAPPED):
            found.append(int.from_bytes(key[12:15], "big"))
        else:
            found.append(int.from_bytes(key[:6], "big") + _IPV6)
    return found


_MAPPED = bytes(10) + b"\xff\xff"
_IPV6 = 1 << 48


def tag_domains(con: duckdb.DuckDBPyConnection) -> None:
    """Look each distinct recipient domain up once: the temp table `recipient_domains`, `dom` as in `facts`.

    Mail exchangers come from the table `domains` where somebody has read one.
    """
    con.execute("CREATE TEMP TABLE IF NOT EXISTS domains (recipient_domain VARCHAR, mx VARCHAR)")
    rows = con.execute("""
        SELECT DISTINCT e.recipient_domain, d.mx
        FROM events AS e
        LEFT JOIN domains AS d ON e.recipient_domain = d.recipient_domain
        WHERE e.recipient_domain IS NOT NULL
        ORDER BY 1""").fetchall()
    con.register("tagged", mailbox_hosts([domain for domain, _ in rows], [mx for _, mx in rows]))
    con.execute("""
        CREATE OR REPLACE TEMP TABLE recipient_domains AS
        SELECT *, CAST(hash(recipient_domain) >> 1 AS BIGINT) AS dom FROM tagged""")
    con.unregister("tagged")


def join_reputations(con: duckdb.DuckDBPyConnection, table: pa.Table | None) -> None:
    """Make the temp table `reputations`: event_row and `REPUTATION_NAMES`, a row for each judged event.

    `facts`, `addresses`, `agents` and `events` are on the connection. For the words of reasons it also has of each kind
    the share and the number of messages behind it. Without a table there is no row.
    """
    columns = ", ".join(f"{name} FLOAT" for name in REPUTATION_NAMES)
    behind = ", ".join(f"{kind}_share FLOAT, {kind}_messages BIGINT" for kind in KINDS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE reputations (event_row BIGINT, {columns}, {behind})")
    if table is None:
        return
    tag_domains(con)
    priors = _register(con, table)
    for kind, found in _FOUND.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {kind}_known AS {found}")
    odds = ", ".join(f"CASE WHEN {kind}_k.total IS NOT NULL THEN {_odds(kind, priors)} END AS {kind}" for kind in KINDS)
    shares = ", ".join(f"{kind}_k.automated / {kind}_k.total, {kind}_k.messages" for kind in KINDS)
    con.execute(f"""
        INSERT INTO reputations
        SELECT f.event_row, {odds}, d.host_code, d.gateway_code, {shares}
        FROM facts AS f
        LEFT JOIN network_known AS network_k ON f.address_id = network_k.id AND (f.kind > 0) = network_k.clicked
        LEFT JOIN asn_known AS asn_k ON f.address_id = asn_k.id AND (f.kind > 0) = asn_k.clicked
        LEFT JOIN agent_known AS agent_k ON f.agent_id = agent_k.id AND (f.kind > 0) = agent_k.clicked
        LEFT JOIN domain_known AS domain_k ON f.dom = domain_k.id AND (f.kind > 0) = domain_k.clicked
        LEFT JOIN recipient_domains AS d ON f.dom = d.dom
        WHERE NOT f.is_context""")
    for name in (*(f"{kind}_known" for kind in KINDS), "learnt", "recipient_domains"):
        con.execute(f"DROP TABLE {name}")


# Of each kind: id in `facts`, whether clicked, automated, total, messages, us of the last label.
_SUMS = "r.event_type = 'clicked' AS clicked, r.automated, r.total, r.messages, epoch_us(r.last_seen) AS us"
_FOUND = {
    NETWORK: f"SELECT a.address_id AS id, {_SUMS} FROM addresses AS a"
    " JOIN learnt AS r ON r.kind = 'network' AND a.net = r.number",
    ASN: f"SELECT a.address_id AS id, {_SUMS} FROM addresses AS a"
    " JOIN learnt AS r ON r.kind = 'asn' AND CAST(a.asn AS BIGINT) = r.number",
    AGENT: f"SELECT g.agent_id AS id, {_SUMS} FROM agents AS g"
    " JOIN learnt AS r ON r.kind = 'agent' AND g.user_agent = r.key",
    DOMAIN: f"SELECT d.dom AS id, {_SUMS} FROM recipient_domains AS d"
    " JOIN learnt AS r ON r.kind = 'domain' AND d.recipient_domain = r.key",
}


def _odds(kind: str, priors: dict[str, float]) -> str:
    k = f"{kind}_k"
    faded = f"pow(2, -greatest(f.us - {k}.us, 0) / {HALF_LIFE_US}.0)"
    share = f"CASE WHEN f.kind = 0 THEN {priors[OPENED]!r} ELSE {priors[CLICKED]!r} END"
    return odds_sql(f"({k}.automated * {faded})", f"({k}.total * {faded})", f"({share})")


def _register(con: duckdb.DuckDBPyConnection, table: pa.Table) -> dict[str, float]:
    """Make the temp table `learnt`, keys with enough messages, those that are numbers as `number`; the prior shares.

    Each key is in it once, or an event would be judged twice: a model may come from anywhere.
    """
    con.register("reputation_rows", table)
    keys = [key for (key,) in con.execute(_NETWORKS).fetchall()]
    found = [(key, number) for key, number in zip(keys, network_numbers(keys), strict=True) if number is not None]
    given = {"key": strings(key for key, _ in found), "number": numbers(np.array([n for _, n in found], np.int64))}
    con.register("network_rows", pa.table(given))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE learnt AS
        WITH numbered AS (
            SELECT r.*, CASE r.kind WHEN '{ASN}' THEN TRY_CAST(r.key AS BIGINT) ELSE n.number END AS number
            FROM reputation_rows AS r
            LEFT JOIN network_rows AS n ON r.kind = '{NETWORK}' AND r.key = n.key
            WHERE r.messages >= {FEWEST_MESSAGES} AND r.total > 0 AND r.kind <> '{ALL}'
        )
        SELECT *
        FROM numbered
        QUALIFY row_number() OVER (
            PARTITION BY kind, event_type, coalesce(CAST(number AS VARCHAR), key)
            ORDER BY messages DESC, key, automated, total, last_seen
        ) = 1""")
    sums = con.execute(f"SELECT event_type, automated, total FROM reputation_rows WHERE kind = '{ALL}'").fetchall()
    con.unregister("reputation_rows")
    con.unregister("network_rows")
    nothing = dict.fromkeys((OPENED, CLICKED), prior(0, 0))
    return nothing | {event_type: prior(automated, total) for event_type, automated, total in sums}


_NETWORKS = f"SELECT DISTINCT key FROM reputation_rows WHERE kind = '{NETWORK}' ORDER BY key"
