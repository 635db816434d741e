import pytest

from serving.baselines import notifuse
from tests.features.event_tables import clicked, opened, unsubscribed
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, PERSON, check


def test_agents_come_before_the_time():
    check(
        "notifuse",
        (opened(1), "no agent"),
        (opened(1, user_agent="Wget/1.21"), "word in the agent"),
        (clicked(6.9, user_agent=BROWSER), "within 7 s"),
        (clicked(7, user_agent=BROWSER), PERSON),
        (clicked(-1, user_agent=BROWSER), "within 7 s"),
        (clicked(1, user_agent=BROWSER, delivered_at=None), PERSON),
    )


def test_unsubscribes_are_judged_by_the_agent_alone():
    check(
        "notifuse",
        (unsubscribed(1, user_agent=BROWSER), PERSON),
        (unsubscribed(99, user_agent="Mozilla/5.0 (Security scan)"), "word in the agent"),
        (unsubscribed(99), "no agent"),
    )


def test_without_agents_only_times_are_left():
    check(
        "notifuse",
        (opened(1), "within 7 s"),
        (opened(9), PERSON),
        (opened(1, delivered_at=None), ABSTAINS),
        (unsubscribed(1), ABSTAINS),
        capabilities=EVERYTHING - {"agent"},
    )


def test_there_are_37_words():
    assert len(set(notifuse.WORDS)) == 37


@pytest.mark.parametrize("agent", ["Mozilla/5.0 (Linux; ATP 3)", "JavaFX/8.0 browser", "Trend Micro WTP"])
def test_words_are_found_anywhere_in_an_agent(agent):
    check("notifuse", (opened(90, user_agent=agent), "word in the agent"))
