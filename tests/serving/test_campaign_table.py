"""The table of campaigns is readable at any usual width: no number is cut, names give way first."""

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from serving.campaign_table import campaign_table, figure_table, printable, shortened, totals


def figures(campaign: str, messages: int, delivered: int | None = None, **changes: Any) -> dict[str, Any]:
    """A campaign whose every message was opened, half of them clicked, a quarter of that by people."""
    return {
        "campaign_id": campaign,
        "delivered": delivered,
        "messages": messages,
        "opens": messages,
        "human_opens": messages / 4,
        "clicks": messages // 2,
        "human_clicks": messages / 8,
        "unsure_clicks": 0,
        "unsubscribes": messages // 100,
        "human_unsubscribes": messages / 200,
        **changes,
    }


def shown(rows: list[dict[str, Any]], width: int) -> list[str]:
    """The lines of the table, without blanks at the ends."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(campaign_table(rows, width))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_campaign_is_a_line_of_raw_and_peoples_figures() -> None:
    rows = [figures("spring", 40_000, 39_000), figures("autumn", 200, 200)]
    lines = shown(rows, 100)
    assert lines[0] == "Campaigns: unique opens and clicks, raw and people's"
    assert lines[2].split() == ["campaign", "messages", *["raw", "people"] * 4]
    assert " ".join(lines[4].split()) == "autumn 200 200 50 100 25 50.0% 12.5% 2 1"
    assert " ".join(lines[5].split()) == "spring 39,000 40,000 10,000 20,000 5,000 51.3% 12.8% 400 200"
    assert " ".join(lines[-1].split()) == "all 39,200 40,200 10,050 20,100 5,025 51.3% 12.8% 402 201"


def test_one_campaign_needs_no_total() -> None:
    assert len(shown([figures("spring", 40_000)], 100)) == 5


def with_ends(row: dict[str, Any]) -> dict[str, Any]:
    """The figures with an interval of a tenth less and more around people's clicks."""
    return row | {
        "human_clicks_low": 0.9 * row["human_clicks"],
        "human_clicks_high": 1.1 * row["human_clicks"],
    }


