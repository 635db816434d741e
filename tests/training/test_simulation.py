from __future__ import annotations

import time
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from features import ip_lookup
from features.schema import CAMPAIGN_COLUMNS
from training.ranges import draw
from training.simulation import Simulation, simulate
from training.world import HARD, ORDINARY, PROFILES, World

EVENT_COLUMNS = [
    "event_id", "event_type", "timestamp", "campaign_id", "message_id", "recipient_id", "recipient_domain",
    "url", "link_id", "ip", "user_agent", "http_method",
]  # fmt: skip
SEEDS = range(20)
GRAIN_US = {"s": 1_000_000, "ms": 1_000, "us": 1}


@cache
def world(seed: int) -> Simulation:
    return simulate(seed, 3_000)


@cache
def judged(seed: int) -> pa.Table:
    """Labels beside their events, in label order."""
    made = world(seed)
    at = pc.index_in(made.labels["event_id"], made.events["event_id"])
    events = made.events.take(at).append_column("row", at).drop_columns("event_id")
    return pa.table({**dict(zip(made.labels.column_names, made.labels.columns, strict=True)),
                     **dict(zip(events.column_names, events.columns, strict=True))})  # fmt: skip


def test_the_same_seed_gives_the_same_tables_and_another_seed_others():
    first, second = simulate(3, 500), simulate(3, 500)
    assert first.events.equals(second.events)
    assert first.campaigns.equals(second.campaigns)
    assert first.labels.equals(second.labels)
    assert not first.events.equals(simulate(4, 500).events)


@pytest.mark.parametrize("messages", [1, 7, 250])
def test_as_many_messages_as_asked_for_go_out(messages):
    seed = next(s for s in range(50) if _delivers_everything(simulate(s, messages)))
    made = simulate(seed, messages)
    delivered = made.events.filter(pc.equal(made.events["event_type"], "delivered"))
    assert len(pc.unique(delivered["message_id"])) == delivered.num_rows == messages


def _delivers_everything(made: Simulation) -> bool:
    return made.world.delivered_events and made.world.delivered_share == 1.0


def test_less_than_one_message_is_refused():
    with pytest.raises(ValueError, match="at least one message, not 0"):
        simulate(1, 0)


def test_the_tables_have_the_columns_that_the_readers_know():
    made = world(0)
    assert made.events.column_names == EVENT_COLUMNS
    assert made.campaigns.column_names == [c.name for c in CAMPAIGN_COLUMNS]
    assert made.labels.column_names == ["event_id", "automated", "actor", "source"]
    assert made.events.schema.field("timestamp").type == pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_engagement_has_one_label_and_every_label_its_event(seed):
    made = world(seed)
    engaged = made.events.filter(pc.not_equal(made.events["event_type"], "delivered"))["event_id"].to_pylist()
    assert len(set(made.events["event_id"].to_pylist())) == made.events.num_rows
    assert engaged == made.labels["event_id"].to_pylist()


@pytest.mark.parametrize("seed", SEEDS)
def test_times_are_as_fine_as_the_worlds_platform_gives_them(seed):
    made = world(seed)
    grain = GRAIN_US[made.world.precision]
    engaged = made.events.filter(pc.not_equal(made.events["event_type"], "delivered"))
    us = engaged["timestamp"].cast(pa.int64()).to_numpy()
    assert not (us % grain).any()
    if grain < 1_000_000 and len(us) > 100:
        assert (us % (grain * 1000)).any(), "fine times are fine for everybody"


@pytest.mark.parametrize("seed", SEEDS)
def test_gaps_of_the_platform_are_gaps_for_everybody(seed):
    made = world(seed)
    assert (made.events["http_method"].null_count == made.events.num_rows) == (not made.world.methods)
    if not made.world.delivered_events:
        assert "delivered" not in set(made.events["event_type"].to_pylist())


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_clicks_more_links_than_the_mail_has(seed):
    made = world(seed)
    if not made.world.campaign_links:
        assert made.campaigns["n_links"].null_count == made.campaigns.num_rows
        return
    clicks = made.events.filter(pc.equal(made.events["event_type"], "click"))
    plain = pc.list_element(pc.split_pattern(clicks["url"], "?", max_splits=1), 0)
    hidden = pc.is_in(plain, made.campaigns["honeypot_url"].drop_null())
    clicks = clicks.set_column(clicks.column_names.index("url"), "url", plain).filter(pc.invert(hidden))
    distinct = clicks.group_by(["campaign_id", "message_id"]).aggregate([("url", "count_distinct")])
    at = pc.index_in(distinct["campaign_id"], made.campaigns["campaign_id"])
    links = made.campaigns["n_links"].take(at).to_numpy()
    assert (distinct["url_count_distinct"].to_numpy() <= links).all()


