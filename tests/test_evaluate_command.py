"""`clicksift evaluate`: the model and the rules on labelled files."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from serving.baselines import RULES
from serving.model import bundled
from tests.serving.scored_files import small_sender


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    """A folder with events, campaigns and labels of a simulated sender."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(2, messages=300).write(folder)
    return folder


@pytest.fixture
def run(in_process):
    """The command on one thread."""
    return lambda *arguments: in_process(*arguments, "--threads", "1")


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
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows if row["kind"] == "clicked"} == {"clicksift", *(rule.name for rule in RULES)}
    slices = [row for row in rows if row["dimension"]]
    assert {row["name"] for row in slices} == {"clicksift"}
    of_hosts = [row for row in slices if row["dimension"] == "mailbox host"]
    labelled = pq.read_table(labels)["automated"].to_pylist()
    assert sum(int(row["human"]) for row in of_hosts) == labelled.count(False)
    assert sum(int(row["automated"]) for row in of_hosts) == labelled.count(True)


def test_recall_at_each_loss_the_calibration_and_the_groups_are_shown(run, sender):
    code, stdout, _ = run("evaluate", "bundled", sender / "events.parquet", "--labels", sender / "labels.parquet")
    assert code == 0
    words = [" ".join(line.split()) for line in stdout.splitlines()]
    assert "events 0.1% lost 0.5% lost 1.0% lost ECE" in words
    assert any(line.startswith("Events are grouped into organisations: ") for line in words)


def test_pictures_are_written_to_the_folder(run, sender):
    code, stdout, stderr = run(
        *("evaluate", "bundled", sender / "events.parquet", "--labels", sender / "labels.parquet"),
        *("--plots", "out/plots"),
    )
    assert (code, stderr) == (0, "")
    assert stdout.splitlines()[-1] == "The pictures are in out/plots."
    assert sorted(path.name for path in Path("out/plots").iterdir()) == ["recall.svg", "reliability.svg"]


def test_events_without_domains_are_said_to_be_grouped_by_recipient(run, sender):
    events = pq.read_table(sender / "events.parquet").drop_columns(["recipient_domain"])
    pq.write_table(events, "events.parquet")
    code, stdout, _ = run("evaluate", "bundled", "events.parquet", "--labels", sender / "labels.parquet")
    assert code == 0
    assert "by recipient, since no domain is given." in stdout


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
    "pictures among events": (["bundled", "FOLDER", "--labels", "LABELS", "--plots", "FOLDER"], "a folder of events"),
    "output is read": (["bundled", "EVENTS", "--labels", "labels.csv", "-o", "labels.csv"], "labels.csv is also read"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_one_line_and_exit_code_2(run, sender, arguments, words):
    labels_of_others()
    paths = {"EVENTS": sender / "events.parquet", "LABELS": sender / "labels.parquet", "FOLDER": sender}
    code, stdout, stderr = run("evaluate", *(paths.get(argument, argument) for argument in arguments))
    assert (code, stdout) == (2, "")
    assert words in stderr
    assert stderr.count("\n") == 1
