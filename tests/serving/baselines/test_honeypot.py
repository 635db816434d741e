from tests.features.event_tables import HOME, HOME_TOO, clicked, link, opened, unsubscribed
from tests.serving.baselines.cases import ABSTAINS, EVERYTHING, PERSON, TRAP, WITH_TRAP, check

MACHINE = "hidden link"
ROWS = [
    (opened(89, ip=HOME), PERSON, PERSON),
    (opened(90, ip=HOME), MACHINE, MACHINE),
    (clicked(100, ip=HOME, url=TRAP), MACHINE, MACHINE),
    (clicked(101, ip=HOME, url=link(1), message_id="m2"), PERSON, PERSON),
    (clicked(101, ip=HOME_TOO, url=link(1)), MACHINE, PERSON),
    (unsubscribed(110), MACHINE, ABSTAINS),
    (clicked(111, ip=HOME, url=link(1)), PERSON, PERSON),
    (clicked(100, ip=HOME, url=TRAP, campaign_id="autumn"), ABSTAINS, ABSTAINS),
]


def test_everything_of_the_message_ten_seconds_around_the_hidden_link():
    check("honeypot", *[(event, said) for event, said, _ in ROWS], campaigns=WITH_TRAP)


def test_only_what_comes_from_the_same_address():
    check("honeypot-same-ip", *[(event, said) for event, _, said in ROWS], campaigns=WITH_TRAP)


def test_without_a_hidden_link_or_links_it_abstains():
    check("honeypot", (clicked(1, url=TRAP), ABSTAINS))
    check("honeypot", (clicked(1, url=TRAP), ABSTAINS), campaigns=WITH_TRAP, capabilities=EVERYTHING - {"links"})
