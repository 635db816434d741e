"""What stands in the terminal after scoring, in words that a marketer reads."""

import io
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console, RenderableType

from features.feature import CAPABILITIES
from features.readers import ReadSummary
from serving.actor import ACTORS
from serving.platform_flags import Agreement
from serving.scoring import Scored
from serving.summary import (
    ACTOR_WORDS,
    WITHOUT,
    counted,
    facts,
    flag_table,
    headline,
    machine_table,
    reading_summary,
    reading_table,
    summary,
)
from tests.serving.test_campaign_table import figures

ALL = frozenset(CAPABILITIES)
READ = ReadSummary(
    files=1,
    records=1_205,
    events=1_200,
    context_events=0,
    duplicates=3,
    formats={"sendgrid": 1_000, "generic": 203},
    controls={"a subscription to a topic": 1},
    rejected={"timestamp is not a time": 1},
    nulled={"ip": 2},
    by_type={"clicked": 1_100, "delivered": 98, "unknown": 2},
    unknown_words={"teleported": 2},
    capabilities=ALL,
    warnings=("b.csv is empty and was left out",),
)
SCORED = Scored(events=1_200, judged=1_100, provisional=7, model_version="0123456789ab", capabilities=ALL)


def machine(actor: str, vendor: str | None, opens: int = 0, clicks: int = 0, unsubscribes: int = 0) -> dict[str, Any]:
    return {"actor": actor, "vendor": vendor, "opens": opens, "clicks": clicks, "unsubscribes": unsubscribes}


APPLE = machine("privacy_proxy", "apple", opens=900)
CISCO = machine("security_scanner", "cisco", opens=20, clicks=4_000)


