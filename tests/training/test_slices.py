"""Slices: which event is in which, and which of them are worse than the whole."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from features.feature import CAPABILITIES
from serving.model import Thresholds
from tests.features.event_tables import CHROME, HOME, NOBODY, SCANNER, clicked, event, link, opened, tables
from tests.training.labelled_rows import rows
from training.dataset import labelled
from training.evaluate import evaluate
from training.slices import FEWEST_EVENTS, MOST_SHOWN, slice_columns, slice_figures, slice_table, worst_first

AT = Thresholds(automated=0.8, human=0.4, allowance=0.01, basis="test")
THRESHOLDS = dict.fromkeys(("opened", "clicked", "unsubscribed"), AT)
DESKTOP = CHROME.format(140)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
    " Mobile/15E148 Safari/604.1"
)


def labelled_tables(events, campaigns=(), domains=()):
    """A connection with (event, automated) pairs as labelled events, and (domain, mx) as the table of domains."""
    con = tables([row for row, _ in events], campaigns)
    con.execute(
        "CREATE TEMP TABLE labels (event_id VARCHAR, raw_ref VARCHAR, automated BOOLEAN, source VARCHAR, weight DOUBLE)"
    )
    for record, (_, automated) in enumerate(events, 1):
        if automated is not None:
            con.execute("INSERT INTO labels VALUES (?, NULL, ?, 'a test', NULL)", [f"e0-{record}", automated])
    if domains:
        con.execute("CREATE TEMP TABLE domains (recipient_domain VARCHAR, mx VARCHAR)")
        con.executemany("INSERT INTO domains VALUES (?, ?)", domains)
    return con


def sliced(events, campaigns=(), domains=(), capabilities=frozenset(CAPABILITIES)):
    """Each dimension's values, in the order of the labelled events."""
    con = labelled_tables(events, campaigns, domains)
    data = labelled(con, capabilities)
    found = slice_columns(con)
    assert len(found) == len(data)
    return found.to_pydict()


def test_every_event_is_told_by_evidence_device_host_and_hour():
    found = sliced(
        [
            (event("delivered", 0), None),
            (opened(60, ip=HOME, user_agent=PHONE, recipient_domain="gmail.com", recipient_id="r2"), False),
            (clicked(90, ip=SCANNER, user_agent=DESKTOP, url=link(1)), True),
            (clicked(91, ip=SCANNER, user_agent=DESKTOP, url=link(2)), None),
            (clicked(5 * 3_600, ip=NOBODY, url=link(1), recipient_domain=None), False),
            (clicked(16 * 3_600, url=link(2), source="sendgrid"), True),
        ]
    )
    assert found == {
        "vendor": ["not known", "microsoft", "not known", "not known"],
        "actor": ["human", "security scanner", "human", "security scanner"],
        "event type": ["opened", "clicked", "clicked", "clicked"],
        "device": ["phone", "desktop", "not known", "not known"],
        "platform": ["generic", "generic", "generic", "sendgrid"],
        "mailbox host": ["gmail", "own domain", "not known", "own domain"],
        "network": ["mobile or isp", "mail security", "not listed", "no address"],
        "links of the mail": ["several"] * 4,
        # The deliveries are at nine o'clock.
        "hour": ["08-12 h UTC", "08-12 h UTC", "12-16 h UTC", "00-04 h UTC"],
    }


def test_a_persons_event_from_a_scanners_network_counts_for_its_vendor():
    found = sliced([(clicked(90, ip=SCANNER, url=link(1)), False)])
    assert (found["vendor"], found["actor"]) == (["microsoft"], ["human"])


def test_the_hosts_of_domains_come_from_their_mail_exchangers_where_they_are_given():
    events = [(clicked(9, url=link(1), recipient_domain=domain), False) for domain in ("acme.example", "b.example")]
    mx = [("acme.example", "10 acme-example.mail.protection.outlook.com."), ("c.example", "mx.c.example")]
    assert sliced(events, domains=mx)["mailbox host"] == ["microsoft365", "own domain"]


