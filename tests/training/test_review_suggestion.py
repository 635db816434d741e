"""Rows to review: which are chosen, what the file shows of them, and that it is read back when filled in."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features.duckdb_engine import connect
from features.errors import InputError
from features.feature import CAPABILITIES
from features.readers import read_campaigns, read_events, read_labels
from features.recipient_key import RecipientKey
from features.schema import event_row
from serving.model import bundled
from serving.scoring import score
from tests.features.event_tables import CHROME, HOME, OTHER_HOME, at, event, link, tables
from training.dataset import label_notes, match_labels
from training.labels import REVIEWED, REVIEWED_WEIGHT, label
from training.review_suggestion import REVIEW_COLUMNS, suggest, write_review
from training.simulation import simulate
from training.world import HARD

KEY = RecipientKey(bytes(32))
EVERYTHING = frozenset(CAPABILITIES)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A scored and labelled sender of a hard world; `truth` says who made its events."""
    folder = tmp_path_factory.mktemp("sender")
    simulate(6, 1_500, profile=HARD).write(folder)
    con = connect(threads=1)
    read_campaigns(con, folder / "campaigns.parquet")
    read = read_events(con, [folder / "events.parquet"])
    score(con, bundled(), read.capabilities, threads=1)
    label(con, read.capabilities)
    con.execute(f"""
        CREATE TABLE truth AS
        SELECT {event_row("e")} AS event_row, t.automated
        FROM events AS e JOIN '{folder}/labels.parquet' AS t ON e.event_id = t.event_id""")
    suggest(con, bundled(), read.capabilities, 150)
    return con


def test_suggested_rows_have_no_label_and_stand_for_messages_networks_agents_and_domains_of_their_own(sender):
    [(rows, messages, clusters, labelled)] = sender.execute("""
        SELECT count(*), count(DISTINCT f.msg), count(DISTINCT (f.kind, f.net, f.agent_id, f.dom)),
               count(*) FILTER (r.event_row IN (SELECT event_row FROM made_labels))
        FROM review_rows AS r JOIN facts AS f ON r.event_row = f.event_row""").fetchall()
    assert (rows, messages, labelled) == (150, 150, 0)
    assert clusters == 150


def test_the_model_is_wrong_about_suggested_rows_far_more_often_than_about_others(sender):
    [(suggested, others)] = sender.execute("""
        SELECT avg(wrong) FILTER (is_suggested), avg(wrong) FILTER (NOT is_suggested)
        FROM (
            SELECT CAST((v.probability >= 0.5) <> t.automated AS INTEGER) AS wrong,
                   v.event_row IN (SELECT event_row FROM review_rows) AS is_suggested
            FROM verdicts AS v JOIN truth AS t ON v.event_row = t.event_row
            WHERE v.event_row NOT IN (SELECT event_row FROM made_labels)
        )""").fetchall()
    assert suggested >= 3 * others > 0


def test_the_answer_holds_for_the_events_that_are_counted_as_similar(sender):
    [(pairs, agreeing)] = sender.execute("""
        WITH alike AS (
            SELECT t.event_row, t.automated, (f.kind, f.net, f.agent_id, coalesce(f.dom, f.rcpt, f.msg)) AS key
            FROM truth AS t JOIN facts AS f ON t.event_row = f.event_row
            WHERE t.event_row NOT IN (SELECT event_row FROM made_labels)
        )
        SELECT count(*), avg(CAST(a.automated = b.automated AS INTEGER))
        FROM review_rows AS r JOIN alike AS a ON r.event_row = a.event_row
        JOIN alike AS b ON a.key = b.key AND a.event_row <> b.event_row""").fetchall()
    [(similar,)] = sender.execute("SELECT sum(similar_events) FROM review_rows").fetchall()
    assert pairs == similar - 150
    assert agreeing >= 0.98


def test_machines_and_people_and_all_types_of_events_are_among_them(sender):
    rows = sender.execute("""
        SELECT f.kind, t.automated, count(*)
        FROM review_rows AS r JOIN facts AS f USING (event_row) JOIN truth AS t USING (event_row)
        GROUP BY ALL""").fetchall()
    assert {kind for kind, _, _ in rows} == {0, 1, 2}
    for automated in (True, False):
        assert sum(n for _, made, n in rows if made is automated) >= 30


def test_fewer_events_than_wanted_are_all_there_is():
    con = judged([click(1000, message_id="m1"), click(1000, message_id="m2", ip=OTHER_HOME)])
    assert suggest(con, bundled(), EVERYTHING, 50).rows == 2


def test_a_conflict_comes_before_what_the_model_is_sure_of():
    events = [click(90_000 + 100 * n, ip=f"84.56.{n}.9", message_id=f"m{n}", recipient_id=f"r{n}") for n in range(8)]
    events[5]["user_agent"] = "curl/8.4.0"
    con = judged(events, converted="m5")
    assert suggest(con, bundled(), EVERYTHING, 1).rows == 1
    assert con.execute("SELECT event_row, similar_events FROM review_rows").fetchall() == [(6, 1)]


