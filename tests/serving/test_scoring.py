"""What `score` writes: the events as they were, and a judgement beside each that depends on nothing but them."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features import reference
from features.duckdb_engine import connect
from features.errors import InputError
from features.feature import CAPABILITIES
from features.readers import read_campaigns, read_events, read_labels
from features.schema import ENGAGEMENT, EVENT_COLUMNS
from serving.model import bundled
from serving.scoring import output_format, write_scored
from tests.serving.scored_files import KEY, OURS, by_event, score_to, scored, small_sender, write_events
from training.dataset import labelled

ALL = frozenset(CAPABILITIES)
CLICK = {
    "event_type": "click",
    "timestamp": "2026-03-01T10:00:00Z",
    "message_id": "m1",
    "recipient_id": "r1",
    "url": "https://shop.example/a",
    "ip": "84.56.12.9",
    "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
}


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    """Rows on top of CLICK as JSON lines; those without an event_id get e1, e2, …"""
    numbered = ({**CLICK, "event_id": f"e{n}", **row} for n, row in enumerate(rows, 1))
    path.write_text("".join(json.dumps(row) + "\n" for row in numbered))
    return path


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with events, campaigns and labels of a simulated sender, and the scored events."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(3).write(folder)
    score_to(folder / "scored.parquet", folder / "events.parquet", campaigns=folder / "campaigns.parquet")
    return folder


@pytest.fixture(scope="module")
def table(sender: Path) -> pa.Table:
    """The scored events of the sender."""
    return pq.read_table(sender / "scored.parquet")


# What is written


def test_each_canonical_event_is_one_row_in_file_order(tmp_path: Path) -> None:
    first = lines(
        tmp_path / "b.jsonl",
        {"timestamp": "2026-03-01T12:00:00Z"},
        {"timestamp": "2026-03-01T09:00:00Z", "event_type": "delivered"},
        {"event_id": "e1", "timestamp": "2026-03-01T12:00:00Z"},  # the first row again
        {"timestamp": "2026-03-01T10:00:00Z", "event_type": "open"},
    )
    second = lines(tmp_path / "a.jsonl", {"event_id": "later", "timestamp": "2026-03-01T08:00:00Z"})
    rows = pq.read_table(score_to(tmp_path / "scored.parquet", first, second)).to_pylist()
    assert [(row["raw_ref"], row["event_id"], row["dup_count"]) for row in rows] == [
        ("b.jsonl:1", "e1", 1),
        ("b.jsonl:2", "e2", 0),
        ("b.jsonl:4", "e4", 0),
        ("a.jsonl:1", "later", 0),
    ]


def test_context_is_read_and_not_written(tmp_path: Path) -> None:
    mine = lines(tmp_path / "today.jsonl", {})
    before = lines(tmp_path / "before.jsonl", {"event_id": "old", "timestamp": "2026-02-28T10:00:00Z"})
    rows = pq.read_table(score_to(tmp_path / "scored.parquet", mine, context=[before])).to_pylist()
    assert [row["event_id"] for row in rows] == ["e1"]


def test_the_events_columns_come_first_and_ours_after_them(table: pa.Table) -> None:
    assert table.column_names == [*(column.name for column in EVENT_COLUMNS), *OURS, "model_version"]


def test_events_that_nobody_judges_have_no_judgement(table: pa.Table) -> None:
    judged = np.isin(table["event_type"].to_pylist(), ENGAGEMENT)
    assert 0 < judged.sum() < len(table)
    for name in ("probability", "verdict", "provisional"):
        assert table[name].is_valid().to_pylist() == judged.tolist(), name
    for name in ("actor", "vendor"):
        assert not any(table.filter(pa.array(~judged))[name].is_valid().to_pylist()), name


def test_probabilities_are_probabilities(table: pa.Table) -> None:
    found = pc.min_max(table["probability"]).as_py()
    assert 0 <= found["min"] < found["max"] <= 1


def test_verdicts_follow_the_thresholds_of_their_kind_of_event(table: pa.Table) -> None:
    probability = table["probability"].to_numpy(zero_copy_only=False)
    expected = bundled().verdicts(probability, table["event_type"].to_pylist())
    assert table["verdict"].to_pylist() == expected.tolist()


def test_only_an_event_called_automated_or_human_has_an_actor(table: pa.Table) -> None:
    for verdict, actor in zip(table["verdict"].to_pylist(), table["actor"].to_pylist(), strict=True):
        assert {"human": actor == "human", "automated": actor not in (None, "human")}.get(verdict, actor is None)


def test_events_of_the_last_hour_are_provisional(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "events.jsonl",
        {"timestamp": "2026-03-01T09:59:59Z"},
        {"timestamp": "2026-03-01T10:00:00Z"},  # the hour after it is there, to the microsecond
        {"timestamp": "2026-03-01T10:00:01Z"},
        {"timestamp": "2026-03-01T11:00:00Z"},
    )
    con, made = scored(path)
    rows = con.sql("SELECT provisional FROM verdicts ORDER BY event_row").fetchall()
    assert [row[0] for row in rows] == [False, False, True, True]
    assert (made.events, made.judged, made.provisional) == (4, 4, 2)


def test_a_context_that_covers_the_hour_makes_scores_final(tmp_path: Path) -> None:
    mine = lines(tmp_path / "today.jsonl", {})
    after = lines(tmp_path / "after.jsonl", {"event_id": "x", "timestamp": "2026-03-01T11:00:00Z"})
    assert scored(mine)[1].provisional == 1
    assert scored(mine, context=[after])[1].provisional == 0


# The three formats


def test_all_formats_hold_the_same_values(sender: Path, tmp_path: Path) -> None:
    con, made = scored(sender / "events.parquet", campaigns=sender / "campaigns.parquet")
    for suffix in ("parquet", "csv", "jsonl"):
        write_scored(con, tmp_path / f"scored.{suffix}", made)
    names = ("event_id", "url", "ip", *OURS, "model_version")
    rows = pq.read_table(tmp_path / "scored.parquet", columns=list(names)).to_pylist()
    with (tmp_path / "scored.csv").open(newline="") as file:
        texts = list(csv.DictReader(file))
    assert [{name: row[name] for name in names} for row in texts] == [
        {name: _as_csv(row[name]) for name in names} for row in rows
    ]
    objects = [json.loads(line) for line in (tmp_path / "scored.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in names} for row in objects] == rows


def _as_csv(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_a_cell_that_a_spreadsheet_would_run_is_defused(tmp_path: Path) -> None:
    columns = ("user_agent", "url", "campaign_id", "referer")
    starts = ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "plain ="]
    texts = [f"{start}cmd|' /C calc'!A1" for start in starts]
    con, made = scored(lines(tmp_path / "events.jsonl", *(dict.fromkeys(columns, text) for text in texts)))
    stored = con.execute(f"SELECT {', '.join(columns)} FROM events ORDER BY record").fetchall()
    write_scored(con, tmp_path / "scored.csv", made)
    with (tmp_path / "scored.csv").open(newline="") as file:
        written = [tuple(row[column] for column in columns) for row in csv.DictReader(file)]
    # A reader may cut blanks off the ends; what is left must not begin a formula.
    risky = tuple("=+-@\t\r\n\uff1d")
    assert written == [tuple(f"'{v}" if v.startswith(risky) else v for v in row) for row in stored]
    assert sum(v.startswith("'") for row in written for v in row) >= 5 * len(columns)


def test_parquet_keeps_such_text_as_it_was(tmp_path: Path) -> None:
    path = lines(tmp_path / "events.jsonl", {"user_agent": "=1+1"})
    rows = pq.read_table(score_to(tmp_path / "scored.parquet", path)).to_pylist()
    assert rows[0]["user_agent"] == "=1+1"


def test_a_parquet_file_says_what_it_was_made_with(sender: Path, tmp_path: Path) -> None:
    given = frozenset({"agent", "address"})
    path = score_to(tmp_path / "scored.parquet", sender / "events.parquet", capabilities=given)
    metadata = pq.read_schema(path).metadata
    assert metadata[b"clicksift_model"].decode() == bundled().version
    assert metadata[b"clicksift_capabilities"] == b"address,agent"
    assert json.loads(metadata[b"clicksift_reference"]) == dict(reference.versions())


@pytest.mark.parametrize("name", ["scored", "scored.txt", "scored.xlsx", "scored.csv.gz"])
def test_an_unknown_suffix_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: cannot tell the output format .*\.csv, \.jsonl, \.ndjson, \.parq"):
        output_format(Path(name))


@pytest.mark.parametrize(("name", "kind"), [("a.PARQUET", "parquet"), ("a.b.csv", "csv"), ("a.ndjson", "json")])
def test_a_suffix_names_the_format(name: str, kind: str) -> None:
    assert output_format(Path(name)) == kind


# What a score depends on


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_the_same_input_gives_the_same_bytes(sender: Path, tmp_path: Path, suffix: str) -> None:
    events, campaigns = sender / "events.parquet", sender / "campaigns.parquet"
    one = score_to(tmp_path / f"one.{suffix}", events, campaigns=campaigns)
    two = score_to(tmp_path / f"two.{suffix}", events, campaigns=campaigns)
    assert one.read_bytes() == two.read_bytes()


def test_the_order_of_rows_changes_no_score(sender: Path, tmp_path: Path) -> None:
    events = pq.read_table(sender / "events.parquet")
    shuffled = write_events(events.take(np.random.default_rng(1).permutation(len(events))), tmp_path / "s.parquet")
    path = score_to(tmp_path / "scored.parquet", shuffled, campaigns=sender / "campaigns.parquet")
    assert by_event(path, OURS) == by_event(sender / "scored.parquet", OURS)


def test_scoring_in_pieces_with_context_equals_scoring_at_once(tmp_path: Path) -> None:
    """Pieces of five days; eight days before and one after are context enough."""
    simulation = small_sender(5, messages=500, days=14)
    simulation.write(tmp_path)
    campaigns = tmp_path / "campaigns.parquet"
    whole = score_to(tmp_path / "whole.parquet", tmp_path / "events.parquet", campaigns=campaigns, capabilities=ALL)
    times = simulation.events["timestamp"]
    start, end = pc.min(times).as_py(), pc.max(times).as_py()

    def part(name: str, first: float, last: float) -> Path:
        """The events from day `first` to before day `last`."""
        begin, stop = (pa.scalar(start + timedelta(days=day), times.type) for day in (first, last))
        kept = pc.and_(pc.greater_equal(times, begin), pc.less(times, stop))
        return write_events(simulation.events.filter(kept), tmp_path / f"{name}.parquet")

    pieces: dict[Any, Any] = {}
    for day in range(0, (end - start).days + 1, 5):
        mine = part(f"from{day}", day, day + 5)
        around = [part(f"before{day}", day - 8, day), part(f"after{day}", day + 5, day + 6)]
        output = tmp_path / f"scored{day}.parquet"
        pieces |= by_event(score_to(output, mine, context=around, campaigns=campaigns, capabilities=ALL))
    assert (end - start).days > 10
    assert pieces == by_event(whole)


def test_training_and_scoring_see_the_same_features_and_give_the_same_scores(sender: Path) -> None:
    con, _ = scored(sender / "events.parquet", campaigns=sender / "campaigns.parquet", capabilities=ALL)
    served = con.sql("SELECT x.*, v.probability FROM features AS x JOIN verdicts AS v USING (event_row)")
    rows = served.order("event_row").to_arrow_table()

    trainer = connect(threads=1)
    read_campaigns(trainer, sender / "campaigns.parquet")
    read_events(trainer, [sender / "events.parquet"], recipient_key=KEY)
    assert read_labels(trainer, sender / "labels.parquet") == len(rows)
    data = labelled(trainer, ALL)

    model = bundled()
    X = np.column_stack([rows[name].to_numpy().astype(np.float32) for name in model.feature_names])
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(model.probability(data.X), rows["probability"].to_numpy())
