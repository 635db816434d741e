import pytest

from serving.baselines import warmbly
from tests.features.event_tables import HOME, clicked, link, opened
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, PERSON, check

EOP, BARRACUDA, MIMECAST, AZURE = "40.93.1.1", "209.222.82.7", "195.130.217.1", "13.64.0.5"
AGENT = {"user_agent": BROWSER, "ip": HOME}
TAIL = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"


def test_the_first_match_of_an_open_wins():
    check(
        "warmbly",
        (opened(90, ip=EOP, user_agent="curl/8.0"), "agent of a scanner or none"),
        (opened(90, ip=EOP), "agent of a scanner or none"),
        (opened(90, ip=EOP, user_agent=TAIL), "network of a scanner"),
        (opened(9_000, ip=BARRACUDA, user_agent=BROWSER), "network of a scanner"),
        (opened(9_000, ip=HOME, user_agent=TAIL), "agent of a prefetch"),
        (opened(599, ip=MIMECAST, user_agent=BROWSER), "probable network within 600 s"),
        (opened(600, ip=MIMECAST, user_agent=BROWSER), PERSON),
        (opened(59.9, **AGENT), "instant"),
        (opened(60, **AGENT), PERSON),
        (opened(90, ip=HOME, user_agent="Mozilla/5.0 (via ggpht.com GoogleImageProxy)"), PERSON),
    )


def test_a_click_has_30_s_and_no_prefetch():
    check(
        "warmbly",
        (clicked(29.9, **AGENT), "instant"),
        (clicked(30, **AGENT), PERSON),
        (clicked(90, ip=HOME, user_agent=TAIL), PERSON),
        (clicked(90, ip="2a01:111:f403:1::5", user_agent=BROWSER), "network of a scanner"),
    )


def test_times_before_the_delivery_or_without_one_say_nothing():
    check(
        "warmbly",
        (opened(-1, **AGENT), PERSON),
        (opened(1, delivered_at=None, **AGENT), PERSON),
        (clicked(-1, ip=MIMECAST, user_agent=BROWSER), PERSON),
        (clicked(1, ip=MIMECAST, user_agent=BROWSER, delivered_at=None), PERSON),
    )


def test_microsofts_and_googles_networks_count_for_clicks_in_one_setting():
    rows = [opened(120, ip=AZURE, user_agent=BROWSER), clicked(120, ip=AZURE, user_agent=BROWSER)]
    check("warmbly", *zip(rows, [PERSON, PERSON], strict=True))
    check("warmbly-clouds", *zip(rows, [PERSON, "probable network within 600 s"], strict=True))


def test_a_burst_is_two_links_within_5_s_from_one_address_and_folds_back():
    def click(seconds, number, **columns):
        return clicked(seconds, url=link(number), **(AGENT | columns))

    check(
        "warmbly",
        (click(100, 1), "burst"),
        (click(105, 2), "burst"),
        (click(111, 1), PERSON),
        (click(113, 1), PERSON),  # the same link again
        (click(200, 1), PERSON),
        (click(201, 2, ip="198.51.100.9"), PERSON),
        (click(300, 1, ip=None), PERSON),  # from no known address: nobody can say that it is one
        (click(301, 2, ip=None), PERSON),
        (click(400, 1), PERSON),
        (click(401, 2, message_id="m2"), PERSON),
        (click(500, 1, user_agent="curl/8.0"), "agent of a scanner or none"),  # dropped at the edge: no event
        (click(501, 2), PERSON),
    )


def test_a_file_without_agents_is_not_all_scanners():
    rows = [(opened(90, ip=HOME), PERSON), (opened(90, ip=EOP), "network of a scanner"), (opened(90), PERSON)]
    check("warmbly", *rows, capabilities=EVERYTHING - {"agent"})
    check("warmbly", (opened(90), ABSTAINS), capabilities=frozenset())


@pytest.mark.parametrize("agent", warmbly.DROPPED_AGENTS)
def test_each_listed_word_drops_an_agent(agent):
    check("warmbly", (opened(90, ip=HOME, user_agent=f"Some {agent.upper()} here"), "agent of a scanner or none"))
