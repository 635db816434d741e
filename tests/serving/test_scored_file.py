"""Scored files give, read back, the figures that scoring printed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from features.duckdb_engine import connect
from features.errors import InputError
from features.readers import ReadOptions, read_campaigns, read_events
from serving.campaigns import campaign_figures, machine_shares
from serving.expected_people import expectations
from serving.figure_query import BREAKDOWNS
from serving.model import bundled
from serving.scored_file import people_of, read_scored
from serving.scoring import score, write_kept, write_scored
from tests.serving.scored_files import KEY, small_sender, write_events

SUFFIXES = ("parquet", "csv", "jsonl")
Figures = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Figures]:
    """The folder of a scored sender in every format, with and without rows of one's own, and the figures of it.

    One campaign is named as a formula, and one recipient is an address.
    """
    folder = tmp_path_factory.mktemp("scored")
    sender = small_sender(3)
    events = sender.events.to_pylist()
    first = events[0]["campaign_id"]
    for row in events:
        row["campaign_id"] = "=1+1" if row["campaign_id"] == first else row["campaign_id"]
    path = write_events(sender.events.from_pylist(events, sender.events.schema), folder / "events.parquet")
    con = connect(threads=2)
    read_campaigns(con, None)
    read = read_events(con, [path], recipient_key=KEY, keep_rows=True)
    made = score(con, bundled(), read.capabilities, threads=2, reasons=False)
    for suffix in SUFFIXES:
        write_scored(con, folder / f"scored.{suffix}", made)
        write_kept(con, folder / f"kept.{suffix}", made)
    return folder, figures(con)


def figures(con: duckdb.DuckDBPyConnection) -> Figures:
    found = {by: campaign_figures(con, by=by).to_pylist() for by in BREAKDOWNS}
    return found | {"machines": machine_shares(con).to_pylist()}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["scored", "kept"])
def test_figures_of_the_file_are_those_that_scoring_had(printed: tuple[Path, Figures], name: str, suffix: str) -> None:
    folder, wanted = printed
    con = connect(threads=2)
    file = read_scored(con, folder / f"{name}.{suffix}")
    assert file.model_versions == (bundled().version,)
    found = figures(con)
    for by, rows in wanted.items():
        assert len(found[by]) == len(rows)
        for row, other in zip(rows, found[by], strict=True):
            assert other == pytest.approx(row)
    assert "=1+1" in {row["campaign_id"] for row in found["campaign"]}


def test_a_parquet_file_says_how_its_people_are_counted_and_others_ask_for_the_model(
    printed: tuple[Path, Figures],
) -> None:
    folder, _ = printed
    assert json.loads(pq.read_metadata(folder / "scored.parquet").metadata[b"clicksift_people"])["people.clicked"]
    parquet = read_scored(connect(), folder / "scored.parquet")
    text = read_scored(connect(), folder / "scored.csv")
    told = expectations(bundled().manifest["metrics"])
    assert parquet.people == told
    assert text.people is None
    assert people_of(parquet, None) == people_of(text, bundled()) == told


def test_another_model_than_that_of_the_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "scored.csv", model_version="0123456789ab")
    file = read_scored(connect(), path)
    with pytest.raises(
        InputError, match=r"scored\.csv: was scored by model 0123456789ab, not .*; name it with --model"
    ):
        people_of(file, bundled())


ROW = {
    **{"event_type": "clicked", "campaign_id": "spring", "message_id": "m", "recipient_id": "r"},
    **{"recipient_domain": "acme.example", "url": "https://a.example/x", "link_id": "", "raw_ref": "a:1"},
    **{"probability": "0.25", "verdict": "human", "actor": "human", "vendor": "", "model_version": "f"},
}


def written(path: Path, without: str = "", **changes: str) -> Path:
    """A scored file of one row, with the changes."""
    row = {name: value for name, value in {**ROW, **changes}.items() if name != without}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerow(row)
    return path


@pytest.mark.parametrize("name", ["verdict", "probability", "model_version"])
def test_a_file_that_nobody_scored_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "events.csv", without=name)
    with pytest.raises(InputError, match=rf"events\.csv: has no column {name}; name a file that clicksift score wrote"):
        read_scored(connect(), path)


@pytest.mark.parametrize(
    "changes",
    [{"probability": "1.5"}, {"probability": "nan"}, {"probability": ""}, {"verdict": "perhaps"}],
    ids=str,
)
def test_a_judgement_that_cannot_be_is_refused_with_its_row(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"scored\.csv: row 1: verdict '\w+' with probability .*, unchanged"):
        read_scored(connect(), written(tmp_path / "scored.csv", **changes))


def test_a_probability_that_is_no_number_is_refused_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "scored.csv", probability="high")
    with pytest.raises(InputError, match=r"^[^\n]*scored\.csv: cannot be read \([^\n]*'high'[^\n]*$"):
        read_scored(connect(), path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.parquet", "is not there"),
        ("", "is a folder|cannot tell the output format"),
        ("scored.txt", "cannot tell the output format"),
        ("broken.parquet", "cannot be read"),
    ],
)
def test_what_is_no_readable_file_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "broken.parquet").write_text("PAR1 of something else")
    with pytest.raises(InputError, match=message):
        read_scored(connect(), tmp_path / name)


def test_rows_of_an_export_are_read_as_the_export_was(tmp_path: Path) -> None:
    """A platform's own rows with columns of ours: events, copies and deliveries come back as they were scored."""
    sent = {"event": "delivered", "timestamp": 1772359100, "sg_event_id": "a", "email": "ann@example.com"}
    click = sent | {"event": "click", "timestamp": 1772359300, "sg_event_id": "b", "url": "https://example.com/x"}
    export = tmp_path / "export.json"
    export.write_text(json.dumps([sent, click | {"ip": "84.56.12.9", "verdict": "mine"}, click | {"verdict": "mine"}]))
    con = connect(threads=1)
    read_campaigns(con, None)
    read = read_events(con, [export], recipient_key=KEY, keep_rows=True)
    made = score(con, bundled(), read.capabilities, threads=1)
    wanted = campaign_figures(con).to_pylist()
    write_kept(con, tmp_path / "kept.csv", made)
    again = connect(threads=1)
    read_scored(again, tmp_path / "kept.csv", ReadOptions(format="sendgrid"))
    assert campaign_figures(again).to_pylist() == wanted
    assert (wanted[0]["delivered"], wanted[0]["clicks"]) == (1, 1)
