from tests.features.event_tables import clicked, link, opened
from tests.serving.baselines.cases import ABSTAINS, EVERYTHING, PERSON, check

BURST = "burst of links"


def test_three_links_within_ten_seconds_around_a_click():
    check(
        "twenty",
        (clicked(100, url=link(1)), PERSON),  # sees two links until 110
        (clicked(105, url=link(2)), BURST),  # sees three from 95 to 115
        (clicked(112, url=link(3)), PERSON),  # sees two from 102 on
        (clicked(104, url=link(3), message_id="m2"), PERSON),
        (clicked(105, url=link(3), recipient_id="r2"), PERSON),
        (opened(106), ABSTAINS),
    )


def test_the_same_link_again_is_no_burst():
    check("twenty", *[(clicked(second, url=link(second % 2)), PERSON) for second in range(6)])


def test_clicks_on_no_known_link_are_not_judged():
    check("twenty", (clicked(1), ABSTAINS))
    check("twenty", (clicked(1, url=link(1)), ABSTAINS), capabilities=EVERYTHING - {"links"})
