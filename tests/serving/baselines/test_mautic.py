from tests.features.event_tables import clicked, opened
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, GMAIL_PROXY, PERSON, check

QUICK_ROBOT = "quick and a robot"


def test_two_of_three_points_make_a_machine():
    check(
        "mautic",
        (opened(1.9, user_agent="Slackbot-LinkExpanding 1.0"), QUICK_ROBOT),
        (clicked(1.9, user_agent="Slackbot-LinkExpanding 1.0"), QUICK_ROBOT),
        (opened(2, user_agent="Slackbot-LinkExpanding 1.0"), PERSON),
        (opened(1.9, user_agent=BROWSER), PERSON),
        (opened(1.9), PERSON),
        (opened(-5, user_agent=GMAIL_PROXY), QUICK_ROBOT),
        (opened(1, user_agent=GMAIL_PROXY, delivered_at=None), PERSON),
    )


def test_it_abstains_without_time_and_agent():
    check("mautic", (opened(1, delivered_at=None), ABSTAINS), (opened(1), PERSON), capabilities=EVERYTHING - {"agent"})
