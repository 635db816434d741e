"""Labels from evidence: which events each source speaks for, what a conflict does, and how often it is right."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalog import FEATURE_NAMES
from features.duckdb_engine import DuckDBEngine, connect
from features.feature import CAPABILITIES
from features.readers import read_campaigns, read_conversions, read_events, read_labels
from features.schema import CONVERSION_COLUMNS, event_row
from tests.features.event_tables import CHROME, DATA_CENTRE, HOME, HOME_TOO, MICRO, OTHER_HOME, at, event, link, tables
from training.label_sources import SOURCES
from training.labels import JOINED, REVIEWED, LabelSummary, defining_features, label, write_labels
from training.ranges import Choice, Range
from training.simulation import simulate
from training.world import HARD, ORDINARY

EVERYTHING = frozenset(CAPABILITIES)
HIDDEN = link("hidden")
CAMPAIGN = {"campaign_id": "spring", "honeypot_url": HIDDEN}
# Microsoft's own list of Exchange Online Protection, and one that only log readers know.
VENDOR, OBSERVED = "104.47.1.1", "40.94.20.7"
BROWSER, OLDER = CHROME.format(126), CHROME.format(97)
CURL, BARE = "curl/8.4.0", "Mozilla/5.0"


def click(seconds: float, url: int | str, ip: str | None = HOME, agent: str | None = BROWSER, **more: Any) -> dict:
    """A click of a link, from a home with a browser."""
    return event("clicked", seconds, url=link(url), ip=ip, user_agent=agent, **more)


def labelled(
    events: Sequence[Mapping[str, Any]],
    *,
    campaigns: Sequence[Mapping[str, Any]] = (),
    conversions: Sequence[Mapping[str, Any]] = (),
    context: Sequence[Mapping[str, Any]] = (),
    capabilities: frozenset[str] = EVERYTHING,
) -> tuple[LabelSummary, list[tuple[bool, str] | None]]:
    """The summary, and for each event whether it is labelled a machine's and by which sources."""
    con = tables(events, campaigns, context)
    if conversions:
        make_conversions(con, conversions)
    DuckDBEngine(con).compute(capabilities)
    found = label(con, capabilities)
    by_event = {row: (automated, source) for row, automated, source in rows_of(con)}
    return found, [by_event.get(record) for record in range(1, len(events) + 1)]


