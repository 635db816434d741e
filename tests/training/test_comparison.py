"""A model beside rules: shares, campaign errors, order, and what is written of them."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from rich.console import Console

from features.errors import InputError
from features.feature import CAPABILITIES
from serving.baselines import RULES
from serving.expected_people import Expectation
from serving.model import Thresholds, bundled
from tests.features.event_tables import clicked, event, link, opened, tables, unsubscribed
from tests.training.labelled_rows import CLICK, OPEN, UNSUBSCRIBE, rows
from training.comparison import (
    Judge,
    compare,
    comparison_tables,
    label_counts,
    model_judge,
    rule_judges,
    thresholds_of,
    write_figures,
)
from training.dataset import labelled
from training.evaluate import Figure, evaluate
from training.slices import SliceFigures

AT = Thresholds(automated=0.8, human=0.4, allowance=0.01, basis="test")
THRESHOLDS = dict.fromkeys(("opened", "clicked", "unsubscribed"), AT)
# An event counts as its probability says.
AS_THEY_ARE = dict.fromkeys(THRESHOLDS, Expectation(sharpness=1.0, below=0.0, above=0.0))
_NOT_KNOWN = Figure(math.nan, math.nan, math.nan)
MACHINE, PERSON, NOTHING = True, False, None


def judge(said, name="rule"):
    """A rule that says this of each event: MACHINE, PERSON or NOTHING."""
    machine = np.array([one is True for one in said])
    return Judge(name, "a title", "a system", "some", machine, np.array([one is None for one in said]), 1.0 - machine)


def test_shares_are_of_all_labelled_events_and_an_abstention_is_neither():
    data = rows([0, 0, 0, 0, 1, 1, 1, 1])
    said = [MACHINE, PERSON, NOTHING, PERSON, MACHINE, MACHINE, NOTHING, PERSON]
    [found] = compare(data, [judge(said)])
    assert (found.kind, found.human, found.automated) == ("clicked", 4, 4)
    assert (found.loss.value, found.recall.value, found.abstained.value) == (1 / 4, 2 / 4, 2 / 8)


def test_the_model_is_judged_like_the_rules_and_its_unsure_is_an_abstention():
    data, probability = rows([0, 0, 0, 1, 1, 1]), np.array([0.1, 0.5, 0.9, 0.3, 0.8, 0.4])
    [found] = compare(data, [model_judge("clicksift", data, probability, THRESHOLDS, AS_THEY_ARE)])
    figures = evaluate(data, probability, THRESHOLDS)["clicked"]
    assert (found.loss, found.recall, found.abstained) == (figures.loss, figures.recall, figures.unsure_all)


def test_kinds_are_apart_and_the_best_come_first_the_silent_last():
    data = rows([0, 1, 0, 1, 1], kind=[OPEN, OPEN, CLICK, CLICK, UNSUBSCRIBE])
    judges = [
        judge([MACHINE, MACHINE, NOTHING, NOTHING, NOTHING], "wild"),
        judge([PERSON, MACHINE, PERSON, MACHINE, MACHINE], "right"),
        judge([NOTHING, NOTHING, PERSON, PERSON, NOTHING], "calm"),
    ]
    found = [(one.kind, one.name, one.is_silent) for one in compare(data, judges)]
    assert found == [
        ("opened", "right", False),
        ("opened", "wild", False),
        ("opened", "calm", True),
        ("clicked", "right", False),
        ("clicked", "calm", False),
        ("clicked", "wild", True),
        ("unsubscribed", "right", False),
        ("unsubscribed", "wild", True),
        ("unsubscribed", "calm", True),
    ]


def campaigns_of(*campaigns):
    """A campaign is (people who clicked, lost of them, scanned without a click of theirs, kept of those)."""
    table = []
    for number, (people, lost, scanned, kept) in enumerate(campaigns):
        table += [(number, 0, one < lost) for one in range(people)]
        table += [(number, 1, one >= kept) for one in range(scanned)]
    campaign, y, machine = map(np.array, zip(*table, strict=True))
    return rows(y, campaign=campaign), judge(machine.tolist())


def test_campaign_errors_are_of_the_people_who_clicked_where_there_are_twenty():
    data, rule = campaigns_of((20, 2, 10, 0), (40, 0, 10, 10), (50, 10, 20, 15), (19, 19, 5, 5))
    [found] = compare(data, [rule])
    # 18 of 20, 50 of 40, 55 of 50; the fourth campaign is too small
    assert found.campaigns == 3
    assert found.median_error.value == pytest.approx(0.1)
    assert found.worst_error.value == pytest.approx(0.25)
    assert found.median_error.low <= found.median_error.value <= found.median_error.high
    assert found.worst_error.low <= found.worst_error.value <= found.worst_error.high


def test_a_recipient_counts_once_and_an_abstention_as_a_person():
    people, scanned = np.arange(20), np.arange(20, 25)
    # Each person has a click of a scanner's beside the own one; a scanner alone is called a machine or not judged.
    recipient = np.concatenate([people, people, scanned])
    data = rows([0] * 20 + [1] * 20 + [1] * 5, recipient=recipient)
    said = [PERSON] * 20 + [MACHINE] * 20 + [MACHINE] * 3 + [NOTHING] * 2
    [found] = compare(data, [judge(said)])
    assert found.median_error.value == pytest.approx(22 / 20 - 1)


def test_the_models_campaigns_count_its_probabilities():
    data = rows([0] * 20 + [1] * 10)
    probability = np.array([0.1] * 20 + [0.6] * 10)
    [found] = compare(data, [model_judge("m", data, probability, THRESHOLDS, AS_THEY_ARE)])
    assert found.median_error.value == pytest.approx((18 + 4) / 20 - 1)
    sharper = {**AS_THEY_ARE, "clicked": Expectation(sharpness=2.0, below=0, above=0)}
    [found] = compare(data, [model_judge("m", data, probability, THRESHOLDS, sharper)])
    clear, doubtful = 0.81 / (0.81 + 0.01), 0.16 / (0.16 + 0.36)
    assert found.median_error.value == pytest.approx(abs((20 * clear + 10 * doubtful) / 20 - 1))


def test_events_of_one_organisation_widen_the_interval_of_the_campaign_error():
    data, rule = campaigns_of((100, 20, 0, 0))
    together = rows(data.y, campaign=data.campaign, organisation=np.minimum(np.arange(100), 20), recipient=range(100))
    apart, grouped = (compare(one, [rule], repeats=400)[0].median_error for one in (data, together))
    assert apart.value == grouped.value
    assert grouped.high - grouped.low > 2 * (apart.high - apart.low)


def test_without_twenty_people_who_clicked_no_error_is_known():
    for data in (rows([0] * 19 + [1]), rows([0] * 30, kind=[OPEN] * 30)):
        [found] = compare(data, [judge([PERSON] * len(data))])
        assert found.campaigns == 0
        assert math.isnan(found.median_error.value)
        assert math.isnan(found.worst_error.value)


def test_the_same_seed_gives_the_same_intervals():
    data, rule = campaigns_of((30, 3, 10, 5))
    assert compare(data, [rule], seed=3) == compare(data, [rule], seed=3)


def test_labels_of_nothing_are_refused():
    with pytest.raises(InputError, match="labels: none is about an open, click or unsubscribe of the events"):
        compare(rows([]), [])


# From the events on a connection

EVENTS = [
    (event("delivered", 0), None),
    (opened(1, user_agent="Mozilla/5.0"), True),
    (clicked(90, url=link(1), user_agent="curl/8.0"), True),
    (clicked(95, url=link(1), user_agent="Opera/9.80"), False),
    (clicked(96, url=link(2), user_agent="Opera/9.80"), None),
    (unsubscribed(99, user_agent="Opera/9.80"), False),
]


@pytest.fixture
def con():
    """The events above with their labels."""
    con = tables([row for row, _ in EVENTS])
    con.execute(
        "CREATE TEMP TABLE labels (event_id VARCHAR, raw_ref VARCHAR, automated BOOLEAN, source VARCHAR, weight DOUBLE)"
    )
    for record, (_, automated) in enumerate(EVENTS, 1):
        if automated is not None:
            con.execute("INSERT INTO labels VALUES (?, NULL, ?, 'a test', NULL)", [f"e0-{record}", automated])
    return con


def test_rules_judge_the_labelled_events_in_the_order_of_the_data(con):
    data = labelled(con, frozenset(CAPABILITIES))
    assert data.y.tolist() == [1, 1, 0, 0]
    steps = []
    found = {one.name: one for one in rule_judges(con, frozenset(CAPABILITIES), progress=steps.append)}
    assert list(found) == [rule.name for rule in RULES]
    assert steps[0] == "the rule gocheck"
    assert found["millionsend-5"].machine.tolist() == [True, True, False, False]
    assert found["millionsend-5"].abstains.tolist() == [False, False, False, True]
    assert found["odoo"].machine.tolist() == [False, True, False, False]
    assert found["odoo"].abstains.tolist() == [True, False, False, True]
    assert found["odoo"].human.tolist() == [1, 0, 1, 1]
    assert len(compare(data, found.values())) == 3 * len(RULES)


def test_how_many_are_labelled_is_said(con):
    data = labelled(con, frozenset(CAPABILITIES))
    assert label_counts(con, data) == (
        "Labelled are 1 of 1 opens, 2 of 3 clicks, 1 of 1 unsubscribes: 2 as people's, 2 as machines'."
    )


# What is shown and written


def judgements():
    kinds = [OPEN] * 4 + [CLICK] * 60
    data = rows([0, 0, 1, 1] + [0] * 40 + [1] * 20, kind=kinds)
    rules = [judge([NOTHING] * 4 + [PERSON] * 60, "silent on opens"), judge([MACHINE] * 64, "wild")]
    ours = judge([PERSON, PERSON, MACHINE, MACHINE] + [PERSON] * 40 + [MACHINE] * 20, "ours")
    return compare(data, [*rules, ours])


def shown(**options):
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        for table in comparison_tables(judgements(), model="ours", **options):
            console.print(table)
    return capture.get()


def test_tables_have_the_model_among_the_rules():
    text = shown()
    assert [" ".join(line.split()) for line in text.splitlines() if line.strip(" ─")] == [
        "Opens: 2 by people, 2 by machines",
        "judge people lost machines found abstains",
        "ours 0.00% [0, 0] 100.00% [100, 100] 0.0%",
        "wild 100.00% [100, 100] 100.00% [100, 100] 0.0%",
        "Abstain on all of these: silent on opens",
        "Clicks: 40 by people, 20 by machines",
        "judge people lost machines found abstains campaigns off by worst",
        "ours 0.00% [0, 0] 100.00% [100, 100] 0.0% 0.00% [0, 0] 0%",
        "silent on opens 0.00% [0, 0] 0.00% [0, 0] 0.0% 50.00% [30, 82] 50%",
        "wild 100.00% [100, 100] 100.00% [100, 100] 0.0% 100.00% [100, 100] 100%",
    ]


def test_the_best_rules_alone_can_be_shown_and_the_model_always_is():
    text = shown(best=1)
    assert text.count("ours") == 2
    assert "wild" not in text.split("Clicks")[1]


def test_figures_are_written_a_row_a_judge_and_kind(tmp_path):
    write_figures(tmp_path / "figures.csv", judgements(), "ours", {})
    with (tmp_path / "figures.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [(row["kind"], row["name"]) for row in found] == [(one.kind, one.name) for one in judgements()]
    best = next(row for row in found if (row["kind"], row["name"]) == ("clicked", "wild"))
    assert {name: best[name] for name in ("human", "automated", "loss", "loss_low", "recall", "abstained")} == {
        "human": "40",
        "automated": "20",
        "loss": "1",
        "loss_low": "1",
        "recall": "1",
        "abstained": "0",
    }
    assert (best["median_error"], best["campaigns"], best["auc"]) == ("1", "1", "")
    assert found[0]["median_error"] == ""  # opens have none


def test_the_model_has_its_ranking_and_calibration_written(tmp_path):
    data, probability = rows([0, 0, 1, 1]), np.array([0.1, 0.2, 0.9, 1.0])
    ours = model_judge("ours", data, probability, THRESHOLDS, AS_THEY_ARE)
    figures = evaluate(data, probability, THRESHOLDS)
    write_figures(tmp_path / "figures.csv", compare(data, [ours, judge([PERSON] * 4)]), "ours", figures)
    with (tmp_path / "figures.csv").open() as file:
        found = {
            row["name"]: (row["auc"], row["calibration_error"], row["recall_at_loss_0.005"])
            for row in csv.DictReader(file)
        }
    assert found == {"ours": ("1", "0.1", "1"), "rule": ("", "", "")}


def test_slices_are_rows_of_the_model_with_what_is_not_known_left_empty(tmp_path):
    found = SliceFigures("vendor", "cisco", 3, 40, _NOT_KNOWN, Figure(0.5, 0.4, 0.6), Figure(0.1, 0, 0.2), ("recall",))
    write_figures(tmp_path / "figures.csv", judgements(), "ours", {}, [found])
    with (tmp_path / "figures.csv").open() as file:
        *others, row = csv.DictReader(file)
    assert {name: text for name, text in row.items() if text} == {
        "name": "ours",
        "kind": "all",
        "human": "3",
        "automated": "40",
        "recall": "0.5",
        "recall_low": "0.4",
        "recall_high": "0.6",
        "abstained": "0.1",
        "abstained_low": "0",
        "abstained_high": "0.2",
        "dimension": "vendor",
        "slice": "cisco",
        "worse": "recall",
    }
    assert {other["dimension"] for other in others} == {""}


def test_the_thresholds_are_those_that_score_judges_a_file_by_that_lacks_addresses():
    model = bundled()
    lacking = frozenset(CAPABILITIES) - {"address"}
    assert thresholds_of(model, lacking)["opened"] == model.thresholds["opened without address"]
    assert thresholds_of(model)["opened"] == model.thresholds["opened"]
