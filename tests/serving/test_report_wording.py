"""Words of the report: what a page may not take from a file, and the sentences it begins with."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from serving.report import wording

WHOLE: dict[str, Any] = {
    "clicks": 200,
    "human_clicks": 80.0,
    "human_click_rate": 0.08,
    "human_click_rate_low": 0.07,
    "human_click_rate_high": 0.09,
    "click_rate": 0.2,
    "opens": 0,
    "unsubscribes": 10,
    "human_unsubscribes": 4.0,
}
SCANNERS = [
    {"actor": "security_scanner", "vendor": "cisco", "clicks": 300, "opens": 0},
    {"actor": "link_preview", "vendor": "slack", "clicks": 3, "opens": 0},
]


@given(st.text(st.characters(codec=None)))
def test_no_text_keeps_a_character_that_is_obeyed_instead_of_shown(text: str) -> None:
    left = wording.inert(text).replace("\n", "")
    assert not {unicodedata.category(each) for each in left} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_directions_are_taken_out_and_line_breaks_and_markup_stay() -> None:
    assert wording.inert("safe\u202elmth.exe\x1b[1m") == "safe\ufffdlmth.exe\ufffd[1m"
    assert wording.inert("one\ntwo") == "one\ntwo"
    assert wording.inert(Markup("<b>\u202e</b>")) == "<b>\u202e</b>"
    assert wording.inert(7) == 7


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        (None, "(none)"),
        ("", "(none)"),
        ("spring", "spring"),
        ("to jane.doe+x@example.com now", "to (address) now"),
        ("https://t.example/u/jane%40example.com/x", "https://t.example/u/(address)/x"),
        ("https://jane:secret@t.example/x", "https://jane:(address)/x"),
    ],
)
def test_names_hold_no_address(given_name: str | None, shown: str) -> None:
    assert wording.named(given_name) == shown


def test_long_names_are_shortened_soon() -> None:
    assert len(wording.named("x" * 3_000_000)) == wording.NAME_WIDTH


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "not known"),
        (0.2, "less than 1 s"),
        (12.4, "12 s"),
        (90, "1.5 min"),
        (1_200, "20 min"),
        (8_000, "2.2 h"),
        (259_200, "3.0 days"),
    ],
)
def test_durations_are_in_the_largest_unit(seconds: float | None, words: str) -> None:
    assert wording.duration(seconds) == words


def test_small_shares_are_not_called_none() -> None:
    assert [wording.share(value) for value in (None, 0.0, 0.0004, 0.081)] == ["\u2013", "0.0%", "< 0.1%", "8.1%"]
    assert [wording.whole_share(value) for value in (0.0, 0.001, 0.5, 0.999, 1.0)] == [
        "0%",
        "less than 1%",
        "50%",
        "more than 99%",
        "100%",
    ]


def test_the_headline_says_how_many_clicked_who_the_others_were_and_what_to_report() -> None:
    title, lines = wording.headline(WHOLE, SCANNERS)
    assert title == "About 80 people clicked, not 200."
    assert lines == [
        "Of 200 messages with a click, machines alone made 60%, most of them security scanners of Cisco.",
        "The click rate to report is 8.0% (between 7.0% and 9.0%), not 20.0%.",
        "Of 10 unsubscribes, about 6 were made by machines: people who may not have wanted to leave.",
    ]


def test_the_headline_of_a_file_without_machines_says_so() -> None:
    title, lines = wording.headline(WHOLE | {"human_clicks": 199.0, "human_unsubscribes": 10.0}, [])
    assert title == "Machines made hardly any of the 200 clicks."
    assert "unsubscribes" not in " ".join(lines)


def test_a_file_without_clicks_is_told_by_its_opens_and_an_empty_one_by_neither() -> None:
    opens = {
        "opens": 50,
        "human_opens": 10.0,
        "human_open_rate": 0.1,
        "human_open_rate_low": 0.05,
        "human_open_rate_high": 0.2,
        "open_rate": 0.5,
    }
    assert wording.headline({"clicks": 0, **opens}, [])[0] == "About 10 people were seen to open, not 50."
    assert wording.headline({}, []) == ("There are no opens or clicks to judge.", [])


def test_machines_of_unknown_owners_are_not_counted_to_the_named_ones() -> None:
    unknown = {"actor": "security_scanner", "vendor": None, "clicks": 900, "opens": 0}
    assert "most of them security scanners of Cisco and others." in wording.headline(WHOLE, [*SCANNERS, unknown])[1][0]
    assert wording.headline(WHOLE, [unknown])[1][0].endswith("machines alone made 60%, most of them security scanners.")


@pytest.mark.parametrize(
    ("words", "sentence"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), ([], "")]
)
def test_lists_read_as_a_sentence(words: list[str], sentence: str) -> None:
    assert wording.listed(words) == sentence
