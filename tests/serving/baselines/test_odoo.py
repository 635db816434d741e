from tests.features.event_tables import clicked, opened
from tests.serving.baselines.cases import ABSTAINS, BROWSER, EVERYTHING, PERSON, check

WORD = "word in the agent"


def test_words_in_the_agent_of_a_click():
    check(
        "odoo",
        (clicked(1, user_agent="WhatsApp/2.23 A"), WORD),
        (clicked(1, user_agent="Mozilla/5.0 (compatible; SkypeUriPreview)"), WORD),
        (clicked(0, user_agent=BROWSER), PERSON),
        (clicked(0), PERSON),
        (opened(0, user_agent="curl/8.0"), ABSTAINS),
    )
    check("odoo", (clicked(0), ABSTAINS), capabilities=EVERYTHING - {"agent"})
