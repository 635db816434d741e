"""Every event that is not called human says why, in words that the model's own contributions put in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from features.catalog import FEATURE_NAMES
from features.duckdb_engine import connect
from features.readers import read_campaigns, read_events
from features.tags import address_table, agent_table
from serving import reasons
from serving.model import bundled
from serving.reason_words import REASONS
from serving.reasons import MOST_REASONS, NO_WORDS, Explainer, explain, explain_nothing, rank_columns, ranked
from serving.reputation import join_reputations
from serving.scoring import VERDICT_COLUMNS, Scored, score, write_kept, write_scored
from tests.serving.scored_files import KEY, scored, small_sender

NONE = 255
# Measured on 17 simulated senders: 99.4 % of rows on average, 96.4 % on the worst.
LEAST_AGREEMENT = 0.95


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the events and campaigns of a simulated sender."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(3).write(folder)
    return folder


@pytest.fixture(scope="module")
def judged(sender: Path) -> tuple[duckdb.DuckDBPyConnection, Scored]:
    """The sender's events scored."""
    return scored(sender / "events.parquet", campaigns=sender / "campaigns.parquet")


def features_where(con: duckdb.DuckDBPyConnection, condition: str) -> NDArray[np.float32]:
    """The features of the events whose verdict fulfils a condition, in order."""
    names = ", ".join(f"x.{name}" for name in FEATURE_NAMES)
    query = f"SELECT {names} FROM features AS x JOIN verdicts AS v USING (event_row) WHERE v.verdict {condition}"
    table = con.sql(f"{query} ORDER BY event_row").to_arrow_table()
    return np.column_stack([column.to_numpy() for column in table.columns]).astype(np.float32)


@pytest.fixture(scope="module")
def rows(judged: tuple[duckdb.DuckDBPyConnection, Scored]) -> NDArray[np.float32]:
    """The features of the events that are not called human, in order."""
    return features_where(judged[0], "<> 'human'")


# Contributions


def test_what_reasons_add_sums_to_the_margin(rows: NDArray[np.float32]) -> None:
    model = bundled()
    contributions = Explainer(model).contributions(rows)
    assert contributions.shape == (len(rows), len(REASONS) + 1)
    np.testing.assert_allclose(contributions.sum(axis=1), model.booster.predict_raw(rows, 2), atol=1e-4)


def test_the_first_reason_agrees_with_shap(rows: NDArray[np.float32]) -> None:
    model = bundled()
    drawn = rows[np.random.default_rng(1).permutation(len(rows))[:250]]
    shap = model.booster.contributions(drawn, 2)[:, :-1]
    by_reason = np.column_stack(
        [
            shap[:, [FEATURE_NAMES.index(name) for name in reason.features if name in FEATURE_NAMES]].sum(axis=1)
            for reason in REASONS
        ]
    )
    ours = Explainer(model).contributions(drawn)[:, :-1]
    assert len(drawn) == 250
    assert (ours.argmax(axis=1) == by_reason.argmax(axis=1)).mean() > LEAST_AGREEMENT
    assert np.abs(ours - by_reason).mean() < 0.05


def test_reasons_are_ranked_by_what_they_add() -> None:
    added = np.zeros((4, len(REASONS)))
    added[0, [3, 5, 1]] = [2.0, 1.0, 0.4]  # all three count
    added[1, [3, 5, 1]] = [2.0, 0.2, -0.5]  # the second is too small a part of the first
    added[2, :8] = 1.0  # equals stand in their own order, six at most
    machine, person = ranked(added)[:, :6].tolist(), ranked(added)[:, 6:].tolist()
    assert machine == [[3, 5, 1, *[NONE] * 3], [3, *[NONE] * 5], [0, 1, 2, 3, 4, 5], [NONE] * 6]
    assert person == [[NONE] * 4, [1, *[NONE] * 3], [NONE] * 4, [NONE] * 4]


