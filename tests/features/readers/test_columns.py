"""Which column serves which canonical name, and what the user is told where none does."""

from __future__ import annotations

import pytest

from features.errors import InputError
from features.readers.columns import check_mapping, listed, missing, nearest, resolve
from features.schema import COLUMN_ALIASES


@pytest.mark.parametrize(
    ("columns", "canonical", "position"),
    [
        (["ip"], "ip", 0),
        (["Client IP"], "ip", 0),
        (["context.user-agent"], "user_agent", 0),
        ([" EVENT_Type "], "event_type", 0),
        (["remote_addr", "client_ip"], "ip", 1),  # earlier in the alias table
        (["client_ip", "ip"], "ip", 1),  # the exact name
        (["IP", "client_ip"], "ip", 0),
        (["ts", "Timestamp"], "timestamp", 1),
    ],
)
def test_the_exact_name_wins_then_the_order_of_the_aliases(columns, canonical, position):
    assert resolve(columns, COLUMN_ALIASES)[canonical] == position


def test_a_mapped_column_serves_its_canonical_name_alone():
    found = resolve(["email_id", "email"], COLUMN_ALIASES, {"recipient_id": "email_id"})
    assert found == {"recipient_id": 0}


def test_a_mapping_beats_the_exact_name():
    assert resolve(["ip", "proxy"], COLUMN_ALIASES, {"ip": "proxy"})["ip"] == 1


def test_a_mapping_to_an_unknown_canonical_column_names_the_nearest():
    with pytest.raises(
        InputError, match=r"--map user_agnt=ua: there is no canonical column .*did you mean 'user_agent'"
    ):
        check_mapping({"user_agnt": "ua"}, COLUMN_ALIASES)


def test_a_mapping_to_a_column_that_no_file_has_names_the_nearest():
    tables = [("a.csv", ["client_addr", "x"]), ("b.csv", ["y"])]
    with pytest.raises(InputError, match=r"a\.csv has no column 'client_adr' \(did you mean 'client_addr'\?\)"):
        check_mapping({"ip": "client_adr"}, COLUMN_ALIASES, tables)


def test_a_mapping_needs_its_column_in_one_file_only():
    check_mapping({"ip": "y"}, COLUMN_ALIASES, [("a.csv", ["x"]), ("b.csv", ["y"])])


def test_a_missing_column_is_explained_with_what_comes_near():
    error = missing("a.csv", ["colour", "time_stmp"], ("timestamp",), COLUMN_ALIASES)
    assert str(error) == (
        "a.csv: no column for timestamp; its columns are colour, time_stmp; nearest: time_stmp. "
        "Name it with --map timestamp=time_stmp"
    )


@pytest.mark.parametrize(
    ("columns", "wanted", "step"),
    [
        (["usr_email"], ("message_id", "recipient_id"), "--map recipient_id=usr_email"),
        (["mesage_id"], ("message_id", "recipient_id"), "--map message_id=mesage_id"),
        (["event", "event_type"], ("timestamp",), "--map timestamp=event"),  # event_type has its own name
        (["event"], ("timestamp",), "--map timestamp=COLUMN"),
        (["event_at_", "event"], ("timestamp",), "--map timestamp=event_at_"),
        (["data", "tim"], ("timestamp",), "--map timestamp=tim"),
    ],
)
def test_the_step_names_what_the_nearest_column_may_be_and_none_that_is_taken(columns, wanted, step):
    assert str(missing("a.csv", columns, wanted, COLUMN_ALIASES)).endswith(f"Name it with {step}")


def test_a_mapped_column_is_not_offered_again():
    error = missing("a.csv", ["event_tme"], ("timestamp",), COLUMN_ALIASES, mapping={"event_type": "event_tme"})
    assert str(error).endswith("--map timestamp=COLUMN")


@pytest.mark.parametrize(
    ("column", "name"),
    [("zip", None), ("zip_code", None), ("clientip", "ip"), ("IP-Adress", "ip"), ("urls", "url"), ("sink", None)],
)
def test_a_letter_more_makes_another_word_of_a_short_name(column, name):
    found = nearest(column, ("ip", "url"), COLUMN_ALIASES)
    assert (found and found[1]) == name


def test_a_long_list_of_columns_is_cut():
    assert listed([f"c{n}" for n in range(33)]).endswith("c29 and 3 more")
    assert listed([]) == "none"
