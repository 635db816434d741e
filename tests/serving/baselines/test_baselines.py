"""What holds for every rule, whatever the events."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.baselines import RULES, make_tables, verdicts
from tests.features.event_tables import HOME, SCANNER, START, event, link, tables
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, GMAIL_PREFETCH, MPP, PERSON, TRAP, WITH_TRAP
from tests.serving.baselines.cases import judged as judged_by

EVENTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["opened", "clicked", "unsubscribed", "delivered"]),
        "seconds": st.sampled_from([-1, 0, 0.05, 1, 1.5, 3, 8, 20, 70, 700, 90_000]),
        "url": st.sampled_from([None, TRAP, *map(link, range(4))]),
        "ip": st.sampled_from([None, HOME, SCANNER, "35.157.190.225", "2a01:111:f400::1"]),
        "user_agent": st.sampled_from([None, MPP, BROWSER, GMAIL_PREFETCH, "curl/8.0", "Java/17", "securitybot"]),
        "delivered_at": st.sampled_from([None, START]),
        "recipient_id": st.sampled_from([None, "r1", "r2"]),
        "campaign_id": st.sampled_from([None, "spring", "autumn"]),
        "platform_machine": st.sampled_from([None, True, False]),
        "ts_precision": st.sampled_from(["s", "us"]),
    }
)


def said_by_all(events, capabilities=EVERYTHING, context=()):
    """Rule name -> (event_row, machine, reason) rows; the tables are made once for all rules."""
    con = tables(events, WITH_TRAP, context)
    make_tables(con, capabilities)
    return {rule.name: [tuple(row.values()) for row in verdicts(con, rule).to_pylist()] for rule in RULES}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS, min_size=1, max_size=20), st.sets(st.sampled_from(sorted(EVERYTHING))))
def test_every_rule_gives_a_row_a_judged_event_and_a_reason_for_each_machine(rows, capabilities):
    events = [event(**row) for row in rows]
    judged = [record for record, row in enumerate(rows, 1) if row["kind"] != "delivered"]
    for name, said in said_by_all(events, frozenset(capabilities)).items():
        assert [row for row, _, _ in said] == judged, name
        assert all((machine is True) == bool(reason) for _, machine, reason in said), name


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS, min_size=1, max_size=12, unique_by=lambda row: row["seconds"]))
def test_the_order_of_the_file_does_not_matter(rows):
    """Of events at different times: which of two at one time came first nobody knows."""
    events = [event(**row) for row in rows]
    forward, backward = said_by_all(events), said_by_all(events[::-1])
    for name, said in forward.items():
        assert [row[1:] for row in said] == [row[1:] for row in reversed(backward[name])], name


def test_context_is_looked_at_and_not_judged():
    before = [event("clicked", second, url=link(second)) for second in (1, 2)]
    today = [event("clicked", 3, url=link(3))]
    assert judged_by("twenty", today, context=before) == ["burst of links"]
    assert judged_by("twenty", today) == [PERSON]


def test_names_are_unique_and_say_where_a_rule_is_in_use():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.title and rule.source and rule.settings for rule in RULES)


# Few rules look at unsubscribes, so that the others must not be counted as having called them people's.
JUDGES_UNSUBSCRIBES = {
    *("notifuse", "velocity", "honeypot", "honeypot-same-ip", "platform-flag"),
    *("all-human", "all-machine", "within-10-s", "data-centre"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rules_abstain_on_unsubscribes_unless_they_look_at_them(rule):
    left = event("unsubscribed", 30, user_agent=BROWSER, ip=HOME, platform_machine=False)
    [said] = judged_by(rule.name, [left], campaigns=WITH_TRAP)
    assert (said is not ABSTAINS) == (rule.name in JUDGES_UNSUBSCRIBES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_calm_person_at_home_is_lost_by_no_rule_but_the_one_that_calls_all_machines(rule):
    read = event("opened", 3_600, user_agent=BROWSER, ip=HOME, platform_machine=False)
    followed = event("clicked", 3_690, user_agent=BROWSER, ip=HOME, url=link(1), platform_machine=False)
    said = set(judged_by(rule.name, [read, followed], campaigns=WITH_TRAP))
    assert said == {"everything"} if rule.name == "all-machine" else said <= {PERSON, ABSTAINS}
