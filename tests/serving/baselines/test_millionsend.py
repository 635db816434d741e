import pytest

from tests.features.event_tables import clicked, opened
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, GMAIL_PREFETCH, GMAIL_PROXY, MPP, PERSON, check


def test_the_first_match_wins():
    check(
        "millionsend-5",
        (opened(-9, user_agent=MPP), "apple_mpp"),
        (opened(1, user_agent=GMAIL_PREFETCH), "gmail_prefetch"),
        (opened(1), "scanner"),
        (clicked(900, user_agent="Mozilla/5.0 (compatible; Googlebot/2.1)"), "scanner"),
        (clicked(900, user_agent="CUBOT X18"), PERSON),  # a telephone: the word is "bot/" or "bot;"
        (opened(-0.1, user_agent=BROWSER), "before_delivery"),
        (opened(900, user_agent=GMAIL_PROXY), PERSON),
        (opened(900, user_agent="YahooMailProxy; https://help.yahoo.com/"), PERSON),
        (opened(1, user_agent=BROWSER, delivered_at=None), PERSON),
    )


@pytest.mark.parametrize("window_s", [2, 5, 10])
def test_the_window_is_a_setting(window_s):
    check(
        f"millionsend-{window_s}",
        (clicked(window_s - 0.1, user_agent=BROWSER), "timing"),
        (clicked(window_s, user_agent=BROWSER), PERSON),
    )


def test_without_agents_only_times_are_left():
    rows = [(opened(1), "timing"), (opened(9), PERSON), (opened(1, delivered_at=None), ABSTAINS)]
    check("millionsend-2", *rows, capabilities=EVERYTHING - {"agent"})
