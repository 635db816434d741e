"""What reputations see of the labels: earlier ones, of others, each message once; and what a model keeps of them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalog import CATEGORICAL, FEATURE_NAMES, fingerprint
from features.mailbox_host import GATEWAYS, HOSTS, mailbox_hosts
from serving.model import DEFAULT, BotClickModel, Calibration
from serving.reputation import HALF_LIFE_DAYS, IMAGINED_MESSAGES, REPUTATION_CATEGORICAL, REPUTATION_NAMES
from serving.scoring import score
from tests.training.conftest import BEFORE, CREATED, SMALL, opened
from tests.training.labelled_rows import rows
from training import reputation
from training.dataset import CONSUMER_HOSTS, Dataset, labelled
from training.fit import grow
from training.reputation import (
    FOLDS,
    judged_apart,
    masked,
    model_inputs,
    monotone,
    reputation_columns,
    reputation_table,
    without_domain,
)
from training.retrain import Choices, train

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NETWORK, ASN, AGENT, DOMAIN, HOST, GATEWAY = range(6)
PLAIN = {"net": 0xC00002, "asn": 64500, "agent": "scan/1.0", "domain": "a.example", "kind": 1, "weight": 1.0}


def odds(automated: float, total: float, share: float) -> float:
    machines = automated + IMAGINED_MESSAGES * share
    people = total - automated + IMAGINED_MESSAGES * (1 - share)
    return math.log(machines / people) - math.log(share / (1 - share))


class Labels:
    """Labelled clicks written out, on a connection as `labelled` leaves them; each of a message and an organisation
    of its own unless the row says otherwise."""

    def __init__(self, *given_rows: dict[str, Any]) -> None:
        table = [{"message": place, "organisation": place, **PLAIN, **row} for place, row in enumerate(given_rows)]
        given_columns = {name: [row[name] for row in table] for name in table[0]}
        given_columns["us"] = [round((NOON + row["at"]).timestamp() * 1e6) for row in table]
        given_columns["place"] = list(range(len(table)))
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.register("given", pa.table(given_columns))
        for name, query in {
            "agents": "SELECT user_agent, row_number() OVER (ORDER BY user_agent) AS agent_id FROM"
            " (SELECT DISTINCT agent AS user_agent FROM given)",
            "addresses": "SELECT place AS address_id, net, asn FROM given",
            "events": "SELECT domain AS recipient_domain FROM given",
            "event_labels": "SELECT place AS event_row, automated, weight FROM given",
            "facts": "SELECT place AS event_row, us, message AS msg, kind, net, place AS address_id, agent_id,"
            " CAST(hash(domain) >> 1 AS BIGINT) AS dom, FALSE AS is_context"
            " FROM given JOIN agents ON agent = user_agent",
        }.items():
            self.con.execute(f"CREATE TABLE {name} AS {query}")
        self.data = rows([row["automated"] for row in table], organisation=given_columns["organisation"])

    def columns(self, seed: int = 1) -> npt.NDArray[np.float32]:
        return reputation_columns(self.con, self.data, seed=seed)

    def kept(self) -> dict[tuple[str, str, str], tuple[float, float, int]]:
        """kind, key, event type -> automated, total, messages."""
        names = ("kind", "key", "event_type", "automated", "total", "messages")
        found = [tuple(row[name] for name in names) for row in reputation_table(self.con).to_pylist()]
        return {row[:3]: row[3:] for row in found}


def click(hours: float, automated: bool, **others: Any) -> dict[str, Any]:
    return {"at": hours * HOUR, "automated": automated, **others}


def organisations(n: int, fold: int, seed: int = 1) -> list[int]:
    """The first organisations that the seed lays into this fold."""
    drawn = reputation._drawn(np.arange(1_000, dtype=np.int64), seed, FOLDS)
    return [int(place) for place in np.flatnonzero(drawn == fold)[:n]]


# What an event sees


def test_only_labels_from_more_than_an_hour_before_are_seen() -> None:
    mine, *others = organisations(1, 0) + organisations(5, 1)
    given_rows = [click(hours, True, organisation=o) for hours, o in zip((0, 1, 2, 8.9, 9.1), others, strict=True)]
    seen = Labels(*given_rows, click(10, False, organisation=mine)).columns()
    # Five of six labels are of machines, which count more the later they are; the fourth is more than an hour before.
    assert np.isnan(seen[:3, AGENT]).all()
    later = Labels(*given_rows, click(10.2, False, organisation=mine)).columns()
    assert later[-1, AGENT] > seen[-1, AGENT] > 0
    assert Labels(*given_rows[:2], click(10, False, organisation=mine)).columns()[-1, AGENT] != 0


def test_labels_of_the_own_fold_are_seen_of_the_domain_alone() -> None:
    mine = organisations(4, 0)
    same = Labels(
        *(click(hours, True, organisation=o) for hours, o in enumerate(mine[:3])),
        click(10, False, organisation=mine[3]),
    )
    seen = same.columns()[-1]
    assert np.isnan(seen[[NETWORK, ASN, AGENT]]).all()
    assert seen[DOMAIN] > 0


def test_the_own_message_is_never_seen_however_long_it_lasts() -> None:
    """A gateway that comes back for days would teach the trees its own label."""
    one = [click(hours, True, message=1, organisation=1) for hours in (0, 10, 20, 30, 40)]
    assert np.isnan(Labels(*one, click(50, False, message=2, organisation=2)).columns()[:5, DOMAIN]).all()


def test_a_message_counts_once_however_many_events_it_has() -> None:
    mine, *others = organisations(1, 0) + organisations(3, 1)
    many = [click(hours / 100, True, message=1, organisation=others[0]) for hours in range(50)]
    two = [click(1, True, message=2, organisation=others[1])]
    assert np.isnan(Labels(*many, *two, click(10, False, organisation=mine)).columns()[-1, AGENT])
    three = [*two, click(1, False, message=3, organisation=others[2])]
    assert np.isfinite(Labels(*many, *three, click(10, False, organisation=mine)).columns()[-1, AGENT])


def test_the_value_is_the_faded_share_drawn_towards_that_of_all_labels() -> None:
    mine, *others = organisations(1, 0) + organisations(4, 1)
    labels = Labels(
        *(click(0, automated, organisation=o) for automated, o in zip((True, True, True, False), others, strict=True)),
        click(24 * HALF_LIFE_DAYS, False, organisation=mine, domain="b.example"),
    )
    # The four labels of the beginning count half by now, in the share of all labels too.
    share = 1.5 / 3
    seen = labels.columns()[-1]
    assert seen[[NETWORK, ASN, AGENT]] == pytest.approx([odds(1.5, 2, share)] * 3, rel=1e-5)
    assert np.isnan(seen[DOMAIN])


def test_opens_and_clicks_are_apart() -> None:
    mine, *others = organisations(1, 0) + organisations(3, 1)
    opens = [click(0, True, kind=0, organisation=o) for o in others]
    assert np.isnan(Labels(*opens, click(10, False, organisation=mine)).columns()[-1, AGENT])
    assert np.isfinite(Labels(*opens, click(10, False, kind=0, organisation=mine)).columns()[-1, AGENT])


def test_labels_without_weight_say_nothing() -> None:
    mine, *others = organisations(1, 0) + organisations(3, 1)
    ignored = [click(0, True, weight=0.0, organisation=o) for o in others]
    assert np.isnan(Labels(*ignored, click(10, False, organisation=mine)).columns()[-1, :HOST]).all()


def test_host_and_gateway_are_known_without_a_label() -> None:
    labels = Labels(click(0, True, domain="gmail.com"), click(0, True, domain="a.example"))
    labels.con.execute("CREATE TEMP TABLE domains AS SELECT 'a.example' AS recipient_domain, 'x.pphosted.com' AS mx")
    seen = labels.columns()
    assert seen[0, HOST] == HOSTS.index("gmail")
    assert seen[1, GATEWAY] == GATEWAYS.index("proofpoint")
    assert np.isnan(seen[[0, 1], [GATEWAY, HOST]]).all()


def test_tables_of_other_events_are_refused() -> None:
    labels = Labels(click(0, True), click(1, False))
    labels.con.execute("DELETE FROM event_labels WHERE event_row = 0")
    with pytest.raises(ValueError, match="1 labelled events on the connection, 2 in the data; label again"):
        labels.columns()


_CLICKS = st.lists(
    st.builds(
        click,
        st.integers(0, 100),
        st.booleans(),
        organisation=st.integers(0, 6),
        message=st.integers(0, 8),
        agent=st.sampled_from("ab"),
        domain=st.sampled_from(["a.example", "b.example"]),
        kind=st.sampled_from([0, 1]),
    ),
    min_size=2,
    max_size=25,
)


@settings(max_examples=10, deadline=None)
@given(_CLICKS, st.integers(0, 3))
def test_neither_the_own_label_nor_a_later_one_changes_what_an_event_sees(
    given_rows: list[dict[str, Any]], n: int
) -> None:
    """But for the share of all labels, which one label hardly changes: it is held still here."""
    at = given_rows[min(n, len(given_rows) - 1)]["at"] - HOUR
    turned = [row | {"automated": row["automated"] ^ (row["at"] >= at)} for row in given_rows]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reputation, "_priors", lambda messages: np.array([0.5, 0.5]))
        before, after = (Labels(*table).columns() for table in (given_rows, turned))
    place = min(n, len(given_rows) - 1)
    np.testing.assert_allclose(before[place], after[place], atol=1e-6)


# What trees are grown on


def test_a_third_of_the_rows_is_masked_and_the_domain_of_half_of_the_organisations() -> None:
    columns = np.ones((20_000, 6), np.float32)
    organisation = np.arange(20_000) // 20
    seen = masked(columns, organisation, seed=3)
    whole = np.isnan(seen).all(axis=1)
    assert whole.mean() == pytest.approx(1 / 3, abs=0.02)
    unknown = np.isnan(seen[:, DOMAIN]) & ~whole
    assert not set(organisation[unknown]) & set(organisation[~np.isnan(seen[:, DOMAIN])])
    assert len(set(organisation[unknown])) / 1_000 == pytest.approx(0.5, abs=0.06)
    assert np.isfinite(seen[~whole][:, [NETWORK, ASN, AGENT, HOST, GATEWAY]]).all()
    assert (columns == 1).all()


def test_held_out_organisations_have_no_domain() -> None:
    seen = without_domain(np.ones((3, 6), np.float32))
    assert np.isnan(seen[:, DOMAIN]).all()
    assert np.isfinite(np.delete(seen, DOMAIN, axis=1)).all()


# What a model keeps


def test_keys_with_three_messages_are_kept_as_text_with_their_sums() -> None:
    labels = Labels(
        *(click(hours, hours > 0) for hours in range(3)),
        *(
            click(0, False, net=(1 << 48) + 0x20010DB80001, asn=64501, agent="other", domain="b.example")
            for _ in range(2)
        ),
    )
    sums = pytest.approx((2, 3, 3), rel=1e-3)
    assert labels.kept() == {
        ("agent", "scan/1.0", "clicked"): sums,
        ("all", "", "clicked"): pytest.approx((2, 5, 5), rel=1e-3),
        ("asn", "64500", "clicked"): sums,
        ("domain", "a.example", "clicked"): sums,
        ("network", "192.0.2.0/24", "clicked"): sums,
    }


def test_sums_are_as_of_the_last_label() -> None:
    old = [click(0, True), click(0, True), click(24 * HALF_LIFE_DAYS, False)]
    assert Labels(*old).kept()["agent", "scan/1.0", "clicked"] == pytest.approx((1, 2, 3))


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        pytest.param({"agent": "bot (jane@acme.example)"}, "agent", id="an agent with an address in it"),
        pytest.param({"agent": "x" * 501}, "agent", id="an agent without end"),
        pytest.param({"domain": "gmail.com"}, "domain", id="mailboxes for everybody"),
        pytest.param({"domain": "jane@acme.example"}, "domain", id="an address for a domain"),
    ],
)
def test_what_may_name_a_person_or_names_nobody_is_not_kept(row: dict[str, Any], kind: str) -> None:
    kept = Labels(*(click(hours, True, **row) for hours in range(5))).kept()
    assert {found for found, *_ in kept} == {"all", "agent", "asn", "domain", "network"} - {kind}


def test_where_no_label_counts_nothing_is_kept() -> None:
    assert Labels(click(0, True, weight=0.0)).kept() == {}


def test_mailboxes_for_everybody_are_those_whose_recipients_are_organisations_of_their_own() -> None:
    assert all(mailbox_hosts(CONSUMER_HOSTS, [None] * len(CONSUMER_HOSTS))["is_shared"].to_pylist())


# With a simulated sender


@pytest.fixture(scope="module")
def learnt(sender: Path) -> tuple[npt.NDArray[np.float32], pa.Table, BotClickModel]:
    """The columns and the table of the sender's labels, and a small model grown with them."""
    with opened(sender) as (con, capabilities):
        data = labelled(con, capabilities)
        columns, table = reputation_columns(con, data, seed=1), reputation_table(con)
    X = np.column_stack([data.X, masked(columns, data.organisation, seed=1)])
    names = [*FEATURE_NAMES, *REPUTATION_NAMES]
    lines = lgb.Dataset(X, data.y, feature_name=names, categorical_feature=[*CATEGORICAL, *REPUTATION_CATEGORICAL])
    options = SMALL.lightgbm(1) | {"monotone_constraints": monotone(names)}
    model = BotClickModel.create(
        lgb.train(options, lines, num_boost_round=20).model_to_string(),
        Calibration(1, 1, 0),
        {DEFAULT: BEFORE},
        "# A model with reputations\n",
        created=CREATED,
        feature_names=names,
        feature_fingerprint=fingerprint(),
        reference={},
        training={},
        metrics={},
        reputation=table,
    )
    return columns, table, model