def test_a_hundred_worlds_differ_in_every_habit_that_varies():
    drawn = [draw(World, np.random.default_rng(seed)) for seed in range(100)]
    few = {"precision": 3, "url_style": 3}
    for name, value in vars(drawn[0]).items():
        distinct = len({getattr(w, name) for w in drawn})
        enough = few.get(name, 2 if isinstance(value, bool | str) else 4)
        assert distinct >= enough, f"{name}: {distinct} values in 100 worlds"


def test_machines_make_anything_from_few_to_most_of_the_clicks():
    shares = []
    for seed in SEEDS:
        table = judged(seed)
        clicks = table.filter(pc.equal(table["event_type"], "click"))
        shares.append(pc.mean(clicks["automated"].cast(pa.float64())).as_py())
    assert min(shares) < 0.25 and max(shares) > 0.8


def test_people_and_machines_share_networks():
    """Clouds and homes have both, and so has what no list of scanners holds."""
    clicks = pa.concat_tables([judged(seed).filter(pc.equal(judged(seed)["event_type"], "click")) for seed in SEEDS])
    clicks = clicks.filter(pc.is_valid(clicks["ip"]))
    where = ip_lookup.locate(clicks["ip"].to_pylist())
    machine = clicks["automated"].to_numpy(zero_copy_only=False)
    category = np.array([c or "" for c in where["category"].to_pylist()])
    kind = np.array([k or "" for k in where["kind"].to_pylist()])
    places = {
        "cloud": np.isin(category, ("cloud", "cloud_mailbox")),
        "home": np.isin(category, ("consumer_isp", "mobile_or_isp")),
        "not listed as mail security": kind != "mail_security",
    }
    for name, here in places.items():
        assert (here & machine).sum() > 100, name
        assert (here & ~machine).sum() > 100, name


def test_no_trivial_column_separates_the_labels():
    rows, labels = [], []
    for seed in SEEDS:
        table = judged(seed)
        us = table["timestamp"].cast(pa.int64()).to_numpy()
        rows.append(
            np.column_stack(
                [
                    us % 1_000_000,
                    us % 1_000,
                    us % 60_000_000,
                    table["row"].to_numpy() / world(seed).events.num_rows,
                    [int(x[:8], 16) for x in table["event_id"].to_pylist()],
                    [len(x or "") for x in table["url"].to_pylist()],
                    [len(x or "") for x in table["user_agent"].to_pylist()],
                    [":" in (x or "") for x in table["ip"].to_pylist()],
                    [("GET", "HEAD", "POST", None).index(m) for m in table["http_method"].to_pylist()],
                    [len(x) for x in table["recipient_domain"].to_pylist()],
                ]
            ).astype(float)
        )
        labels.append(table["automated"].to_numpy(zero_copy_only=False))
    X, y = np.concatenate(rows), np.concatenate(labels)
    for column in range(X.shape[1]):
        auc = roc_auc_score(y, X[:, column])
        assert max(auc, 1 - auc) < 0.9, f"column {column}: AUC {auc:.3f}"


def test_one_click_unsubscribes_are_posted_and_a_persons():
    tables = [judged(s).filter(pc.equal(judged(s)["source"], "simulated: one-click unsubscribe")) for s in SEEDS]
    posted = pa.concat_tables(tables)
    assert posted.num_rows > 0
    assert not any(posted["automated"].to_pylist())
    assert set(posted["http_method"].to_pylist()) <= {"POST", None}
    assert set(posted["event_type"].to_pylist()) == {"unsubscribe"}


def test_the_actors_of_machines_and_people_are_told_apart():
    actors = (
        pa.concat_tables([judged(seed) for seed in SEEDS])
        .group_by(["actor", "automated"])
        .aggregate([([], "count_all")])
    )
    found = set(zip(actors["actor"].to_pylist(), actors["automated"].to_pylist(), strict=True))
    assert found == {
        ("human", False),
        ("security_scanner", True),
        ("privacy_proxy", True),
        ("link_preview", True),
        ("other_automation", True),
    }


def test_profiles_narrow_worlds_and_nothing_else():
    for profile in PROFILES.values():
        assert simulate(1, 300, profile=profile).labels.num_rows > 0
    for seed in range(5):
        assert simulate(seed, 50, profile=ORDINARY).world.layered_share <= 0.03
        assert simulate(seed, 50, profile=HARD).world.layered_share >= 0.15


def test_a_written_folder_holds_the_three_tables(tmp_path):
    made = simulate(2, 100)
    made.write(tmp_path / "new")
    for name in ("events", "campaigns", "labels"):
        assert pq.read_table(tmp_path / "new" / f"{name}.parquet").equals(getattr(made, name))


@pytest.mark.slow
def test_a_million_events_take_well_under_a_minute():
    simulate(0, 100)  # loads the reference data
    start = time.perf_counter()
    made = simulate(6, 600_000)
    assert made.events.num_rows > 1_000_000
    assert time.perf_counter() - start < 40
