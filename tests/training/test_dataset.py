"""Labelled rows: which events are in, what their organisation is, and that the features are the scorer's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from features.catalog import FEATURE_NAMES
from features.duckdb_engine import connect
from features.feature import CAPABILITIES
from features.readers import read_campaigns, read_events, read_labels
from features.recipient_key import RecipientKey
from serving.scoring import score
from tests.features.event_tables import event, tables
from tests.training.conftest import opened
from tests.training.labelled_rows import CLICK, OPEN, UNSUBSCRIBE, rows
from training.dataset import CONSUMER_HOSTS, Dataset, concatenate, label_notes, labelled

LABELS = pa.schema(
    [
        ("event_id", pa.string()),
        ("raw_ref", pa.string()),
        ("automated", pa.bool_()),
        ("actor", pa.string()),
        ("source", pa.string()),
        ("weight", pa.float64()),
    ]
)


def with_labels(con: duckdb.DuckDBPyConnection, *labels: tuple) -> duckdb.DuckDBPyConnection:
    """The connection with a table `labels`: of (event_id, automated, source, weight) each."""
    made = pa.Table.from_pylist(
        [dict(zip(("event_id", "automated", "source", "weight"), label, strict=False)) for label in labels], LABELS
    )
    con.register("given_labels", made)
    con.execute("CREATE TEMP TABLE labels AS SELECT * FROM given_labels")
    con.unregister("given_labels")
    return con


def clicks_of(*recipients: tuple[str | None, str | None]) -> Dataset:
    """One labelled click of each (recipient_id, recipient_domain), each in a message of its own."""
    events = [
        event("clicked", 60 * n, event_id=f"e{n}", message_id=f"m{n}", recipient_id=recipient, recipient_domain=domain)
        for n, (recipient, domain) in enumerate(recipients)
    ]
    return labelled(with_labels(tables(events), *((e["event_id"], False) for e in events)), frozenset(CAPABILITIES))


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        pytest.param(("ann", "acme.test"), ("bob", "acme.test"), True, id="one domain is one organisation"),
        pytest.param(("ann", "acme.test"), ("ann", "else.test"), False, id="two domains are two"),
        pytest.param(("ann", "gmail.com"), ("bob", "gmail.com"), False, id="recipients at a consumer host are apart"),
        pytest.param(("ann", "gmail.com"), ("ann", "gmail.com"), True, id="a recipient at a consumer host is one"),
        pytest.param(("ann", None), ("bob", None), False, id="without a domain recipients are apart"),
        pytest.param(("ann", None), ("ann", None), True, id="without a domain a recipient is one"),
        pytest.param((None, None), (None, None), False, id="without a recipient messages are apart"),
        pytest.param((None, "gmail.com"), (None, "gmail.com"), False, id="so are messages to a consumer host"),
        pytest.param((None, "acme.test"), (None, "acme.test"), True, id="a domain is enough"),
    ],
)
def test_an_organisation_is_a_recipient_domain(first, second, together):
    one, other = clicks_of(first, second).organisation
    assert (one == other) == together


def test_every_consumer_host_is_written_as_the_readers_write_domains():
    assert [host for host in CONSUMER_HOSTS if host != host.strip().lower() or "@" in host] == []
    assert len(set(CONSUMER_HOSTS)) == len(CONSUMER_HOSTS)


def test_masking_the_domains_leaves_the_organisations():
    events = [event("clicked", n, event_id=f"e{n}", recipient_domain="acme.test") for n in range(2)]
    con = with_labels(tables(events), ("e0", True), ("e1", False))
    seen, masked = (
        labelled(con, kept) for kept in (frozenset(CAPABILITIES), frozenset(CAPABILITIES) - {"domains", "address"})
    )
    assert masked.organisation.tolist() == seen.organisation.tolist()
    assert not np.array_equal(masked.X, seen.X, equal_nan=True)


def test_rows_are_the_labelled_events_in_file_order():
    con = tables(
        [
            event("clicked", 9, event_id="late"),
            event("opened", 5, event_id="unlabelled"),
            event("delivered", 0, event_id="no engagement"),
            event("opened", 3, event_id="early"),
            event("unsubscribed", 7, event_id="middle", message_id="m2"),
        ],
        context=[event("clicked", 1, event_id="context")],
    )
    data = labelled(
        with_labels(
            con,
            ("early", False, "read by hand", 2.5),
            ("late", True, "trap", None),
            ("middle", False),
            ("context", True),
            ("no engagement", True),
            ("unknown event", True),
        ),
        frozenset(CAPABILITIES),
    )
    assert data.kind.tolist() == [CLICK, OPEN, UNSUBSCRIBE]
    assert data.y.tolist() == [1, 0, 0]
    assert data.weight.tolist() == [1.0, 2.5, 1.0]
    assert data.slice.tolist() == ["trap", "read by hand", ""]
    assert (data.us - data.us[1]).tolist() == [6_000_000, 0, 4_000_000]
    assert data.message[0] == data.message[1] != data.message[2]
    assert (data.X.shape, data.X.dtype) == ((3, len(FEATURE_NAMES)), np.float32)


def read_with_labels(folder: Path, events: Sequence[Mapping[str, str]], labels: str) -> duckdb.DuckDBPyConnection:
    """A connection with the events of a file `e` and the labels of a CSV."""
    con = connect(threads=1)
    (folder / "e").write_text("".join(json.dumps({**CLICK_OF_ANN, **row}) + "\n" for row in events))
    (folder / "labels.csv").write_text(labels)
    read_campaigns(con, None)
    read_events(con, [folder / "e"], recipient_key=KEY)
    read_labels(con, folder / "labels.csv")
    return con


CLICK_OF_ANN = {"event_type": "click", "message_id": "m", "recipient_id": "ann", "timestamp": "2026-03-01T10:00:00Z"}
KEY = RecipientKey(bytes(32))


def test_labels_name_events_by_file_and_record_or_by_id(tmp_path):
    events = [{"event_type": "delivered"}, {"url": "https://a"}, {"url": "https://b"}, {"event_id": "x"}]
    con = read_with_labels(
        tmp_path, events, "raw_ref,event_id,automated,source\ne:3,,0,by record\n,x,1,by id\ne:2,x,1,record before id\n"
    )
    data = labelled(con, frozenset(CAPABILITIES))
    assert data.slice.tolist() == ["record before id", "by record", "by id"]
    assert data.y.tolist() == [1, 0, 1]
    assert label_notes(con) == ()


def test_a_label_on_a_folded_copy_is_its_events(tmp_path):
    con = read_with_labels(tmp_path, [{"event_id": "x"}, {"url": "u"}, {"event_id": "x"}], "raw_ref,automated\ne:3,1\n")
    data = labelled(con, frozenset(CAPABILITIES))
    assert data.y.tolist() == [1]
    assert label_notes(con) == ()


@pytest.mark.parametrize(
    ("labels", "y", "weight", "source"),
    [
        ("e:1,1,7,scanner\ne:2,0,2,person\n", 0, 2.0, "person"),
        ("e:1,0,2,person\ne:2,1,7,scanner\n", 0, 2.0, "person"),
        ("e:1,0,,person\ne:2,1,7,scanner\n", 0, 1.0, "person"),
        ("e:1,1,7,scanner\ne:2,1,3,scanner\n", 1, 7.0, "scanner"),
    ],
)
def test_an_event_whose_copies_are_labelled_both_ways_is_a_persons(tmp_path, labels, y, weight, source):
    con = read_with_labels(tmp_path, [{}, {}], "raw_ref,automated,weight,source\n" + labels)
    data = labelled(con, frozenset(CAPABILITIES))
    assert (data.y.tolist(), data.weight.tolist(), data.slice.tolist()) == ([y], [weight], [source])
    told = "1 events have copies labelled both automated and human; they count as human"
    assert label_notes(con) == (() if y else (told,))


def test_labels_that_name_nothing_to_judge_are_counted(tmp_path):
    labels = "raw_ref,event_id,automated\ne:1,,1\ne:9,,1\nother:1,,1\n,nobody,0\n,x,1\n"
    con = read_with_labels(tmp_path, [{}, {"event_type": "delivered", "event_id": "x"}], labels)
    assert len(labelled(con, frozenset(CAPABILITIES))) == 1
    assert label_notes(con) == ("4 of 5 labels name no open, click or unsubscribe of the events",)


def test_training_sees_the_features_that_scoring_sees(sender, sender_data, trained):
    model = trained.model
    with opened(sender) as (con, capabilities):
        score(con, model, capabilities, threads=1)
        scored = (
            con.sql("SELECT probability FROM verdicts ORDER BY event_row").to_arrow_table()["probability"].to_numpy()
        )
    assert len(sender_data) == len(scored) > 2_000  # every engagement of a simulated sender is labelled
    assert model.probability(sender_data.X, threads=1).tolist() == scored.tolist()


def test_taking_rows_by_mask_or_position_and_joining_them_gives_the_whole_again():
    data = rows([0, 1, 1], since_delivery_s=[1.0, 2.0, 3.0], slice=["a", "b", "c"])
    joined = concatenate([data.take(np.array([True, False, False])), data.take(np.array([1, 2]))])
    assert joined.fingerprint() == data.fingerprint()
    assert joined.slice.tolist() == ["a", "b", "c"]


def test_weighted_rows_count_more_and_the_original_stays():
    data = rows([0, 1], weight=[1.0, 0.5])
    assert data.weighted(3).weight.tolist() == [3.0, 1.5]
    assert data.weight.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    "changed",
    [
        {"y": [0, 1, 0]},
        {"weight": [1.0, 1.0, 2.0]},
        {"since_delivery_s": [1.0, 2.0, 4.0]},
    ],
    ids=["label", "weight", "feature"],
)
def test_the_fingerprint_changes_with_anything_that_is_learnt_from(changed):
    plain = {"y": [0, 1, 1], "since_delivery_s": [1.0, 2.0, 3.0]}
    assert rows(**plain).fingerprint() == rows(**plain).fingerprint()
    assert rows(**(plain | changed)).fingerprint() != rows(**plain).fingerprint()