@pytest.mark.parametrize(
    ("n_links", "urls", "links"),
    [
        pytest.param(1, [link(1), link(1)], "one", id="the campaign table says one"),
        pytest.param(2, [link(1), link(1)], "several", id="the campaign table says two, one is clicked"),
        pytest.param(None, [link(1), link(1)], "one", id="one is seen"),
        pytest.param(None, [link(1), link(2)], "several", id="two are seen"),
        pytest.param(None, [link(1), link("trap")], "one", id="the hidden link is none"),
        pytest.param(None, [None, None], "not known", id="no link is given"),
    ],
)
def test_a_mail_of_one_link_is_told_by_the_campaign_or_what_is_clicked_in_it(n_links, urls, links):
    campaign = {"campaign_id": "spring", "n_links": n_links, "honeypot_url": link("trap")}
    events = [(clicked(9 + n, url=url, message_id=f"m{n}"), False) for n, url in enumerate(urls)]
    assert sliced(events, [campaign])["links of the mail"] == [links] * len(events)


def test_what_is_not_trusted_is_not_known():
    found = sliced([(clicked(90, ip=SCANNER, user_agent=DESKTOP, url=link(1)), True)], capabilities=frozenset())
    assert (found["vendor"], found["device"], found["network"]) == (["not known"], ["not known"], ["no address"])
    assert found["links of the mail"] == ["not known"]


# Figures


def events_of(*groups):
    """Rows of (slice, y, probability, how many), each event of an organisation of its own."""
    name, y, probability, n = (list(column) for column in zip(*groups, strict=True))
    return rows(np.repeat(y, n)), np.repeat(probability, n), pa.table({"by": np.repeat(name, n).tolist()})


def test_shares_are_of_the_slice_with_its_counts():
    data, probability, columns = events_of(
        ("a", 0, 0.1, 90), ("a", 0, 0.9, 10), ("a", 1, 0.9, 30), ("a", 1, 0.5, 10), ("b", 1, 0.99, 60)
    )
    a, b = slice_figures(data, probability, THRESHOLDS, columns)
    assert (a.dimension, a.name, a.human, a.automated) == ("by", "a", 100, 40)
    assert (a.loss.value, a.recall.value, a.unsure.value) == (0.1, 0.75, 10 / 140)
    assert (b.name, b.human, b.automated, b.recall.value) == ("b", 0, 60, 1.0)
    assert math.isnan(b.loss.value)


def test_a_slice_of_everything_has_the_figures_of_everything_and_is_no_worse():
    data, probability, columns = events_of(("a", 0, 0.1, 90), ("a", 0, 0.9, 10), ("a", 1, 0.9, 30), ("a", 1, 0.5, 10))
    [found] = slice_figures(data, probability, THRESHOLDS, columns)
    figures = evaluate(data, probability, THRESHOLDS)["all"]
    assert (found.loss, found.recall, found.unsure) == (figures.loss, figures.recall, figures.unsure_all)
    assert found.worse == ()


def test_fewer_than_thirty_events_of_a_class_show_no_share_of_it():
    data, probability, columns = events_of(("a", 0, 0.1, FEWEST_EVENTS - 1), ("a", 1, 0.9, FEWEST_EVENTS))
    [found] = slice_figures(data, probability, THRESHOLDS, columns)
    assert math.isnan(found.loss.value)
    assert (found.recall.value, found.unsure.value) == (1.0, 0.0)


def test_few_organisations_have_no_interval_and_are_never_worse():
    data, probability, columns = events_of(("good", 1, 0.99, 500), ("bad", 1, 0.1, 40))
    of_few, of_five = (
        rows(data.y, organisation=np.where(np.arange(540) < 500, np.arange(540), 1_000 + np.arange(540) % n))
        for n in (4, 5)
    )
    bad, _ = slice_figures(of_few, probability, THRESHOLDS, columns)
    assert (bad.recall.value, bad.worse) == (0.0, ())
    assert math.isnan(bad.recall.low)
    bad, _ = slice_figures(of_five, probability, THRESHOLDS, columns)
    assert (bad.recall.high, bad.worse) == (0.0, ("recall",))


