from tests.features.event_tables import HOME, HOME_TOO, NOBODY, clicked, link, opened, unsubscribed
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, PERSON, TRAP, WITH_TRAP, check

FAST = "address clicked 5 links within 10 s"
TRAPPED = "address clicked the hidden link"


def person(kind, seconds, **columns):
    return kind(seconds, user_agent=BROWSER, **columns)


def test_an_address_is_excluded_for_all_it_does():
    links = [(person(clicked, 100 + 2.5 * n, ip=HOME, url=link(n), message_id=f"m{n}"), FAST) for n in range(5)]
    slow = [(person(clicked, 100 + 2.6 * n, ip=HOME_TOO, url=link(n)), PERSON) for n in range(5)]
    check(
        "velocity",
        *links,
        *slow,
        (person(opened, 90_000, ip=HOME), FAST),
        (person(unsubscribed, 90_000, ip=HOME), FAST),
        (person(opened, 100), PERSON),
    )


def test_addresses_on_the_hidden_link_and_robots_agents():
    check(
        "velocity",
        (person(clicked, 50, ip=NOBODY, url=TRAP), TRAPPED),
        (person(opened, 10, ip=NOBODY), TRAPPED),
        (person(opened, 10, ip=HOME), PERSON),
        (opened(10, ip=HOME, user_agent="python-requests/2.31"), "robot's agent"),
        campaigns=WITH_TRAP,
    )


def test_it_abstains_without_address_and_agent():
    rows = [(opened(1), ABSTAINS), (opened(1, ip=HOME), PERSON)]
    check("velocity", *rows, capabilities=EVERYTHING - {"agent"})