def text(shown: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(shown)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


# The sentence


@pytest.mark.parametrize(
    ("clicks", "human", "sentence"),
    [
        (8_498, 4_278.4, "Of 8,498 unique clicks, 4,278 were people's: machines made 50% of them."),
        (4, 1.2, "Of 4 unique clicks, 1 was a person's: machines made 70% of them."),
        (3, 0.1, "Of 3 unique clicks, none was a person's: machines made 97% of them."),
        (1, 1.0, "Of 1 unique click, 1 was a person's: machines made 0% of them."),
        (0, 0.0, "There are no clicks to judge."),
    ],
)
def test_the_first_sentence_says_what_machines_did_to_the_clicks(clicks: int, human: float, sentence: str) -> None:
    assert headline([figures("a", 10_000, clicks=clicks, human_clicks=human)], []) == [sentence]


def test_the_sentence_counts_all_campaigns() -> None:
    rows = [figures(name, 100, clicks=10, human_clicks=5.0) for name in "ab"]
    assert headline(rows, []) == ["Of 20 unique clicks, 10 were people's: machines made 50% of them."]


@pytest.mark.parametrize(
    ("machines", "sentence"),
    [
        ([CISCO, APPLE], "900 opens came from Apple's prefetch and say nothing about people either way."),
        (
            [machine("privacy_proxy", "apple", opens=1)],
            "1 open came from Apple's prefetch and says nothing about people either way.",
        ),
        ([CISCO, machine("privacy_proxy", "google", opens=5), machine("link_preview", "apple", opens=5)], None),
    ],
)
def test_opens_that_apple_made_unknowable_are_named(machines: list[dict[str, Any]], sentence: str | None) -> None:
    assert headline([figures("a", 8)], machines)[1:] == ([sentence] if sentence else [])


# Machines


def test_machines_are_listed_by_the_events_they_made() -> None:
    lines = text(machine_table([APPLE, machine("other_automation", None, clicks=1), CISCO])).splitlines()
    assert lines[0].strip() == "Events made by machines"
    assert [" ".join(line.split()) for line in lines[3:]] == [
        "security scanner cisco 20 4,000 0 81.7%",
        "privacy proxy apple 900 0 0 18.3%",
        "other automation not known 0 1 0 <0.1%",
    ]


def test_those_who_made_few_events_share_a_line() -> None:
    rows = [machine("security_scanner", f"vendor{n}", clicks=100 - n) for n in range(15)]
    lines = text(machine_table(rows)).splitlines()[3:]
    assert len(lines) == 12
    assert lines[-1].split() == ["others", "4", "kinds", "0", str(89 + 88 + 87 + 86), "0", "25.1%"]


def test_every_machine_has_words() -> None:
    assert set(ACTOR_WORDS) == set(ACTORS) - {"human"}


# What it rests on


def test_what_was_read_and_judged_is_said() -> None:
    assert facts(READ, SCORED, 2.0) == [
        "1,100 opens, clicks and unsubscribes judged by model 0123456789ab; 7 provisional"
        " (the file ends within the hour after them).",
        "2.0 s, 602 events/s.",
        "  emptied: 2 ip",
        "  unknown event word 'teleported': 2 rows kept, not judged",
        "  b.csv is empty and was left out",
    ]


def test_reference_data_of_more_than_a_year_ago_is_a_line() -> None:
    assert facts(READ, SCORED, 2.0, date(2026, 11, 24)) == facts(READ, SCORED, 2.0)
    *others, line = facts(READ, SCORED, 2.0, date(2027, 6, 20))
    assert others == facts(READ, SCORED, 2.0)
    assert line == "  reference data of asn is 368 days old; clicksift reference update FILE"


def test_one_is_singular() -> None:
    lines = facts(replace(READ, unknown_words={"x": 1}), replace(SCORED, judged=1, provisional=1), 2.0)
    assert lines[0].startswith("1 open, click or unsubscribe judged")
    assert lines[0].endswith("1 provisional (the file ends within the hour after it).")
    assert "  unknown event word 'x': 1 row kept, not judged" in lines


def test_the_records_of_the_files_add_up_in_a_table() -> None:
    read = replace(READ, records=1_215, context_events=10, rejected={"not a JSON object": 1})
    lines = [" ".join(line.split()) for line in text(reading_table(read)).splitlines()[3:]]
    assert lines == [
        "1,200 events: 1,100 clicked, 98 delivered, 2 unknown",
        "10 events of context, not scored",
        "3 copies of an event, folded into it",
        "1 no event: a subscription to a topic",
        "1 set aside: not a JSON object",
        "1,215 in 1 file, read as sendgrid (1,000), generic (203)",
    ]


def test_reading_alone_has_a_summary() -> None:
    shown = text(reading_summary(READ))
    assert "What was read" in shown
    assert "b.csv is empty and was left out" in shown
    assert "judged by model" not in shown


def test_the_flags_of_the_platform_stand_beside_the_verdicts() -> None:
    lines = text(flag_table([Agreement("sg_machine_open", "opened", 700, 690, 4, 1_500, 80, 1_400)]), 100).splitlines()
    assert lines[-1].split() == ["sg_machine_open", "opened", "700", "690", "4", "1,500", "80", "1,400"]


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 clicks"), (1, "1 click"), (2, "2 clicks"), (2_000, "2,000 clicks")]
)
def test_a_number_agrees_with_its_noun(count: int, words: str) -> None:
    assert counted(count, "click") == words


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_what_the_file_does_not_say_is_named_with_what_it_costs(capability: Any) -> None:
    lines = facts(READ, replace(SCORED, capabilities=ALL - {capability}), 1.0)
    assert [line for line in lines if line.startswith("  no ")] == [f"  {WITHOUT[capability]}"]


def test_words_of_the_file_cannot_command_the_terminal() -> None:
    lines = facts(replace(READ, unknown_words={"\x1b[2J": 1}), SCORED, 1.0)
    assert not any("\x1b" in line for line in lines)


def test_all_of_it_comes_in_the_order_of_interest() -> None:
    shown = text(summary(READ, SCORED, table([figures("spring", 400)]), table([CISCO, APPLE]), 2.0, 80))
    order = [
        "Of 200 unique clicks",
        "Apple's prefetch",
        "Campaigns",
        "Events made by machines",
        "What was read",
        "1,100 opens",
    ]
    assert sorted(order, key=shown.index) == order
    assert max(map(len, shown.splitlines())) <= 80


def test_without_machines_there_is_no_table_of_them() -> None:
    shown = text(summary(READ, SCORED, table([figures("spring", 400)]), pa.table({"actor": []}), 2.0, 80))
    assert "made by machines" not in shown


def test_a_file_of_deliveries_has_a_summary() -> None:
    quiet = figures("spring", 400, opens=0, human_opens=0.0, clicks=0, human_clicks=0.0, unsubscribes=0)
    shown = text(summary(READ, replace(SCORED, judged=0), table([quiet]), pa.table({"actor": []}), 2.0, 80))
    assert shown.startswith("There are no clicks to judge.")
    assert "0 opens, clicks and unsubscribes judged" in shown
