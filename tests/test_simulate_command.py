"""`clicksift simulate --format`: what it writes and says, and that what it writes is what the other commands take."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import clicksift
from training.platform_exports import FORMATS


def simulate(folder: Path, *options: str) -> str:
    """What the command says."""
    done = CliRunner().invoke(clicksift.app, ["simulate", str(folder), "--messages", "60", *options])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_with_campaigns_and_labels_beside(tmp_path, name):
    said = simulate(tmp_path / "demo", "--format", name)
    first = Path(re.search(r"are in (.*?)(?: and \d+ more)?, campaigns and labels beside\.$", said.strip())[1])
    assert first.parent == tmp_path / "demo"
    assert first.stat().st_size > 0
    assert pq.read_metadata(tmp_path / "demo" / "labels.parquet").num_rows > 0
    assert pq.read_metadata(tmp_path / "demo" / "campaigns.parquet").num_rows > 0
    assert not (tmp_path / "demo" / "events.parquet").exists()


def test_without_a_format_the_events_are_ours(tmp_path):
    simulate(tmp_path / "demo")
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        "events.parquet",
        "campaigns.parquet",
        "labels.parquet",
    }


def test_the_same_seed_writes_the_same_files(tmp_path):
    for folder in ("one", "two"):
        simulate(tmp_path / folder, "--format", "sendgrid", "--seed", "3")
    files = [{path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("one", "two")]
    assert files[0] == files[1]


def test_an_unknown_format_is_one_line_with_the_known_ones_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["clicksift", "simulate", str(tmp_path / "demo"), "--format", "sendgird"])
    with pytest.raises(SystemExit) as ended:
        clicksift.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said == (
        "clicksift: --format sendgird: there is no such format to write; known: "
        "gophish, mailgun, nginx, postmark, sendgrid, ses\n"
    )
    assert not (tmp_path / "demo").exists()


def test_the_help_names_every_format():
    shown = CliRunner().invoke(clicksift.app, ["simulate", "--help"], terminal_width=100).output
    assert all(re.search(rf"\b{name}\b", shown) for name in FORMATS)
