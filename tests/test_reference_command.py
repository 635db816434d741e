"""`clicksift reference`: what it prints, what it writes where, and how scores follow."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import clicksift
from features.operator_lists import LISTS
from features.reference_copy import VARIABLE
from tests.features import published_lists as published
from tests.serving.scored_files import small_sender

COMMAND = Path(sys.executable).with_name("clicksift")
PAGE = Path(__file__).parents[1] / "docs" / "reference.md"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Commands run in an empty folder with an empty home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)


def run(*arguments, **environment):
    """The installed command in a process of its own; the copy is looked for where a user's is."""
    variables = {name: value for name, value in os.environ.items() if name != VARIABLE} | environment
    command = [str(COMMAND), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=variables)


def test_update_writes_a_copy_which_list_shows_and_scores_tell():
    Path("ip-ranges.json").write_text(json.dumps(published.AWS))
    done = run("reference", "update", "ip-ranges.json")
    assert (done.returncode, done.stderr) == (0, "")
    folder = Path("home/.local/share/clicksift/reference").resolve()
    assert done.stdout.splitlines() == [
        "aws-ip-ranges: 3 rows of 2026-11-20, from ip-ranges.json.",
        f"Your copy is in {folder}; the packaged data is as it was.",
    ]
    listed = run("reference", "list").stdout.splitlines()
    assert listed[2].split()[:3] == ["aws-ip-ranges", "aws-ip-ranges.parquet", "2026-11-20"]
    assert listed[2].split()[-1] in {"yours", "old"}
    assert f"Your copy is in {folder}." in listed
    small_sender(2, messages=60).write(Path("sender"))
    for environment, known in [({}, "+aws-ip-ranges 2026-11-20"), ({VARIABLE: "packaged"}, "")]:
        scored = run("score", "sender/events.parquet", "--output", "scored.parquet", **environment)
        assert scored.returncode == 0
        versions = json.loads(pq.read_schema("scored.parquet").metadata[b"clicksift_reference"])
        assert versions["networks"] == f"2026-09{known}"
    Path(folder, "aws-ip-ranges.parquet").write_bytes(b"damaged")
    refused = run("score", "sender/events.parquet", "--output", "again.parquet")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"clicksift: {folder}/aws-ip-ranges.parquet: is not the file that")
    assert not Path("again.parquet").exists()


def test_without_a_copy_list_shows_the_packaged_data():
    listed = run("reference", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    lines = listed.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert "There is no copy of yours." in lines
    assert not any("yours" in line for line in lines[:-2])
    [line] = [line for line in lines if line.startswith("m365-endpoints")]
    assert line.split()[-2:] == ["packaged", "old"]


def test_the_copy_can_lie_elsewhere():
    Path("list.json").write_text(json.dumps(published.FASTLY))
    done = run("reference", "update", "list.json", "--into", "elsewhere", "--date", "2026-11-02")
    assert done.stdout.splitlines() == [
        "fastly-public-ip-list: 2 rows of 2026-11-02, from list.json.",
        "Your copy is in elsewhere; the packaged data is as it was."
        " It is not in use: set CLICKSIFT_REFERENCE=elsewhere",
    ]
    assert "fastly-public-ip-list.parquet" in run("reference", "list", CLICKSIFT_REFERENCE="elsewhere").stdout
    assert not Path("home").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.json"], "absent.json: cannot be read (No such file or directory); name a file or an address"),
        (
            ["http://example.com/x"],
            "http://example.com/x: addresses are fetched over https only; give an https address",
        ),
        (["absent.json", "--date", "yesterday"], "--date yesterday: is no day; write it as in 2026-11-20"),
        (["absent.json", "--list", "x"], "--list x: expected one of apple-applebot, "),
    ],
)
def test_what_is_refused_is_one_line(arguments, message):
    done = run("reference", "update", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"clicksift: {message}")
    assert len(done.stderr.splitlines()) == 1
    assert not Path("home").exists()


def test_every_command_has_an_example_to_paste():
    for command in clicksift.reference_app.registered_commands:
        assert f"Example: clicksift reference {command.name}" in (command.callback.__doc__ or "")


def test_the_page_names_every_list_its_publisher_and_where_it_is_published():
    page = PAGE.read_text()
    for one in LISTS:
        [row] = [line for line in page.splitlines() if f"`{one.name}`" in line and line.startswith("|")]
        assert one.publisher in row
        assert one.page in row


def test_the_page_names_every_option():
    options = set(re.findall(r"--[a-z]+", run("reference", "update", "--help", COLUMNS="100").stdout)) - {"--help"}
    assert options == {"--into", "--list", "--date", "--force"}
    assert all(f"`{option}" in PAGE.read_text() for option in options)
