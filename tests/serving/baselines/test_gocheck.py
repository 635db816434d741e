import pytest

from tests.features.event_tables import DATA_CENTRE, HOME, NOBODY, SCANNER, clicked, link, opened, unsubscribed
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, PERSON, check, judged


def person(kind, seconds, **columns):
    return kind(seconds, **{"user_agent": BROWSER, "ip": HOME, **columns})


@pytest.mark.parametrize(
    ("events", "said"),
    [
        pytest.param([person(opened, 1.9)], "timing", id="an open at once"),
        pytest.param([person(opened, 9.9)], "timing", id="an open within 10 s"),
        pytest.param([person(opened, 10)], PERSON, id="an open later"),
        pytest.param([person(opened, -60)], "timing", id="an open before the delivery is at once"),
        pytest.param([person(clicked, 1)], PERSON, id="a click that comes first has no open to be measured from"),
        pytest.param([person(opened, 1, delivered_at=None)], PERSON, id="no delivery: 10 points"),
        pytest.param([person(opened, 100), person(clicked, 100.9)], "timing", id="a click 1 s after the open"),
        pytest.param([person(opened, 100), person(clicked, 102.9)], PERSON, id="40 points, and no machine yet"),
        pytest.param(
            [person(opened, 100), person(clicked, 102.9, user_agent="x"), person(opened, 99, user_agent="Odd client")],
            PERSON,
            id="100 - 40 - 25 + 10",
        ),
        pytest.param([person(clicked, 100), person(clicked, 102.1)], PERSON, id="clicks 2 s apart: 20 points"),
        pytest.param([person(opened, 100), person(opened, 100)], "timing", id="two opens at one time"),
        pytest.param([person(opened, 100), person(opened, 101.9)], PERSON, id="an open repeated within 2 s is dropped"),
        pytest.param([person(opened, 100 + 4 * n) for n in range(4)], "timing", id="three gaps of 4 s between opens"),
        pytest.param([person(opened, 100 + 4 * n) for n in range(3)], PERSON, id="two gaps are too few"),
        pytest.param([person(opened, 100 + 5 * n) for n in range(4)], PERSON, id="gaps of 5 s are too long"),
        pytest.param([person(opened, 100, ip=SCANNER)], "cloud", id="Microsoft, person or not"),
        pytest.param([person(opened, 100, ip="148.163.128.5")], "security_scanner", id="a security firm"),
        pytest.param([person(opened, 100, ip=DATA_CENTRE)], "cloud", id="Amazon"),
        pytest.param([person(opened, 100, ip="51.38.1.1")], "cloud", id="OVH by its name"),
        pytest.param([person(opened, 100, ip="95.216.1.1")], "score 25", id="a hoster: 100 - 75"),
        pytest.param([person(opened, 100, ip=NOBODY)], PERSON, id="unknown: 100 - 30"),
        pytest.param([person(opened, 100, ip=NOBODY, user_agent=None)], PERSON, id="100 - 30 - 25"),
        pytest.param([person(opened, 100, ip=None)], PERSON, id="no address is an unknown one"),
        pytest.param([person(opened, 100, user_agent="Fetcher/1.0")], "score 20", id="a robot's word: 100 - 80"),
        pytest.param([person(opened, 100, user_agent="MailGuard")], "score 30", id="a protector's word: 100 - 70"),
        pytest.param([person(clicked, 100, user_agent="MailGuard")], PERSON, id="100 - 70 + 10"),
        pytest.param([person(opened, 100, ip="2.58.36.1")], PERSON, id="a VPN: 100 - 40"),
        pytest.param([person(opened, 100, ip="2.58.36.1", user_agent=None)], "score 35", id="100 - 40 - 25"),
        pytest.param([person(opened, 100, user_agent="Odd client")], PERSON, id="another agent: 100 - 25"),
    ],
)
def test_points_of_a_recipient_and_address(events, said):
    assert set(judged("gocheck", events)) == {said}


def test_the_verdict_is_that_of_all_opens_and_clicks_of_recipient_and_address():
    check(
        "gocheck",
        (person(opened, 1), "timing"),
        (person(clicked, 9_000, url=link(1)), "timing"),
        (person(unsubscribed, 9_001), ABSTAINS),
        (person(opened, 9_000, ip="84.56.12.200"), PERSON),
        (person(opened, 9_000, recipient_id="r2"), PERSON),
        (person(opened, 9_000, campaign_id="autumn"), PERSON),
    )


def test_the_first_agent_that_is_there_speaks():
    check(
        "gocheck",
        (person(opened, 100, user_agent=None), PERSON),
        (person(opened, 200), PERSON),
        (person(opened, 300, user_agent="curl-bot"), PERSON),
    )


def test_repeats_are_measured_from_the_last_that_was_kept():
    # 100 and 102 are kept, 101.5 and 103.5 are repeats: the gap of 2 s is a person's
    check("gocheck", *[(person(opened, seconds), PERSON) for seconds in (100, 101.5, 102, 103.5)])


def test_a_file_without_agents_has_25_points_less():
    check("gocheck", (opened(100, ip=HOME), PERSON), capabilities=EVERYTHING - {"agent"})


def test_a_file_that_says_nothing_but_times_is_judged_by_them_alone():
    check(
        "gocheck",
        (opened(100), "timing"),
        (clicked(100.5), "timing"),
        (opened(100, recipient_id="r2"), ABSTAINS),
        capabilities=frozenset(),
    )
