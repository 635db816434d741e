from tests.features.event_tables import clicked, opened, unsubscribed
from tests.serving.baselines.cases import ABSTAINS, PERSON, check


def test_the_flag_speaks_where_there_is_one():
    check(
        "platform-flag",
        (opened(1, platform_machine=True, platform_machine_reason="sg_machine_open=true"), "sg_machine_open=true"),
        (clicked(1, platform_machine=True), "flagged"),
        (opened(1, platform_machine=False), PERSON),
        (clicked(1), ABSTAINS),
        (unsubscribed(1, platform_machine=True), "flagged"),
    )
