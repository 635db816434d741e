from tests.features.event_tables import HOME, clicked, link, opened
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, GMAIL_PROXY, PERSON, TRAP, WITH_TRAP, check


def person(kind, seconds, message="m1", **columns):
    return kind(seconds, user_agent=columns.pop("user_agent", BROWSER), message_id=message, **columns)


def test_points_of_a_click_add_up():
    check(
        "score-70",
        (person(clicked, 5), "score 95"),
        (person(clicked, -5, "early"), "score 95"),
        (person(clicked, 30, "m2"), PERSON),  # 50
        (person(opened, 200, "m3"), "a machine's click followed"),
        (person(clicked, 215, "m3", user_agent=GMAIL_PROXY), "score 100"),  # 60 + 40
        (person(opened, 200, "m4"), PERSON),
        (person(clicked, 245, "m4"), PERSON),  # 35
        (person(opened, 15, "m5"), "a machine's click followed"),  # 50 alone
        (person(clicked, 60, "m5"), "score 100"),  # 20 + 35 + 45
        (person(clicked, 900, "m6", user_agent=None), "score 100"),
        (person(clicked, 900, "m7", user_agent="curl/8.0"), "score 80"),
        (person(clicked, 900, "m8", user_agent="Mozilla/5.0 (compatible; Barracuda Sentinel (EE))"), "score 100"),
        (person(clicked, 900, "m9", url=TRAP), "score 100"),
        campaigns=WITH_TRAP,
    )


def test_three_clicks_of_an_address_in_a_minute_are_a_burst():
    clicks = [person(clicked, 25 + n, f"m{n}", ip=HOME, url=link(n)) for n in range(4)]
    check("score-70", *zip(clicks, [PERSON, PERSON, "score 100", "score 100"], strict=True))


def test_opens_have_points_for_time_and_gmails_proxy_only_in_a_burst():
    proxied = {"user_agent": GMAIL_PROXY, "ip": "66.249.84.1"}
    check(
        "score-70",
        (person(opened, 10, "m1"), "score 95"),
        (person(opened, 11, "m2"), PERSON),
        (person(opened, 900, "m3", user_agent=None), PERSON),
        (person(opened, 1, "m4", **proxied), PERSON),
        (person(opened, 2, "m5", **proxied), PERSON),
        (person(opened, 3, "m6", **proxied), "score 100"),
        (person(opened, 1, "m7", delivered_at=None), ABSTAINS),
    )


def test_without_agents_none_is_missing():
    check("score-70", (person(clicked, 900), PERSON), capabilities=EVERYTHING - {"agent"})
    check("score-70", (person(clicked, 900), ABSTAINS), capabilities=frozenset())