def test_batches_do_not_matter(rows: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    model, n = bundled(), min(len(rows), 600)
    human = np.full((3, rows.shape[1]), np.nan, dtype=np.float32)
    X = np.concatenate([rows[: n // 2], human, rows[n // 2 : n]])
    at_once = Explainer(model)
    expected = at_once.probability(X, 2)
    monkeypatch.setattr(reasons, "_ROWS", 150)
    in_parts = Explainer(model)
    parts = [in_parts.probability(part, 2) for part in np.split(X, [1, 1, 200, 450])]
    assert np.concatenate(parts).tobytes() == expected.tobytes() == model.probability(X, 2).tobytes()
    assert in_parts.ranks().tobytes() == at_once.ranks().tobytes() == in_parts.ranks().tobytes()


def test_nobody_judged_has_no_ranks() -> None:
    assert Explainer(bundled()).ranks().shape == (0, 10)


def test_only_events_that_may_not_be_human_are_explained(
    judged: tuple[duckdb.DuckDBPyConnection, Scored], rows: NDArray[np.float32]
) -> None:
    model = bundled()
    explainer = Explainer(model)
    people = features_where(judged[0], "= 'human'")
    explainer.probability(np.concatenate([people, rows[:20]]), 2)
    has_reasons = explainer.ranks()[:, 0] != NONE
    assert has_reasons[len(people) :].all()
    assert has_reasons[: len(people)].mean() < 0.1  # event types have thresholds of their own


# Words


def by_verdict(con: duckdb.DuckDBPyConnection, verdict: str) -> list[str | None]:
    found = con.execute("SELECT reasons FROM verdicts WHERE verdict = ? ORDER BY event_row", [verdict]).fetchall()
    return [reasons for (reasons,) in found]


def test_automated_and_unsure_events_have_reasons_and_human_ones_none(
    judged: tuple[duckdb.DuckDBPyConnection, Scored],
) -> None:
    con, _ = judged
    automated, unsure, human = (by_verdict(con, verdict) for verdict in ("automated", "unsure", "human"))
    assert len(automated) > 500
    assert human
    assert set(human) == {None}
    for text in automated:
        assert text is not None
        parts = text.split("; ")
        assert 1 <= len(parts) == len(set(parts)) <= MOST_REASONS
    assert sum(text == NO_WORDS for text in automated) < 0.01 * len(automated)
    for text in unsure:
        assert text is not None
        assert text == NO_WORDS or all(
            part.startswith(("like a machine: ", "like a person: ")) for part in text.split("; ")
        )


def made_up(con: duckdb.DuckDBPyConnection, events: list[dict[str, Any]]) -> list[str | None]:
    """The reasons of events with a verdict, ranks of reasons by name, and features; all else is not known."""
    number = {reason.name: n for n, reason in enumerate(REASONS)}
    ranks = np.full((len(events), 10), NONE, dtype=np.uint8)
    for row, event in enumerate(events):
        machine, person = ([number[name] for name in event.get(side, ())] for side in ("machine", "person"))
        ranks[row, : len(machine)], ranks[row, 6 : 6 + len(person)] = machine, person
    columns = rank_columns(ranks)
    named = ", ".join(f"{name} UTINYINT" for name in columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE predicted (event_row BIGINT, verdict VARCHAR, {named})")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE facts AS"
        " SELECT CAST(range AS BIGINT) AS event_row, 1 AS kind, CAST(NULL AS BIGINT) AS net,"
        " CAST(NULL AS INTEGER) AS address_id, CAST(NULL AS INTEGER) AS agent_id FROM range(?)",
        [len(events)],
    )
    features = ", ".join(f"{name} FLOAT" for name in FEATURE_NAMES)
    con.execute(f"CREATE OR REPLACE TEMP TABLE features (event_row BIGINT, {features})")
    for row, event in enumerate(events):
        mine = [column[row].as_py() for column in columns.values()]
        con.execute(f"INSERT INTO predicted VALUES (?, ?{', ?' * len(mine)})", [row, event["verdict"], *mine])
        names = "".join(f", {name}" for name in event.get("x", {}))
        con.execute(
            f"INSERT INTO features (event_row{names}) VALUES (?{', ?' * len(event.get('x', {}))})",
            [row, *event.get("x", {}).values()],
        )
    join_reputations(con, None)
    for name, table in (("addresses", address_table([])), ("agents", agent_table([]))):
        con.register("nobody", table)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM nobody")
    explain(con, batch_events=2)
    found = con.execute(
        "SELECT r.reasons FROM predicted AS p LEFT JOIN explained AS r USING (event_row) ORDER BY p.event_row"
    ).fetchall()
    return [text for (text,) in found]


BURST = {"links_60s": 8, "clicks_60s": 9, "click_pace_s": 0.05, "n_links": 9}


def test_reasons_of_written_out_events() -> None:
    four = ["burst over links", "hidden link", "request method", "time since arrival"]
    known = {**BURST, "honeypot": 1, "method": 1, "since_delivery_s": 43}
    found = made_up(
        duckdb.connect(),
        [
            {"verdict": "automated", "machine": four, "x": known},
            # What has nothing to say gives way to the next.
            {
                "verdict": "automated",
                "machine": ["network", *four],
                "person": ["whole mail"],
                "x": known | {"honeypot": 0},
            },
            {"verdict": "human", "machine": four, "x": known},
            {
                "verdict": "unsure",
                "machine": four,
                "person": ["whole mail", "time since arrival"],
                "x": known | {"link_share_hour": 0.25},
            },
            {"verdict": "unsure", "machine": ["network"], "person": ["time since arrival"], "x": known},
            {"verdict": "automated", "machine": ["network"], "x": known},
            {"verdict": "automated"},
        ],
    )
    assert found == [
        "8 of 9 links within 0.4 s; hidden link clicked; HEAD request",
        "8 of 9 links within 0.4 s; HEAD request; 43 s after delivery",
        None,
        "like a machine: 8 of 9 links within 0.4 s; like a person: 25 % of the mail's links clicked within the hour",
        "like a person: 43 s after delivery",
        NO_WORDS,
        NO_WORDS,
    ]


def test_without_events_nothing_is_explained() -> None:
    con = duckdb.connect()
    assert made_up(con, []) == []
    explain_nothing(con)
    assert con.execute("SELECT reasons FROM explained").fetchall() == []


def test_scanners_are_named_with_the_list_that_they_are_on(tmp_path: Path) -> None:
    """Microsoft publishes the networks that its mail protection comes from."""
    clicks = "".join(
        f"clicked,2026-03-01T10:00:0{n}Z,m1,r1,https://shop.example/{n},40.94.20.{n},\n" for n in range(1, 7)
    )
    path = tmp_path / "events.csv"
    path.write_text(f"event_type,timestamp,message_id,recipient_id,url,ip,user_agent\n{clicks}")
    con, made = scored(path)
    assert made.judged == 6
    for text in by_verdict(con, "automated"):
        assert text is not None
        assert "address in Microsoft's" in text


# What is written


def test_the_scored_file_has_the_reasons_in_every_format(
    judged: tuple[duckdb.DuckDBPyConnection, Scored], tmp_path: Path
) -> None:
    con, made = judged
    for suffix in ("parquet", "csv", "jsonl"):
        write_scored(con, tmp_path / f"scored.{suffix}", made)
    expected = pq.read_table(tmp_path / "scored.parquet")["reasons"].to_pylist()
    assert sum(text is not None for text in expected) > 500
    for suffix, reader in (("csv", "read_csv"), ("jsonl", "read_json")):
        found = con.execute(f"SELECT reasons FROM {reader}('{tmp_path / f'scored.{suffix}'}')").fetchall()
        assert [text for (text,) in found] == expected


def test_kept_rows_have_the_reasons_beside_them(sender: Path, tmp_path: Path) -> None:
    con = connect(threads=2)
    read_campaigns(con, sender / "campaigns.parquet")
    read = read_events(con, [sender / "events.parquet"], recipient_key=KEY, keep_rows=True)
    write_kept(con, tmp_path / "kept.csv", score(con, bundled(), read.capabilities, threads=2))
    rows = con.execute(
        f"SELECT verdict, reasons IS NOT NULL FROM read_csv('{tmp_path / 'kept.csv'}') WHERE verdict IS NOT NULL"
    ).fetchall()
    assert {(verdict, has) for verdict, has in rows} <= {("human", False), ("automated", True), ("unsure", True)}
    assert ("automated", True) in rows


def test_without_reasons_everything_else_is_the_same(
    sender: Path, judged: tuple[duckdb.DuckDBPyConnection, Scored]
) -> None:
    con = connect(threads=2)
    read_campaigns(con, sender / "campaigns.parquet")
    read = read_events(con, [sender / "events.parquet"], recipient_key=KEY)
    score(con, bundled(), read.capabilities, threads=2, reasons=False)
    others = ", ".join(name for name in VERDICT_COLUMNS if name != "reasons")
    query = f"SELECT event_row, {others} FROM verdicts ORDER BY event_row"
    assert con.execute(query).fetchall() == judged[0].execute(query).fetchall()
    assert con.execute("SELECT count(reasons) FROM verdicts").fetchall() == [(0,)]
