from tests.features.event_tables import DATA_CENTRE, HOME, NOBODY, clicked, opened, unsubscribed
from tests.serving.baselines.cases import ABSTAINS, EVERYTHING, PERSON, check


def test_all_of_one_kind():
    events = [opened(1), clicked(1), unsubscribed(1)]
    check("all-human", *[(event, PERSON) for event in events])
    check("all-machine", *[(event, "everything") for event in events])


def test_ten_seconds():
    check(
        "within-10-s",
        (opened(9.9), "within 10 s"),
        (opened(10), PERSON),
        (unsubscribed(-3), "within 10 s"),
        (clicked(1, delivered_at=None), ABSTAINS),
    )


def test_data_centres():
    rows = [
        (clicked(1, ip=DATA_CENTRE), "data centre"),
        (clicked(1, ip=HOME), PERSON),
        (clicked(1, ip=NOBODY), PERSON),
        (clicked(1), ABSTAINS),
    ]
    check("data-centre", *rows)
    check("data-centre", (clicked(1, ip=DATA_CENTRE), ABSTAINS), capabilities=EVERYTHING - {"address"})