def rows_of(con: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return con.execute("SELECT event_row, automated, source FROM made_labels").fetchall()


def make_conversions(con: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """The table that `read_conversions` makes; rows without a message are of m1."""
    kinds = {"TIMESTAMPTZ": pa.timestamp("us", tz="UTC")}
    schema = pa.schema([(column.name, kinds.get(column.type, pa.string())) for column in CONVERSION_COLUMNS])
    con.register("made", pa.Table.from_pylist([{"message_id": "m1", **row} for row in rows], schema))
    con.execute("CREATE TEMP TABLE conversions AS SELECT * FROM made")
    con.unregister("made")


def machine(source: str) -> tuple[bool, str]:
    return True, source


PERSON = (False, "conversion")
HONEYPOT = machine("honeypot")


def test_a_hidden_link_labels_the_minute_around_it_of_its_client_and_not_the_whole_message():
    rows = [
        (click(939, 1), None),  # the same client, a moment more than a minute before
        (click(940, 1), HONEYPOT),
        (event("opened", 990, ip=HOME, user_agent=BROWSER), HONEYPOT),
        (click(1000, "hidden"), HONEYPOT),
        (click(1000, 2, ip=OTHER_HOME), None),  # somebody else
        (click(1000, 2, agent=OLDER), None),  # another browser behind the same address
        (click(1060, 3), HONEYPOT),
        (click(1060 + MICRO, 3), None),
        (click(1000, 1, message_id="m2"), None),  # another message
    ]
    _, found = labelled([row for row, _ in rows], campaigns=[CAMPAIGN])
    assert found == [wanted for _, wanted in rows]


def test_a_burst_around_a_hidden_link_is_labelled_whatever_its_addresses():
    rows = [
        (click(1000, "hidden"), HONEYPOT),
        (click(1001, 1, ip=HOME_TOO, agent=OLDER), HONEYPOT),
        (click(1002, 2, ip=OTHER_HOME, agent=OLDER), HONEYPOT),
        (event("opened", 1001, ip=OTHER_HOME, user_agent=OLDER), None),  # a person may open it meanwhile
        (click(1030, 2, ip=OTHER_HOME, agent=OLDER), None),
    ]
    _, found = labelled([row for row, _ in rows], campaigns=[CAMPAIGN])
    assert found == [wanted for _, wanted in rows]


def test_without_addresses_a_client_is_its_agent():
    rows = [click(1000, "hidden"), click(1040, 1), click(1040, 2, agent=OLDER)]
    _, found = labelled(rows, campaigns=[CAMPAIGN], capabilities=EVERYTHING - {"address"})
    assert found == [HONEYPOT, HONEYPOT, None]


ALONE = {
    "a vendor's own list": (click(1000, 1, ip=VENDOR), machine("vendor prefix")),
    "a range that only logs show": (click(1000, 1, ip=OBSERVED), None),
    "a data centre": (click(1000, 1, ip=DATA_CENTRE), None),
    "a library": (click(1000, 1, agent=CURL), machine("crawler agent")),
    "a browser": (click(1000, 1), None),
    "Apple's prefetch": (event("opened", 1000, user_agent=BARE), machine("prefetch agent")),
    "a click with Apple's agent": (click(1000, 1, agent=BARE), None),
    "the platform's flag": (
        event("opened", 1000, platform_machine=True, platform_machine_reason="sg_machine_open=true"),
        machine("platform flag sg_machine_open"),
    ),
    "the platform's denial": (
        event("opened", 1000, platform_machine=False, platform_machine_reason="sg_machine_open=false"),
        None,
    ),
    "a provider's server that unsubscribes a person": (
        event("unsubscribed", 1000, ip=VENDOR, user_agent=CURL, http_method="POST"),
        None,
    ),
    "two that agree, the stronger first": (
        click(1000, 1, ip=VENDOR, platform_machine=True, platform_machine_reason="a+b=1"),
        machine("vendor prefix + platform flag a b"),
    ),
}


def test_one_event_alone():
    """Each in a message of its own."""
    _, found = labelled([{**one, "message_id": name} for name, (one, _) in ALONE.items()])
    assert dict(zip(ALONE, found, strict=True)) == {name: wanted for name, (_, wanted) in ALONE.items()}


def test_an_unsubscribe_that_a_machines_click_set_off_is_the_machines():
    rows = [
        (click(1000, 1, ip=VENDOR), machine("vendor prefix")),
        (event("unsubscribed", 1001, ip=VENDOR, user_agent=BROWSER), machine("vendor prefix")),
        (event("unsubscribed", 1001, ip=VENDOR, user_agent=CURL), None),  # another client's
        (event("unsubscribed", 1060 + MICRO, ip=VENDOR, user_agent=BROWSER), None),
    ]
    assert labelled([row for row, _ in rows])[1] == [wanted for _, wanted in rows]


BURSTS = {
    "three links, begun within ten seconds": ([9, 10, 11], [1, 2, 3], True),
    "begun later": ([10 + MICRO, 11, 12], [1, 2, 3], False),
    "two links": ([9, 10, 11], [1, 2, 2], False),
    "over more than ten seconds": ([5, 10, 15 + MICRO], [1, 2, 3], False),
    "before the delivery": ([-30, -29, -28], [1, 2, 3], True),
}


def test_a_burst_at_delivery():
    events = [
        click(seconds, url, message_id=name)
        for name, (times, links, _) in BURSTS.items()
        for seconds, url in zip(times, links, strict=True)
    ]
    found = labelled(events)[1]
    assert {name: found[3 * n : 3 * n + 3] for n, name in enumerate(BURSTS)} == {
        name: [machine("burst at delivery") if wanted else None] * 3 for name, (_, _, wanted) in BURSTS.items()
    }


def test_the_click_before_a_conversion_is_a_persons():
    rows = [
        (click(1000, 1), None),
        (click(1600, 2), PERSON),
        (click(1700, 2, message_id="m2"), None),
        (click(1800 + MICRO, 2), None),  # after it
    ]
    _, found = labelled([row for row, _ in rows], conversions=[{"timestamp": at(1800)}])
    assert found == [wanted for _, wanted in rows]


HALF_AN_HOUR = 1800
MEANT = {
    "half an hour is the end": ([click(0, 1)], {"timestamp": at(HALF_AN_HOUR)}, [PERSON]),
    "and no longer": ([click(0, 1)], {"timestamp": at(HALF_AN_HOUR + MICRO)}, [None]),
    "the client that is named": (
        [click(100, 1), click(200, 1, ip=OTHER_HOME)],
        {"timestamp": at(300), "ip": HOME},
        [PERSON, None],
    ),
    "a client that clicked nothing": ([click(100, 1)], {"timestamp": at(300), "ip": OTHER_HOME}, [None]),
    "no client named, and two that may be meant": (
        [click(100, 1), click(200, 1, ip=OTHER_HOME)],
        {"timestamp": at(300)},
        [None, None],
    ),
    "two agents behind the address": (
        [click(100, 1), click(200, 1, agent=OLDER)],
        {"timestamp": at(300), "ip": HOME},
        [None, None],
    ),
    "the agent tells them apart": (
        [click(100, 1), click(200, 1, agent=OLDER)],
        {"timestamp": at(300), "ip": HOME, "user_agent": BROWSER},
        [PERSON, None],
    ),
    "an echo within seconds": ([click(100, 1), click(103, 1)], {"timestamp": at(300)}, [None, None]),
    "a HEAD request is no click": ([click(100, 1, http_method="HEAD")], {"timestamp": at(300)}, [None]),
    "by the recipient": (
        [click(100, 1)],
        {"timestamp": at(300), "message_id": None},
        [PERSON],
    ),
    "by the recipient and another campaign": (
        [click(100, 1)],
        {"timestamp": at(300), "message_id": None, "campaign_id": "autumn"},
        [None],
    ),
    "a login": ([click(100, 1)], {"timestamp": at(300), "event_type": "Logged in"}, [(False, "login")]),
    "a word of somebody's own": ([click(100, 1)], {"timestamp": at(300), "event_type": "demo booked"}, [PERSON]),
}


def test_whose_click_led_to_it():
    """Each case is a message to a recipient of its own."""
    events, conversions, names = [], [], []
    for name, (clicks, conversion, _) in MEANT.items():
        events += [{**one, "message_id": name, "recipient_id": name} for one in clicks]
        conversions.append({"message_id": name, "recipient_id": name, **conversion})
        names += [name] * len(clicks)
    _, found = labelled(events, conversions=conversions)
    by_name = {name: [what for which, what in zip(names, found, strict=True) if which == name] for name in MEANT}
    assert by_name == {name: wanted for name, (_, _, wanted) in MEANT.items()}


def test_what_an_export_itself_says_of_people_counts_and_a_complaint_does_not():
    def other(word: str, kind: str = "unknown") -> dict[str, Any]:
        return event(kind, 300, event_type_raw=word, message_id=word)

    words = ["Submitted Data", "email replied", "purchase", "rendered", "spamreport"]
    clicks = [click(100, 1, message_id=word) for word in words]
    found = labelled([*clicks, *map(other, words[:4]), other("spamreport", "complained")])[1]
    assert found[:5] == [(False, "form submission"), (False, "reply"), PERSON, None, None]


def test_evidence_of_both_kinds_is_a_conflict_and_no_label():
    events = [click(100, 1, agent=CURL, raw_ref="log:1"), click(100, 1, agent=CURL, message_id="m2")]
    summary, found = labelled(events, conversions=[{"timestamp": at(300)}])
    assert found == [None, machine("crawler agent")]
    [conflict] = summary.conflicts
    assert (conflict.machine, conflict.person, conflict.events, conflict.examples) == (
        *("crawler agent", "conversion", 1, ("log:1",)),
    )
    assert (summary.conflicting_events, dict(summary.unlabelled)) == (1, {"clicked": 1})


def test_what_was_reviewed_has_the_last_word():
    con = tables([click(100, 1, agent=CURL), click(200, 1), click(300, 1, agent=CURL)])
    make_conversions(con, [{"timestamp": at(150)}])
    con.execute("""
        CREATE TEMP TABLE labels AS SELECT * FROM (VALUES
            ('e0-1', NULL, FALSE, NULL, 'by hand', NULL), ('e0-2', NULL, TRUE, NULL, NULL, 3.0)
        ) AS l(event_id, raw_ref, automated, actor, source, weight)""")
    DuckDBEngine(con).compute(EVERYTHING)
    summary = label(con, EVERYTHING, has_reviewed=True)
    assert con.execute("SELECT automated, source, weight FROM made_labels ORDER BY event_row").fetchall() == [
        (False, REVIEWED, 20.0),
        (True, REVIEWED, 3.0),
        (True, "crawler agent", 1.0),
    ]
    assert (summary.conflicts, summary.overruled) == ((), 1)


def test_context_is_evidence_and_gets_no_label():
    hidden = click(1000, "hidden")
    summary, found = labelled([click(1010, 1)], campaigns=[CAMPAIGN], context=[hidden])
    assert found == [HONEYPOT]
    assert dict(summary.automated) == {"clicked": 1}


def test_a_label_names_its_event_by_the_platforms_id_and_else_by_file_and_record():
    con = tables(
        [
            click(1000, 1, agent=CURL, event_id="own", raw_ref="log:1"),
            click(2000, 1, agent=CURL, event_id="made", raw_ref="log:2", event_id_origin="derived"),
            click(3000, 1, agent=CURL, event_id="twice", raw_ref="log:3"),
            event("opened", 3000, user_agent=CURL, event_id="twice", raw_ref="log:4"),
        ]
    )
    DuckDBEngine(con).compute(EVERYTHING)
    label(con, EVERYTHING)
    named = con.execute("SELECT event_id, raw_ref FROM made_labels ORDER BY event_row").fetchall()
    assert named == [("own", None), (None, "log:2"), (None, "log:3"), (None, "log:4")]


def test_labels_are_written_and_read_back(tmp_path):
    con = tables([click(1000, 1, agent=CURL), click(2000, 1), click(3000, 1, ip=VENDOR, raw_ref="a b:3")])
    DuckDBEngine(con).compute(EVERYTHING)
    label(con, EVERYTHING)
    write_labels(con, tmp_path / "labels.parquet")
    assert read_labels(con, tmp_path / "labels.parquet") == 2
    assert con.execute("SELECT event_id, automated, source, weight FROM labels ORDER BY event_id").fetchall() == [
        ("e0-1", True, "crawler agent", 1.0),
        ("e0-3", True, "vendor prefix", 1.0),
    ]


def test_sources_that_cannot_work_say_so():
    bare = event("clicked", 10, delivered_at=None)
    summary, _ = labelled([bare], capabilities=frozenset())
    said = "\n".join(summary.notes)
    for words in (
        "honeypot: the clicks name no links",
        "vendor prefix: the events have no client addresses",
        "crawler agent: the events have no user agents",
        "honeypot: no campaign has a hidden link",
        "neither delivery nor sending times",
        "platform flag: the platform says nothing",
        "give --conversions or --reviewed",
    ):
        assert words in said


def test_a_file_that_has_everything_is_told_nothing():
    events = [
        click(1000, "hidden", platform_machine=True),
        click(1300, 1, message_id="m2"),
    ]
    summary, _ = labelled(
        events, campaigns=[CAMPAIGN], conversions=[{"message_id": "m2", "timestamp": at(1400), "ip": HOME}]
    )
    assert summary.notes == ()


def test_defining_features_are_features_of_the_catalogue():
    assert defining_features(source.name for source in SOURCES) <= set(FEATURE_NAMES)
    assert all(JOINED.strip() not in source.name for source in SOURCES)


@given(st.lists(st.sampled_from([*(source.name for source in SOURCES), REVIEWED, "platform flag x"]), max_size=5))
def test_combined_names_are_defined_by_what_their_parts_are(names):
    parts = [feature for name in names for feature in defining_features([name])]
    assert defining_features([JOINED.join(names)]) == set(parts) == defining_features(names)


def test_what_a_person_did_or_said_is_defined_by_no_feature():
    assert defining_features(["conversion + login", REVIEWED, "platform flag x", "simulated: safe links"]) == set()


@pytest.mark.parametrize(
    ("profile", "seed", "least_right", "least_found"),
    [
        pytest.param(ORDINARY, 8, {"burst at delivery": 0.99, "conversion": 0.99}, 0.7, id="an ordinary sender"),
        pytest.param(HARD, 7, {"burst at delivery": 0.9, "conversion": 0.95}, 0.4, id="a hard one"),
    ],
)
def test_the_sources_are_right_about_simulated_senders(tmp_path, profile, seed, least_right, least_found):
    """Compared with the truth; and much of what machines did is found."""
    con = simulated(tmp_path, seed, profile)
    right = dict(
        con.execute(f"""
        SELECT l.source, avg(CAST(l.automated = t.automated AS INTEGER))
        FROM label_evidence AS l
        JOIN events AS e ON l.event_row = {event_row("e")}
        JOIN truth AS t ON e.event_id = t.event_id
        GROUP BY 1""").fetchall()
    )
    assert {"honeypot", "vendor prefix", "prefetch agent", "conversion"} <= right.keys()
    for source, share in right.items():
        assert share >= {"honeypot": 0.99, **least_right}.get(source, 1), source
    [(found, wrong)] = con.execute("""
        SELECT avg(CAST(l.event_id IS NOT NULL AS INTEGER)) FILTER (t.automated),
               avg(CAST(l.automated <> t.automated AS INTEGER))
        FROM truth AS t LEFT JOIN made_labels AS l ON t.event_id = l.event_id""").fetchall()
    assert found >= least_found
    assert wrong <= 0.005


def simulated(folder: Path, seed: int, profile: Any) -> duckdb.DuckDBPyConnection:
    """A labelled sender with hidden links, each fifth click followed by a conversion; `truth` is beside it."""
    world = {**profile.world, "honeypot_share": Range(0.6, 1.0), "opens": Choice((True,))}
    simulate(seed, 2_000, profile=dataclasses.replace(profile, world=world)).write(folder)
    con = connect(threads=1)
    read_campaigns(con, folder / "campaigns.parquet")
    read = read_events(con, [folder / "events.parquet"])
    con.execute(f"CREATE TABLE truth AS SELECT * FROM '{folder}/labels.parquet'")
    con.execute(f"""
        COPY (
            SELECT message_id, timestamp + INTERVAL 1 SECOND * (5 + hash(event_id) % 900) AS timestamp,
                   CASE WHEN hash(event_id) % 3 > 0 THEN ip END AS ip
            FROM events JOIN truth USING (event_id)
            WHERE NOT automated AND event_type = 'clicked' AND hash(event_id) % 5 = 0
        ) TO '{folder}/conversions.csv' (HEADER)""")
    read_conversions(con, [folder / "conversions.csv"])
    DuckDBEngine(con).compute(read.capabilities)
    label(con, read.capabilities)
    return con
