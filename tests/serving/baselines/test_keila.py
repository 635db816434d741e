from tests.features.event_tables import CHROME, clicked, opened
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, GMAIL_PREFETCH, PERSON, check


def test_two_agents_are_machines_whenever_they_come():
    check(
        "keila",
        (opened(9_000, user_agent=GMAIL_PREFETCH), "Gmail prefetch"),
        (clicked(9_000, user_agent=CHROME.format(104)), "the fixed Chrome 104"),
        (opened(0, user_agent=BROWSER), PERSON),
        (opened(0, user_agent=f"{CHROME.format(104)} Edg/104.0"), PERSON),
        (opened(0), PERSON),
    )


def test_it_abstains_where_the_file_names_no_agents():
    check("keila", (opened(0), ABSTAINS), capabilities=EVERYTHING - {"agent"})