def test_columns_and_table_are_the_same_again_bit_for_bit(
    sender: Path, learnt: tuple[npt.NDArray[np.float32], pa.Table, BotClickModel]
) -> None:
    with opened(sender) as (con, capabilities):
        con.execute("SET threads = 2")
        data = labelled(con, capabilities)
        assert reputation_columns(con, data, seed=1).tobytes() == learnt[0].tobytes()
        assert reputation_table(con).equals(learnt[1])
        left = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert not left & {"label_rows", "recipient_domains", "learnt", "folds"}


def test_a_saved_model_scores_as_it_is_measured_and_keeps_no_recipient(
    sender: Path, learnt: tuple[npt.NDArray[np.float32], pa.Table, BotClickModel], tmp_path: Path
) -> None:
    learnt[2].save(tmp_path / "model")
    model = BotClickModel.load(tmp_path / "model")
    assert model == learnt[2]
    assert model.reputation is not None
    assert model.reputation.equals(learnt[1])
    with opened(sender) as (con, capabilities):
        data = labelled(con, capabilities)
        measured = model.probability(model_inputs(con, model, data), 1)
        events = con.execute("SELECT event_row FROM event_labels ORDER BY event_row").fetchall()
        recipients = {recipient for (recipient,) in con.execute("SELECT DISTINCT recipient_id FROM events").fetchall()}
        assert score(con, model, capabilities, threads=1, reasons=True).judged >= len(data)
        found = dict(con.execute("SELECT event_row, probability FROM verdicts").fetchall())
    np.testing.assert_allclose([found[row] for (row,) in events], measured, atol=1e-12)
    assert not recipients & set(model.reputation["key"].to_pylist())


