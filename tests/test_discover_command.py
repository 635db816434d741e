"""`clicksift discover`: what it prints and writes, and how look-ups follow once the file is taken as a list."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.reference_copy import VARIABLE
from training.discover_output import COLUMNS
from training.simulation import simulate

COMMAND = Path(sys.executable).with_name("clicksift")
# A world whose largest scanners sit in no list.
SEED, MESSAGES = 940_009, 1_500


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    """A folder with events and campaigns of a simulated sender."""
    folder = tmp_path_factory.mktemp("sender")
    simulate(SEED, MESSAGES).write(folder)
    return folder


@pytest.fixture
def run(in_process):
    """The command, in this process."""
    return in_process


def in_a_process_of_its_own(*arguments, **environment):
    command = [str(COMMAND), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=os.environ | environment
    )


def rows(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_found_is_shown_written_taken_as_a_list_seen_by_features_and_found_again(run, sender):
    events, campaigns = sender / "events.parquet", ("--campaigns", sender / "campaigns.parquet", "--threads", "1")
    code, stdout, stderr = run("discover", events, *campaigns, "--output", "networks.csv")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("Like a scanner, and in no list (")
    assert max(map(len, stdout.splitlines()[:-1])) <= 100
    assert stdout.splitlines()[-1].startswith("They are in networks.csv. Look through it; clicksift reference update")
    written = rows("networks.csv")
    assert tuple(written[0]) == COLUMNS
    prefixes = {row["cidr"] for row in written if row["cidr"]}
    assert prefixes

    code, stdout, stderr = run("reference", "update", "networks.csv", "--into", "copy")
    assert (code, stderr) == (0, "")
    assert stdout.startswith("suspected-networks: ")
    day = max(row["source_date"] for row in written)
    assert f"of {day}, from networks.csv." in stdout.splitlines()[0]

    again = in_a_process_of_its_own("discover", events, *campaigns, "-o", "again.csv", **{VARIABLE: "copy"})
    assert (again.returncode, again.stderr) == (0, "")
    assert {row["cidr"] for row in rows("again.csv") if row["cidr"]} == prefixes
    scored = in_a_process_of_its_own("score", events, *campaigns, "-o", "scored.parquet", **{VARIABLE: "copy"})
    assert (scored.returncode, scored.stderr) == (0, "")
    versions = json.loads(pq.read_schema("scored.parquet").metadata[b"clicksift_reference"])
    assert versions["networks"].endswith(f"+suspected-networks {day}")
    reasons = pq.read_table("scored.parquet", columns=["reasons"])["reasons"].to_pylist()
    assert any(f"range as seen in request logs (suspected scanner, {day})" in (said or "") for said in reasons)


REFUSED = {
    "no CSV": (["EVENTS", "-o", "networks.json"], "networks are written as CSV; name it networks.csv"),
    "output is read": (["events.csv", "-o", "events.csv"], "events.csv is also read"),
    "no model": (["EVENTS", "--model", "absent"], "absent: manifest.json: cannot be read"),
    "nothing to group by": (["EVENTS", "--capabilities", "links"], "nothing can be grouped"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_line_and_exit_code_2(run, sender, arguments, words):
    Path("events.csv").write_text("event_id,event,timestamp,message_id\n1,click,2026-03-02T08:00:00Z,m\n")
    paths = {"EVENTS": sender / "events.parquet"}
    code, stdout, stderr = run("discover", *(paths.get(argument, argument) for argument in arguments))
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1
