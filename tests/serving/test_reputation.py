"""The columns of a model that has learnt reputations: looked up by network, agent and domain, fading with age."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.duckdb_engine import DuckDBEngine, connect
from features.errors import ModelError
from features.feature import CAPABILITIES
from features.mailbox_host import GATEWAYS, HOSTS
from features.readers import read_campaigns, read_domains, read_events
from serving.reputation import (
    HALF_LIFE_DAYS,
    IMAGINED_MESSAGES,
    REPUTATION_NAMES,
    SCHEMA,
    join_reputations,
    network_numbers,
    network_texts,
    parquet,
    read_parquet,
)
from tests.serving.scored_files import KEY

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = {
    "event_type": "click",
    "timestamp": NOON.isoformat(),
    "campaign_id": "c",
    "message_id": "m",
    "recipient_id": "r",
    "recipient_domain": "acme.example",
    "url": "https://shop.example/a",
    "ip": "192.0.2.9",
    "user_agent": "scan/1.0",
}


def row(kind: str, key: str, automated: float, total: float, **others: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key,
        "event_type": "clicked",
        "automated": automated,
        "total": total,
        "messages": int(total),
        "last_seen": NOON,
    } | others


def learnt(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


ALL = row("all", "", 50.0, 100.0)


def odds(automated: float, total: float, prior: float = 0.5) -> float:
    machines = automated + IMAGINED_MESSAGES * prior
    people = total - automated + IMAGINED_MESSAGES * (1 - prior)
    return math.log(machines / people) - math.log(prior / (1 - prior))


def columns(
    folder: Path, table: pa.Table | None, *events: dict[str, Any], domains: str | None = None, **options: Any
) -> list[dict[str, Any]]:
    """`reputations` of these events, written on top of EVENT, in order."""
    path = folder / "events.jsonl"
    path.write_text(
        "".join(json.dumps({**EVENT, "event_id": f"e{n}", **event}) + "\n" for n, event in enumerate(events))
    )
    con = connect(threads=1)
    read_campaigns(con, None)
    if domains is not None:
        (folder / "domains.csv").write_text(domains)
        read_domains(con, folder / "domains.csv")
    read_events(con, [path], recipient_key=KEY)
    DuckDBEngine(con).compute(options.get("capabilities", frozenset(CAPABILITIES)))
    join_reputations(con, table)
    found: list[dict[str, Any]] = con.sql("SELECT * FROM reputations ORDER BY event_row").to_arrow_table().to_pylist()
    return found


@pytest.mark.parametrize(
    ("kind", "key", "others"),
    [
        ("network", "192.0.2.0/24", {}),
        ("network", "2001:db8:1::/48", {"ip": "2001:db8:1:2::3"}),
        ("asn", "15169", {"ip": "8.8.8.8"}),
        ("agent", "scan/1.0", {}),
        ("domain", "acme.example", {}),
    ],
)
def test_each_kind_is_looked_up_by_its_own_key(tmp_path: Path, kind: str, key: str, others: dict[str, Any]) -> None:
    elsewhere = {"ip": "198.51.100.7", "user_agent": "other", "recipient_domain": "other.example"}
    table = learnt(ALL, row(kind, key, 9.0, 10.0))
    known, unknown = columns(tmp_path, table, others, elsewhere)
    assert known[f"{kind}_reputation"] == pytest.approx(odds(9, 10), rel=1e-6)
    assert (known[f"{kind}_share"], known[f"{kind}_messages"]) == (pytest.approx(0.9), 10)
    assert {name for name in REPUTATION_NAMES if known[name] is not None} == {f"{kind}_reputation"}
    assert {name for name in REPUTATION_NAMES if unknown[name] is not None} == set()


def test_opens_are_judged_by_opens_and_unsubscribes_by_clicks(tmp_path: Path) -> None:
    table = learnt(ALL, row("agent", "scan/1.0", 9.0, 10.0), row("agent", "scan/1.0", 0.0, 10.0, event_type="opened"))
    found = columns(tmp_path, table, {"event_type": "open"}, {"event_type": "click"}, {"event_type": "unsubscribe"})
    assert [event["agent_reputation"] for event in found] == pytest.approx([odds(0, 10), odds(9, 10), odds(9, 10)])


def test_a_reputation_fades_with_the_time_since_the_last_label(tmp_path: Path) -> None:
    table = learnt(ALL, row("agent", "scan/1.0", 8.0, 8.0))
    times = [NOON + timedelta(days=days) for days in (-30, 0, HALF_LIFE_DAYS, 100 * HALF_LIFE_DAYS)]
    found = columns(tmp_path, table, *({"timestamp": time.isoformat()} for time in times[:3]))
    assert [event["agent_reputation"] for event in found] == pytest.approx([odds(8, 8), odds(8, 8), odds(4, 4)])
    [old] = columns(tmp_path, table, {"timestamp": times[3].isoformat()})
    assert old["agent_reputation"] == pytest.approx(0, abs=1e-6)


def test_the_share_of_all_labels_is_no_evidence(tmp_path: Path) -> None:
    table = learnt(row("all", "", 30.0, 100.0), row("agent", "scan/1.0", 3.0, 10.0))
    [event] = columns(tmp_path, table, {})
    assert event["agent_reputation"] == pytest.approx(0, abs=1e-6)


def test_too_few_messages_make_no_reputation(tmp_path: Path) -> None:
    [event] = columns(tmp_path, learnt(ALL, row("agent", "scan/1.0", 2.0, 2.0)), {})
    assert event["agent_reputation"] is None


def test_a_capability_that_is_not_given_leaves_its_columns_unknown(tmp_path: Path) -> None:
    table = learnt(ALL, row("domain", "acme.example", 9.0, 10.0), row("agent", "scan/1.0", 9.0, 10.0))
    rest = frozenset(CAPABILITIES) - {"domains"}
    [event] = columns(tmp_path, table, {"recipient_domain": "acme.example"}, capabilities=rest)
    assert event["domain_reputation"] is None
    assert event["agent_reputation"] is not None


def test_host_and_gateway_come_from_the_domain_or_its_exchangers(tmp_path: Path) -> None:
    exchangers = "recipient_domain,mx\nacme.example,mx1.hc1.iphmx.com\nacme.example,acme.mail.protection.outlook.com\n"
    events = [{"recipient_domain": domain} for domain in ("acme.example", "gmail.com", "other.example")]
    found = columns(tmp_path, learnt(ALL), *events, domains=exchangers)
    assert [(event["mailbox_host"], event["mailbox_gateway"]) for event in found] == [
        (HOSTS.index("microsoft365"), GATEWAYS.index("cisco")),
        (HOSTS.index("gmail"), None),
        (None, None),
    ]


def test_without_a_table_there_is_no_row(tmp_path: Path) -> None:
    assert columns(tmp_path, None, {}, {}) == []


@given(st.lists(st.integers(0, 2**24 - 1) | st.integers(2**48, 2**49 - 1), max_size=20))
def test_a_network_is_found_by_the_text_that_it_was_written_as(numbers: list[int]) -> None:
    texts = network_texts(numbers)
    assert network_numbers(texts) == numbers
    assert all(text.endswith("/24" if number < 2**48 else "/48") for text, number in zip(texts, numbers, strict=True))


def test_networks_are_written_as_everybody_does() -> None:
    assert network_texts([0xC00002, (1 << 48) + 0x20010DB80001]) == ["192.0.2.0/24", "2001:db8:1::/48"]
    assert network_numbers(["all of it", ""]) == [None, None]


# The file


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("network", "192.0.2.0/24", "192.0.2.77/24"),
        ("asn", "15169", "015169"),
        ("agent", "scan/1.0", "scan/1.0"),
        ("domain", "acme.example", "acme.example"),
    ],
)
def test_a_key_that_stands_twice_judges_no_event_twice(tmp_path: Path, kind: str, first: str, second: str) -> None:
    table = learnt(ALL, row(kind, first, 9.0, 10.0), row(kind, second, 1.0, 5.0))
    [found] = columns(tmp_path, table, {"ip": "8.8.8.8"} if kind == "asn" else {})
    assert found[f"{kind}_reputation"] == pytest.approx(odds(9, 10), rel=1e-6)


def test_a_table_is_read_as_it_was_written_and_always_as_the_same_bytes() -> None:
    table = learnt(ALL, row("agent", "scan/1.0", 9.0, 10.0))
    assert read_parquet(parquet(table)).equals(table)
    assert parquet(table) == parquet(table)


def other_file(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"no parquet", r"reputation: no Parquet file \(.*\); train it again", id="no Parquet"),
        pytest.param(b"", r"reputation: no Parquet file \(.*\); train it again", id="empty"),
        pytest.param(
            other_file(pa.table({"kind": ["asn"]})),
            r"reputation: 1 rows of kind; expected at most 1,000,000 of kind, key, event_type",
            id="other columns",
        ),
        pytest.param(parquet(learnt(row("asn", "1", -1.0, 10.0))), r"sums below 0 or of other events", id="negative"),
        pytest.param(parquet(learnt(row("asn", "1", math.nan, 3.0))), r"sums below 0 or of other events", id="NaN"),
        pytest.param(
            parquet(learnt(row("asn", "1", 1.0, 3.0, event_type="bounced"))),
            r"sums below 0 or of other events",
            id="other events",
        ),
    ],
)
def test_what_is_no_table_of_reputations_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_parquet(content)


def test_a_look_up_imports_no_training_library(tmp_path: Path) -> None:
    (tmp_path / "reputation.parquet").write_bytes(parquet(learnt(ALL, row("agent", "scan/1.0", 9.0, 10.0))))
    (tmp_path / "events.jsonl").write_text(json.dumps(EVENT | {"event_id": "e"}) + "\n")
    program = f"""
import sys
from pathlib import Path
from features.duckdb_engine import DuckDBEngine, connect
from features.feature import CAPABILITIES
from features.readers import read_campaigns, read_events
from serving.reputation import join_reputations, read_parquet
con = connect(threads=1)
read_campaigns(con, None)
read_events(con, [Path({str(tmp_path / "events.jsonl")!r})])
DuckDBEngine(con).compute(frozenset(CAPABILITIES))
join_reputations(con, read_parquet(Path({str(tmp_path / "reputation.parquet")!r}).read_bytes()))
assert con.sql("SELECT agent_reputation > 0 FROM reputations").fetchall() == [(True,)]
heavy = {{"lightgbm", "sklearn", "pandas", "mlflow", "scipy", "joblib", "training"}}
print(sorted(heavy & {{name.partition(".")[0] for name in sys.modules}}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
