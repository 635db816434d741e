"""`clicksift campaigns`: the figures of a scored file, as scoring printed them."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

import clicksift
from serving.figure_query import BREAKDOWNS
from tests.serving.scored_files import small_sender


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sender, its events scored to Parquet and CSV by the command."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(5).write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("scored.parquet", "scored.csv"):
            arguments = ["score", "events.parquet", "--campaigns", "campaigns.parquet", "-o", name, "--no-reasons"]
            run(patch, *arguments, "--threads", "2")
    return folder


def run(patch: pytest.MonkeyPatch, *arguments: str) -> None:
    patch.setattr(sys, "argv", ["clicksift", *arguments])
    with pytest.raises(SystemExit) as left:
        clicksift.main()
    assert left.value.code == 0


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The lines that the command prints."""
    capsys.readouterr()
    run(monkeypatch, *arguments)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says where it ends with code 2."""
    monkeypatch.setattr(sys, "argv", ["clicksift", "campaigns", *arguments])
    with pytest.raises(SystemExit) as left:
        clicksift.main()
    assert left.value.code == 2
    return capsys.readouterr().err


def test_the_command_prints_the_numbers_that_score_printed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    ours = ("--campaigns", "campaigns.parquet", "-o", "again.parquet", "--no-reasons", "--threads", "2")
    scored = told(monkeypatch, capsys, "score", "events.parquet", *ours)
    figures = told(monkeypatch, capsys, "campaigns", "scored.parquet")
    assert figures[0] == scored[0]
    # But for the two ends of the interval a campaign's line says the same.
    wanted = next(line.split() for line in scored if line.startswith("all "))
    found = next(line.split() for line in figures if line.startswith("all "))
    assert found[:6] + found[8:] == wanted
    assert figures == told(monkeypatch, capsys, "campaigns", "scored.csv")


@pytest.mark.parametrize("by", BREAKDOWNS)
def test_figures_are_written_as_a_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, by: str
) -> None:
    monkeypatch.chdir(folder)
    output = tmp_path / "figures.csv"
    lines = told(monkeypatch, capsys, "campaigns", "scored.parquet", "--by", by, "-o", str(output))
    assert lines[-1] == f"Figures are in {output}."
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert {*BREAKDOWNS[by].keys, "human_clicks_low", "human_click_rate_high"} <= rows[0].keys()


def test_what_cannot_be_is_refused_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert "--by weekday: expected campaign, link" in refused(monkeypatch, capsys, "scored.parquet", "--by", "weekday")
    assert "has no column probability" in refused(monkeypatch, capsys, "events.parquet")
    assert "is also read" in refused(monkeypatch, capsys, "scored.parquet", "-o", "scored.parquet")
    assert "written as CSV or Parquet" in refused(monkeypatch, capsys, "scored.parquet", "-o", "figures.txt")