@pytest.mark.parametrize(
    ("slices", "worse"),
    [
        pytest.param([(0, 0.9, 20), (0, 0.1, 80)], {"loss"}, id="20 of 100 people lost, of all 2 %"),
        pytest.param([(0, 0.9, 1), (0, 0.1, 99)], set(), id="1 of 100 lost may be chance"),
        pytest.param([(1, 0.1, 20), (1, 0.9, 80)], {"recall"}, id="20 of 100 machines not found"),
        pytest.param([(0, 0.5, 20), (0, 0.1, 80)], {"unsure"}, id="20 of 100 unsure"),
        pytest.param([(0, 0.1, 100), (1, 0.9, 100)], set(), id="better than the whole"),
    ],
)
def test_a_slice_is_worse_where_chance_does_not_explain_it(slices, worse):
    data, probability, columns = events_of(
        *(("here", *one) for one in slices),
        ("rest", 0, 0.1, 995),
        ("rest", 0, 0.9, 5),
        ("rest", 1, 0.9, 995),
        ("rest", 1, 0.1, 5),
    )
    here, rest = slice_figures(data, probability, THRESHOLDS, columns, repeats=400)
    assert set(here.worse) == worse
    assert rest.worse == ()


def test_a_difference_of_no_use_is_not_worse_however_sure():
    # Of 100,000 machines 99.5 % are found, of the half with all misses 99.0 %: half a point.
    columns = pa.table({"by": ["a"] * 50_000 + ["b"] * 50_000})
    probability = np.where(np.arange(100_000) < 500, 0.1, 0.9)
    a, b = slice_figures(rows(np.ones(100_000)), probability, THRESHOLDS, columns, repeats=50)
    assert a.recall.high < b.recall.low
    assert (a.worse, b.worse) == ((), ())


def test_null_is_no_slice_and_no_events_have_none():
    data, probability = rows([1] * 80), np.full(80, 0.9)
    [found] = slice_figures(data, probability, THRESHOLDS, pa.table({"by": ["a"] * 40 + [None] * 40}))
    assert (found.name, found.automated) == ("a", 40)
    assert slice_figures(rows([]), np.empty(0), THRESHOLDS, pa.table({"by": pa.array([], pa.string())})) == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_the_events_of_all_slices_of_a_dimension_are_all_events(seed, organisations):
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 300)
    data = rows(y, organisation=random.integers(0, organisations, 300))
    probability = random.random(300)
    columns = pa.table({"by": random.choice(["a", "b", "c"], 300).tolist(), "once": ["x"] * 300})
    found = slice_figures(data, probability, THRESHOLDS, columns, repeats=20)
    for dimension in ("by", "once"):
        of = [one for one in found if one.dimension == dimension]
        assert sum(one.human for one in of) == (y == 0).sum()
        assert sum(one.automated for one in of) == y.sum()
        found_machines = sum(one.recall.value * one.automated for one in of if one.automated >= FEWEST_EVENTS)
        if all(one.automated >= FEWEST_EVENTS for one in of):
            assert found_machines == pytest.approx(((probability >= 0.8) & (y == 1)).sum())


# What is shown


def many_slices(n):
    """n slices that find fewer machines, the later the fewer, one that loses people, and a large one that does well."""
    groups = [(f"s{k:02d}", 1, at, events) for k in range(n) for at, events in ((0.9, 80 - k), (0.1, 20 + k))]
    data, probability, columns = events_of(
        *groups, ("loses", 0, 0.9, 50), ("well", 0, 0.1, 1_000), ("well", 1, 0.9, 9_000)
    )
    return slice_figures(data, probability, THRESHOLDS, columns, repeats=100)


def shown(slices):
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(slice_table(slices))
    return capture.get()


def test_the_worst_come_first_those_that_lose_people_before_those_that_find_fewer_machines():
    assert [one.name for one in worst_first(many_slices(3))] == ["loses", "s02", "s01", "s00"]


def test_the_table_has_the_worst_and_says_how_many_more_there_are():
    text = shown(many_slices(13))
    assert "by: loses" in text
    assert "well" not in text
    assert text.count("by: ") == MOST_SHOWN
    assert "and 2 more" in text
    assert "more" not in shown(many_slices(3))


def test_nothing_is_shown_where_no_slice_is_worse():
    data, probability, columns = events_of(("a", 0, 0.1, 90), ("b", 1, 0.9, 90))
    assert slice_table(slice_figures(data, probability, THRESHOLDS, columns)) is None


def test_a_row_of_a_slice_is_plain_json():
    data, probability, columns = events_of(("a", 1, 0.1, 40), ("b", 1, 0.9, 400))
    row = json.loads(json.dumps(slice_figures(data, probability, THRESHOLDS, columns)[0].row()))
    assert (row["dimension"], row["slice"], row["loss"], row["recall"]) == ("by", "a", None, 0.0)
    assert (row["human"], row["automated"], row["worse"]) == (0, 40, "recall")
