"""The order in which a platform meets a simulation, and when it was handed each message."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from training.platform_exports import simulate_for
from training.platform_exports.platform import NONE
from training.platform_exports.timeline import campaign_starts, share, timeline
from training.simulation import Simulation, simulate
from training.visits import SECOND

SEEDS = range(8)
START_US = 1_772_359_200 * SECOND


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_comes_once_in_order_of_time_with_one_sending_a_message(seed):
    made = simulate(seed, 300)
    entries = list(timeline(made))
    times = [entry.us for entry in entries]
    assert times == sorted(times)
    assert sorted(e.position for e in entries if e.position != NONE) == list(range(made.events.num_rows))
    sent = [entry.message for entry in entries if entry.kind == "sent"]
    assert len(sent) == len(set(sent))
    assert set(sent) == set(made.events["message_id"].to_pylist())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_is_sent_before_anything_else_happens_to_it(seed):
    met: Counter[str] = Counter()
    for entry in timeline(simulate(seed, 300)):
        assert (met[entry.message] == 0) == (entry.kind == "sent")
        assert entry.sent_us <= entry.us
        met[entry.message] += 1


def test_of_equal_times_a_sending_comes_first_and_a_delivery_before_what_it_leads_to():
    entries = list(timeline(simulate_for("sendgrid", 6, 1_000)))
    stages = [{"sent": 0, "delivered": 1}.get(entry.kind, 2) for entry in entries]
    equal = [n for n in range(1, len(entries)) if entries[n].us == entries[n - 1].us]
    assert len({(stages[n - 1], stages[n]) for n in equal}) > 1, "there are such times"
    assert all(stages[n - 1] <= stages[n] for n in equal)


def test_an_entry_is_the_row_of_the_simulated_events_that_it_says():
    made = simulate(5, 200)
    rows = made.events.to_pylist()
    sources = dict(zip(made.labels["event_id"].to_pylist(), made.labels["source"].to_pylist(), strict=True))
    for entry in timeline(made):
        if entry.position == NONE:
            assert (entry.url, entry.ip, entry.agent, entry.source) == (None, None, None, None)
            continue
        row = rows[entry.position]
        assert entry.address == f"{row['recipient_id']}@{row['recipient_domain']}"
        assert (entry.kind, entry.event_id, entry.url, entry.link) == (
            row["event_type"], row["event_id"], row["url"], row["link_id"],
        )  # fmt: skip
        assert (entry.ip, entry.agent, entry.method) == (row["ip"], row["user_agent"], row["http_method"])
        assert entry.source == sources.get(row["event_id"])


def by_hand(*rows: tuple[str, str, int]) -> Simulation:
    """Events of (message, type, seconds after the start of their one campaign)."""
    messages, kinds, seconds = zip(*rows, strict=True)
    drawn = simulate(1, 1)
    text = {"campaign_id": "c", "recipient_id": "r", "recipient_domain": "example.com"}
    events = {
        "event_id": [f"{n:032x}" for n in range(len(rows))],
        "event_type": list(kinds),
        "timestamp": pa.array([START_US + s * SECOND for s in seconds]).cast(pa.timestamp("us", tz="UTC")),
        "message_id": list(messages),
        **{name: [value] * len(rows) for name, value in text.items()},
        **{name: pa.nulls(len(rows), pa.string()) for name in ("url", "link_id", "ip", "user_agent", "http_method")},
    }
    campaigns = pa.table({"campaign_id": ["c"], "sent_at": pa.array([START_US]).cast(pa.timestamp("us", tz="UTC"))})
    return Simulation(pa.table(events), campaigns, drawn.labels.slice(0, 0), drawn.world)


@pytest.mark.parametrize(
    ("rows", "from_s", "to_s"),
    [
        pytest.param([("delivered", 100), ("open", 500)], 96, 99.7, id="a moment before its delivery"),
        pytest.param([("delivered", 1), ("open", 500)], 0, 0.7, id="not before its campaign"),
        pytest.param([("open", 500), ("click", 510)], 0.3, 4, id="with its campaign where no delivery is known"),
        pytest.param([("open", 50), ("delivered", 100)], 46, 49.7, id="before what came before the delivery"),
        pytest.param([("open", -20), ("delivered", 100)], -24, -20.3, id="even before its campaign"),
    ],
)
def test_when_a_message_was_sent(rows, from_s, to_s):
    for message in ("00000000ab", "80000000ab", "ffffffffab"):
        entries = list(timeline(by_hand(*((message, kind, seconds) for kind, seconds in rows))))
        assert from_s <= (entries[0].us - START_US) / SECOND <= to_s
        assert [entry.kind for entry in entries] == ["sent", *(kind for kind, _ in rows)]
        assert {entry.sent_us for entry in entries} == {entries[0].us}


def test_a_campaign_without_a_time_began_with_its_earliest_event():
    made = simulate(5, 200)
    untold = made.campaigns.set_column(1, "sent_at", pa.nulls(len(made.campaigns), made.campaigns["sent_at"].type))
    starts = campaign_starts(type(made)(made.events, untold, made.labels, made.world))
    for campaign in set(made.events["campaign_id"].to_pylist()):
        mine = made.events.filter(pc.equal(made.events["campaign_id"], campaign))
        assert starts[campaign] == pc.min(mine["timestamp"].cast(pa.int64())).as_py()


@pytest.mark.parametrize(("digits", "wanted"), [("00000000ff", 0.0), ("80000000", 0.5), ("ffffffff", 1 - 2**-32)])
def test_the_share_is_what_the_first_digits_say(digits, wanted):
    assert share(digits) == wanted