def click(seconds: float, ip: str = HOME, **more: Any) -> dict[str, Any]:
    return event("clicked", seconds, ip=ip, user_agent=CHROME.format(126), **{"url": link(1), **more})


def judged(events: list[dict[str, Any]], converted: str | None = None) -> duckdb.DuckDBPyConnection:
    """The events scored and labelled; a day later somebody bought something after the click of `converted`."""
    con = tables(events)
    if converted:
        time = next(row["timestamp"] for row in events if row["message_id"] == converted)
        con.execute(
            "CREATE TEMP TABLE conversions AS SELECT 'purchase' AS event_type, ? AS timestamp, NULL AS campaign_id,"
            " ? AS message_id, NULL AS recipient_id, NULL AS ip, NULL AS user_agent",
            [time, converted],
        )
    score(con, bundled(), EVERYTHING, threads=1)
    label(con, EVERYTHING)
    return con


def written(con: duckdb.DuckDBPyConnection, path: Path) -> list[dict[str, str]]:
    suggest(con, bundled(), EVERYTHING, 50)
    write_review(con, path, KEY)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def odd_rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, Path, dict[str, Any]]:
    """Events with texts that a spreadsheet would spoil or run: the connection, the file, its rows by recipient."""
    events = [
        click(1000, message_id="m1", event_id="-a=", url="https://t.example/?to=bob@example.com"),
        click(1000, message_id="m2", event_id="12345678901234567890", raw_ref="log:2", ip=OTHER_HOME),
        click(1000, message_id="m3", event_id="made", event_id_origin="derived", raw_ref="log:3", ip="73.9.9.9"),
        click(1000, message_id="m4", campaign_id="=1+1", ip="62.1.1.1", recipient_domain="other.example"),
    ]
    con = judged([{**row, "recipient_id": f"r{n}"} for n, row in enumerate(events)])
    path = tmp_path_factory.mktemp("review") / "review.csv"
    return con, path, {row["recipient_id"]: row for row in written(con, path)}


def test_the_file_has_a_column_to_fill_in_and_what_helps_to_fill_it_in(odd_rows):
    _, _, rows = odd_rows
    assert set(rows) == {"r0", "r1", "r2", "r3"}
    row = rows["r2"]
    assert tuple(row) == REVIEW_COLUMNS
    shown = {name: row[name] for name in ("automated", "event_type", "timestamp", "after_delivery_s", "similar_events")}
    assert shown == {
        "automated": "",
        "event_type": "clicked",
        "timestamp": at(1000).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "after_delivery_s": "1000.0",
        "similar_events": "1",
    }
    assert 0 <= float(row["probability"]) <= 1
    assert row["network"]
    assert (row["source"], float(row["weight"])) == (REVIEWED, REVIEWED_WEIGHT)


def test_addresses_are_hashed_and_formulas_defused(odd_rows):
    _, path, rows = odd_rows
    assert "bob@" not in path.read_text()
    assert rows["r0"]["url"] == f"https://t.example/?to={KEY.hash('bob@example.com')}"
    assert rows["r3"]["campaign_id"] == "'=1+1"


def test_ids_that_a_spreadsheet_rounds_give_way_to_file_and_record(odd_rows):
    _, _, rows = odd_rows
    named = {name: (row["event_id"], row["raw_ref"]) for name, row in rows.items()}
    assert named == {"r0": ("'-a=", ""), "r1": ("", "log:2"), "r2": ("", "log:3"), "r3": ("e0-4", "")}


def test_a_filled_file_is_read_back_and_empty_rows_are_counted(odd_rows, tmp_path):
    con, _, rows = odd_rows
    filled = tmp_path / "filled.csv"
    answers = {"r0": "bot", "r1": "human", "r2": "1", "r3": ""}
    with filled.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, REVIEW_COLUMNS)
        writer.writeheader()
        writer.writerows(row | {"automated": answers[name]} for name, row in rows.items())
    assert read_labels(con, filled) == 3
    match_labels(con)
    found = con.execute("SELECT event_row, automated, source, weight FROM event_labels ORDER BY event_row").fetchall()
    assert found == [(1, True, REVIEWED, 20.0), (2, False, REVIEWED, 20.0), (3, True, REVIEWED, 20.0)]
    assert label_notes(con) == ("1 rows to review are not filled in and are no labels",)


def test_a_file_in_which_nothing_is_filled_in_holds_no_labels(odd_rows):
    con, path, _ = odd_rows
    with pytest.raises(InputError, match="holds no labels"):
        read_labels(con, path)


def test_a_wrong_answer_is_refused_as_in_other_labels(odd_rows, tmp_path):
    con, _, _ = odd_rows
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("event_id,automated,similar_events\na,,3\nb,maybe,3\n")
    with pytest.raises(InputError, match=r"wrong.csv: record 2 has 'maybe'"):
        read_labels(con, wrong)