@pytest.mark.parametrize("kind", [NETWORK, ASN, AGENT, DOMAIN])
def test_a_higher_reputation_never_makes_a_machine_less_likely(
    learnt: tuple[npt.NDArray[np.float32], pa.Table, BotClickModel], kind: int
) -> None:
    rng = np.random.default_rng(kind)
    X = np.full((50, len(FEATURE_NAMES) + len(REPUTATION_NAMES)), np.nan, np.float32)
    X[:, len(FEATURE_NAMES) :] = rng.normal(0, 2, (50, len(REPUTATION_NAMES)))
    lower, higher = X.copy(), X.copy()
    lower[:, len(FEATURE_NAMES) + kind], higher[:, len(FEATURE_NAMES) + kind] = -4, 4
    assert (learnt[2].probability(lower, 1) <= learnt[2].probability(higher, 1) + 1e-12).all()


def test_trees_to_begin_with_are_not_told_a_held_out_domains_labels_either(
    sender: Path, sender_data: Dataset, learnt: tuple[npt.NDArray[np.float32], pa.Table, BotClickModel]
) -> None:
    """The trees before ask for nothing but the domain."""
    columns, table, _ = learnt
    X = np.full((len(columns), len(FEATURE_NAMES) + len(REPUTATION_NAMES)), np.nan, np.float32)
    X[:, len(FEATURE_NAMES) + DOMAIN] = columns[:, DOMAIN]
    rows_of_domains = replace(sender_data, X=X, y=(columns[:, DOMAIN] > 0).astype(np.int8))
    base = BotClickModel.create(
        grow([rows_of_domains], SMALL, 1).model_to_string(),
        Calibration(1, 1, 0),
        {DEFAULT: BEFORE},
        "# A model of domains\n",
        created=CREATED,
        feature_names=(*FEATURE_NAMES, *REPUTATION_NAMES),
        feature_fingerprint=fingerprint(),
        reference={},
        training={},
        metrics={},
        reputation=table,
    )
    choices = Choices(parameters=replace(SMALL, trees=5, folds=2))
    with opened(sender) as (con, capabilities):
        made = train(con, capabilities, base=base, choices=choices, created=CREATED, threads=1)
    assert made.model.feature_names[-len(REPUTATION_NAMES) :] == REPUTATION_NAMES
    unknown = judged_apart(made.data).begun_with(base.booster, 1).start
    assert not np.array_equal(made.data.begun_with(base.booster, 1).start, unknown)
    assert np.array_equal(made.data.start, unknown)


def test_a_fingerprint_is_that_of_the_same_rows_without_reputations(
    sender_data: Dataset, learnt: tuple[npt.NDArray[np.float32], pa.Table, BotClickModel]
) -> None:
    with_columns = replace(sender_data, X=np.column_stack([sender_data.X, learnt[0]]))
    assert with_columns.fingerprint() == sender_data.fingerprint()
