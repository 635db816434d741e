from tests.features.event_tables import HOME, HOME_TOO, clicked, link, opened
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, PERSON, TRAP, WITH_TRAP, check

THREE_LINKS = ({"campaign_id": "spring", "n_links": 3},)


def test_lemlist_has_5_s_since_delivery_and_9_s_since_the_open():
    check(
        "lemlist",
        (opened(4.9), "within 5 s of the delivery"),
        (opened(100), PERSON),
        (clicked(108.9), "within 9 s of the open"),
        (clicked(109), PERSON),
        (clicked(-1, message_id="m2"), "within 5 s of the delivery"),
        (clicked(1, message_id="m3", delivered_at=None), ABSTAINS),
        (opened(1, message_id="m4", delivered_at=None), ABSTAINS),
        (clicked(20, message_id="m4", delivered_at=None), PERSON),
    )


def test_valuebuilder_has_2_s_and_clicks_just_before_the_first_open():
    check(
        "valuebuilder",
        (opened(2, message_id="m2"), "within 2 s of the delivery"),
        (clicked(69), PERSON),
        (clicked(70), "just before the open"),
        (opened(100), PERSON),
        (clicked(101), PERSON),
        (opened(110), PERSON),
        (clicked(50, message_id="m3", delivered_at=None), ABSTAINS),
    )


def test_customerminds_calls_the_first_pass_over_all_links_a_machines():
    first = "first pass over every link"
    check(
        "customerminds",
        (clicked(1, url=link(1)), first),
        (clicked(9_000, url=link(2)), first),
        (clicked(9_001, url=link(2)), PERSON),
        (clicked(9_002, url=link(3)), first),
        (clicked(9_003, url=TRAP), first),
        (clicked(1, url=link(1), message_id="m2"), PERSON),
        (clicked(2, url=link(2), message_id="m2"), PERSON),
        (clicked(3, url=TRAP, message_id="m2"), PERSON),  # hidden: none of the mail's links
        (opened(1), ABSTAINS),
        campaigns=WITH_TRAP,
    )


def test_customerminds_wants_at_least_three_links():
    rows = [(clicked(1, url=link(1)), PERSON), (clicked(2, url=link(2)), PERSON), (clicked(3), ABSTAINS)]
    check("customerminds", *rows, campaigns=({"campaign_id": "spring", "n_links": 2},))


def test_paminga_wants_all_links_within_3_s():
    machine = "every link within 3 s"
    check(
        "paminga",
        (clicked(10, url=link(1)), machine),
        (clicked(12, url=link(2)), machine),
        (clicked(13, url=link(3)), machine),
        (clicked(17, url=link(1)), PERSON),
        (clicked(10, url=link(1), message_id="m2"), PERSON),
        (clicked(12, url=link(2), message_id="m2"), PERSON),
        (clicked(13.1, url=link(3), message_id="m2"), PERSON),
        campaigns=THREE_LINKS,
    )


def test_paminga_abstains_on_a_mail_of_one_link():
    check("paminga", (clicked(10, url=link(1)), ABSTAINS), campaigns=({"campaign_id": "spring", "n_links": 1},))


def test_spotler_has_a_tenth_of_a_second_between_two_links():
    quick = "two links within 0.1 s"
    check(
        "spotler",
        (clicked(10, url=link(1)), quick),
        (clicked(10.099, url=link(2)), quick),
        (clicked(20, url=link(1)), PERSON),
        (clicked(20.1, url=link(2)), PERSON),
        (clicked(30, url=link(1)), PERSON),
        (clicked(30.05, url=link(1)), PERSON),
        (clicked(40, url=link(1), ts_precision="s"), PERSON),
        (clicked(40, url=link(2), ts_precision="s"), PERSON),
        (opened(-0.1), "before the delivery"),
    )


def test_spotler_knows_who_clicked_the_hidden_link_by_address_and_agent():
    seen = "address and agent clicked the hidden link"
    check(
        "spotler",
        (clicked(50, url=TRAP, ip=HOME, user_agent="A"), seen),
        (opened(40, ip=HOME, user_agent="A", message_id="m2"), seen),
        (opened(40, ip=HOME, user_agent="B"), PERSON),
        (opened(40, ip=HOME_TOO, user_agent="A"), PERSON),
        (opened(40, user_agent="A"), PERSON),
        (opened(40, user_agent="A", delivered_at=None, campaign_id="autumn"), ABSTAINS),
        campaigns=WITH_TRAP,
    )


def test_trend_first_match():
    def reader(number, kind, seconds, **columns):
        return kind(seconds, recipient_id=f"r{number}", message_id=f"m{number}", **{"user_agent": BROWSER, **columns})

    burst = [(reader(1, clicked, 10 + n, url=link(1)), "more than 3 clicks within 3 s") for n in range(4)]
    three = [(reader(2, clicked, 10 + n, url=link(n)), PERSON) for n in range(3)]
    office = [(reader(n, opened, 100, ip=HOME), "address of more than 2 recipients") for n in (3, 4, 5)]
    check(
        "trend",
        *burst,
        *three,
        *office,
        (reader(6, opened, 100, user_agent="Java/17.0"), "Java or Python"),
        (reader(7, clicked, 100, ip=HOME_TOO, url=TRAP), "address clicked the hidden link"),
        (reader(7, opened, 90, ip=HOME_TOO), "address clicked the hidden link"),
        campaigns=WITH_TRAP,
    )


def test_trend_abstains_on_an_open_of_no_address_in_a_file_without_agents():
    rows = [(opened(1), ABSTAINS), (clicked(1), PERSON)]
    check("trend", *rows, capabilities=EVERYTHING - {"agent"})
