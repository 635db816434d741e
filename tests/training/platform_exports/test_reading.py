"""From a platform's file to labelled rows and scores: the readers find in it what the simulation put there."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest

from features.duckdb_engine import connect
from features.readers import ReadSummary, read_campaigns, read_events, read_labels
from features.recipient_key import RecipientKey
from serving.campaigns import campaign_figures
from serving.model import bundled
from serving.scoring import score
from tests.training.platform_exports.conftest import SEEDS
from tests.training.platform_exports.exported import Export, engagement, simulated
from training.dataset import label_notes, labelled
from training.platform_exports import FORMATS

EVERY = pytest.mark.parametrize("name", FORMATS)
WORDS = {"open": "opened", "click": "clicked", "unsubscribe": "unsubscribed"}
GRAIN_US = {"nginx": 1_000_000, "sendgrid": 1_000_000, "ses": 1_000}
LOSE = ("gophish", "postmark")


def opened(sender: Export) -> tuple[duckdb.DuckDBPyConnection, ReadSummary]:
    """A connection with the events, campaigns and labels of the export, read as a user's files are."""
    con = connect(threads=1)
    read_campaigns(con, sender.folder / "campaigns.parquet")
    read = read_events(con, sender.files, recipient_key=RecipientKey(bytes(32)))
    read_labels(con, sender.folder / "labels.parquet")
    return con, read


@EVERY
@pytest.mark.parametrize("seed", SEEDS[1:])
def test_the_labelled_events_that_are_read_are_the_simulated_ones(export, name, seed):
    sender = export(name, seed)
    con, read = opened(sender)
    assert not read.rejected
    assert not read.nulled
    found = Counter(
        con.execute("""
            SELECT event_type, epoch_us(timestamp), ip, user_agent, l.automated, l.source
            FROM labels AS l JOIN events AS e USING (raw_ref) WHERE event_type <> 'unsubscribed'
            """).fetchall()
    )
    grain = GRAIN_US.get(name, 1)
    wanted = Counter(
        (WORDS[row["event_type"]], row["us"] // grain * grain, row["ip"], row["user_agent"], row["automated"],
         row["source"])
        for row in engagement(simulated(sender.made))
        if row["event_type"] != "unsubscribe"
    )  # fmt: skip
    assert found <= wanted
    assert found == wanted or name in LOSE


@EVERY
def test_every_label_and_campaign_meets_its_events(export, name):
    sender = export(name, SEEDS[1])
    con, read = opened(sender)
    data = labelled(con, read.capabilities)
    copies = con.execute("SELECT count(*) FROM labels JOIN folded_copies USING (raw_ref)").fetchall()[0][0]
    assert len(data) + copies == len(sender.labels)
    assert label_notes(con) == ()
    assert con.execute("SELECT count(*) FROM events ANTI JOIN campaigns USING (campaign_id)").fetchall() == [(0,)]


@EVERY
def test_every_export_can_be_scored_and_its_campaigns_told(export, name):
    sender = export(name, SEEDS[0])
    con, read = opened(sender)
    score(con, bundled(), read.capabilities, threads=1)
    judged = con.execute("SELECT count(*), count(verdict) FROM verdicts").fetchall()[0]
    assert judged[0] == judged[1] > 0
    told = set(campaign_figures(con)["campaign_id"].to_pylist())
    assert told
    assert told <= {row["campaign_id"] for row in sender.campaigns}