def shown_by(by: str, rows: list[dict[str, Any]], width: int = 100) -> list[list[str]]:
    """The words of the lines of figures by whatever else; the lines fit."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    whole = with_ends(figures("", 0)) | {"human_clicks_low": 70, "human_clicks_high": 80}
    console.print(figure_table(rows, width, by, whole))
    assert isinstance(console.file, io.StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert all(cell_len(line) <= width for line in lines)
    return [line.split() for line in lines]


def test_figures_have_the_interval_of_peoples_clicks_and_the_whole_its_own() -> None:
    lines = shown_by("campaign", [with_ends(figures(name, 400)) for name in ("spring", "autumn")])
    assert lines[2] == ["campaign", "messages", "raw", "people", "raw", "people", "from", "to", *["raw", "people"] * 2]
    assert lines[4] == ["autumn", "400", "400", "100", "200", "50", "45", "55", "50.0%", "12.5%", "4", "2"]
    assert lines[-1] == ["all", "800", "800", "200", "400", "100", "70", "80", "50.0%", "12.5%", "8", "4"]


def test_links_have_clicks_alone_and_no_total() -> None:
    nothing = dict.fromkeys(["opens", "human_opens", "unsubscribes", "human_unsubscribes"])
    rows = [with_ends(figures("spring", 400)) | nothing | {"link": name} for name in ("/a", "/b")]
    lines = shown_by("link", rows)
    assert lines[0][:3] == ["Links", "of", "campaigns:"]
    assert lines[-1] == ["/b", "400", "200", "50", "45", "55", "50.0%", "12.5%"]


@pytest.mark.parametrize(
    ("by", "column", "has_total"),
    [("domain", "recipient_domain", True), ("host", "mailbox_host", True), ("vendor", "vendor", False)],
)
def test_rows_that_share_no_messages_have_a_total(by: str, column: str, has_total: bool) -> None:
    rows = [with_ends(figures("", 400)) | {column: name} for name in ("a.example", "")]
    lines = shown_by(by, rows)
    assert [line[0] for line in lines[4:6]] == ["(none)", "a.example"]
    assert (lines[-1][0] == "all") is has_total


@pytest.mark.parametrize("width", [36, 50, 60, 80, 140])
def test_figures_with_intervals_fit_any_width(width: int) -> None:
    rows = [with_ends(figures(name, 12_345_678)) for name in ("spring sale of 2026, all customers", "autumn")]
    autumn = next(line for line in shown_by("campaign", rows, width) if line[0] == "autumn")
    assert "6.17M" in autumn or "6,172,839" in autumn


def test_where_one_campaign_has_no_deliveries_the_total_counts_messages() -> None:
    rows = [figures("spring", 400, 390), figures("autumn", 200)]
    assert totals(rows)["delivered"] is None
    assert shown(rows, 100)[-1].split()[1] == "600"


def test_events_without_a_campaign_have_a_name_in_the_table() -> None:
    assert shown([figures("", 40)], 100)[-1].startswith("(none)")


def test_the_largest_campaigns_are_shown_and_all_are_summed() -> None:
    lines = shown([figures(f"c{n:02}", 100 + n) for n in range(25)], 100)
    assert lines[0].startswith("Campaigns, the 20 largest of 25: ")
    assert [line.split()[0] for line in lines if line.startswith("c") and line[1].isdigit()] == [
        f"c{n:02}" for n in range(5, 25)
    ]
    assert lines[-1].split()[1] == "2,800"


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("messages", [0, 7, 999, 40_000, 999_999, 12_345_678, 987_654_321])
def test_every_number_is_whole_and_every_line_fits(messages: int, width: int) -> None:
    rows = [figures("newsletter-2026-03-spring-sale-customers", messages or 1), figures("b", 3)]
    lines = shown(rows, width)
    assert all(cell_len(line) <= width for line in lines)
    cells = lines[-1].split()
    assert len(cells) == 10
    assert all(re.fullmatch(r"all|\d{1,3}(,\d{3})*|\d+\.\d%|\d{1,3}(,\d{3})*\.\d\dM", cell) for cell in cells)


def test_millions_are_written_short_only_where_there_is_no_room() -> None:
    rows = [figures("spring", 12_345_678)]
    assert "12,345,678" in shown(rows, 140)[-1]
    assert "12.35M" in shown(rows, 80)[-1]


@pytest.mark.parametrize(("width", "columns"), [(80, 9), (60, 7), (50, 6), (36, 4)])
def test_a_narrow_terminal_loses_columns_before_numbers(width: int, columns: int) -> None:
    line = shown([figures("spring", 40_000)], width)[-1]
    assert len(line.split()) == columns + 1
    assert "20,000" in line.split()
    assert "…" not in line


def test_a_long_name_loses_its_middle() -> None:
    rows = [figures("2026-03-02 spring sale, all customers", 40_000), figures("2026-03-03 spring sale", 900_000)]
    first = shown(rows, 80)[4]
    assert re.match(r"2026-\S*…\S*rs +40,000 ", first)


@pytest.mark.parametrize(
    ("name", "room", "text"),
    [
        ("spring", 6, "spring"),
        ("spring", 5, "sp…ng"),
        ("spring-2026-03-01", 9, "spri…3-01"),
        ("ab", 1, "a…"),  # one letter stays
        ("春のセール二〇二六", 10, "春の…二六"),  # two columns each
        ("", 3, ""),
    ],
)
def test_names_are_shortened_in_the_middle(name: str, room: int, text: str) -> None:
    assert shortened(name, room) == text


@given(st.text(max_size=60), st.integers(8, 40))
def test_a_shortened_name_fits(name: str, room: int) -> None:
    assert cell_len(shortened(printable(name), room)) <= room


@pytest.mark.parametrize("name", ["[bold]sale[/x]", "a\x1b[31mb", "a\nb", "a\u202eb"], ids=repr)
def test_a_name_is_shown_and_not_obeyed(name: str) -> None:
    line = shown([figures(name, 40)], 140)[-1]
    assert line.startswith(printable(name))
    assert all(c.isprintable() for c in line)
