import pytest

from tests.features.event_tables import clicked, link, opened, unsubscribed
from tests.serving.baselines.cases import ABSTAINS, PERSON, check

MACHINE = "proximity"


def test_three_activities_in_one_second_of_the_clock():
    check(
        "marketo-0",
        (opened(10.0), MACHINE),
        (clicked(10.5, url=link(1)), MACHINE),
        (clicked(10.9, url=link(1)), MACHINE),
        (clicked(11.0, url=link(2)), PERSON),
        (clicked(11.1, url=link(3)), PERSON),
        (opened(10.2, message_id="m2"), PERSON),
        (unsubscribed(10.1), ABSTAINS),
    )


@pytest.mark.parametrize(("within_s", "said"), [(0, PERSON), (1, PERSON), (2, MACHINE), (3, MACHINE)])
def test_n_is_a_setting_in_whole_seconds(within_s, said):
    check(f"marketo-{within_s}", *[(opened(second), said) for second in (10.9, 11.5, 12.1)])


def test_only_those_within_the_seconds_count():
    check(
        "marketo-1",
        (opened(10), PERSON),
        (clicked(12), MACHINE),
        (clicked(13), MACHINE),
        (clicked(13.5), MACHINE),
        (clicked(15), PERSON),
        (clicked(16, delivered_at=None), PERSON),
    )
