"""`clicksift evaluate`: the model and the rules on labelled files."""

import csv
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import clicksift
from serving.baselines import RULES
from serving.model import bundled
from tests.serving.scored_files import small_sender


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    """A folder with events, campaigns and labels of a simulated sender."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(2, messages=300).write(folder)
    return folder


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """The project key lands there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["clicksift", *map(str, arguments), "--threads", "1"])
        with pytest.raises(SystemExit) as ended:
            clicksift.main()
        return ended.value.code, *capsys.readouterr()

    return run


def test_the_model_and_every_rule_are_shown_and_written(run, sender):
    labels = sender / "labels.parquet"
    code, stdout, stderr = run(
        *("evaluate", "bundled", sender / "events.parquet", "--labels", labels),
        *("--campaigns", sender / "campaigns.parquet", "--output", "out/figures.csv"),
    )
    assert (code, stderr) == (0, "")
    types = pq.read_table(sender / "events.parquet", columns=["event_type"])["event_type"].to_pylist()
    opens, clicks = types.count("open"), types.count("click")
    assert stdout.startswith(f"Labelled are {opens:,} of {opens:,} opens, {clicks:,} of {clicks:,} clicks")
    assert f"Model {bundled().version} on these events" in stdout
    assert "\nOpens: " in stdout
    assert "\nClicks: " in stdout
    assert stdout.splitlines()[-1] == "The figures are in out/figures.csv."
    tables = stdout[stdout.index("\nOpens: ") : stdout.index("Lost and found are")]
    assert max(map(len, tables.splitlines())) <= 100
    with Path("out/figures.csv").open() as file:
        names = {row["name"] for row in csv.DictReader(file) if row["kind"] == "clicked"}
    assert names == {"clicksift", *(rule.name for rule in RULES)}


def test_labels_of_some_events_measure_those(run, sender):
    labels = pq.read_table(sender / "labels.parquet")
    pq.write_table(labels.slice(0, 40), "some.parquet")
    code, stdout, _ = run("evaluate", "bundled", sender / "events.parquet", "--labels", "some.parquet")
    assert code == 0
    people = 40 - sum(labels["automated"].to_pylist()[:40])
    assert f": {people} as people's, {40 - people} as machines'." in stdout


def test_a_model_directory_is_taken(run, sender):
    bundled().save(Path("model"))
    code, stdout, _ = run("evaluate", "model", sender / "events.parquet", "--labels", sender / "labels.parquet")
    assert code == 0
    assert f"Model {bundled().version}" in stdout


def test_people_alone_can_be_measured(run, sender):
    labels = pq.read_table(sender / "labels.parquet")
    pq.write_table(labels.filter([not automated for automated in labels["automated"].to_pylist()]), "people.parquet")
    code, stdout, _ = run("evaluate", "bundled", sender / "events.parquet", "--labels", "people.parquet")
    assert code == 0
    assert "by people, 0 by machines" in stdout
    assert "nan" not in stdout


def labels_of_others():
    Path("labels.csv").write_text("event_id,automated\nnobody,true\n")


REFUSED = {
    "no model": (["absent", "EVENTS", "--labels", "LABELS"], "absent: manifest.json: cannot be read"),
    "no labels": (["bundled", "EVENTS", "--labels", "absent.csv"], "absent.csv"),
    "labels of other events": (["bundled", "EVENTS", "--labels", "labels.csv"], "labels: none is about an open, click"),
    "no CSV": (
        ["bundled", "EVENTS", "--labels", "LABELS", "-o", "f.json"],
        "figures are written as CSV; name it f.csv",
    ),
    "output is read": (["bundled", "EVENTS", "--labels", "labels.csv", "-o", "labels.csv"], "labels.csv is also read"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_line_and_exit_code_2(run, sender, arguments, words):
    labels_of_others()
    paths = {"EVENTS": sender / "events.parquet", "LABELS": sender / "labels.parquet"}
    code, stdout, stderr = run("evaluate", *(paths.get(argument, argument) for argument in arguments))
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1
