"""Where the drawings of the report put things."""

from __future__ import annotations

from datetime import date

import pytest

from serving.report import charts
from serving.report.findings import BINS, Delays


def spread(**events: float) -> tuple[float, ...]:
    return tuple(events.get(f"bin{n}", 0.0) for n in range(BINS))


def heights(points: str) -> list[float]:
    return [float(point.split(",")[1]) for point in points.split()]


def test_each_line_is_of_its_own_total() -> None:
    made = charts.timeline(Delays(spread(bin0=900, bin6=100), spread(bin6=1, bin20=9), 1.0, 900.0))
    machines, people = heights(made.machines), heights(made.people)
    floor = charts.HEIGHT - charts.BOTTOM
    assert min(machines) == min(people) >= charts.TOP
    assert machines[2 * 6] == people[2 * 6] < floor
    assert machines[-1] == floor


def test_marks_of_the_axis_reach_over_the_highest_share() -> None:
    made = charts.timeline(Delays(spread(bin3=1), spread(bin3=1, bin4=3), 1.0, 1.0))
    assert made.y_ticks[0].label == "0%"
    assert made.y_ticks[-1].label == "100%"
    assert len(made.y_ticks) <= 6
    assert [tick.label for tick in made.x_ticks][:3] == ["1 s", "10 s", "1 min"]


def test_the_table_beside_the_lines_has_every_event() -> None:
    machines = tuple(float(n) for n in range(BINS))
    made = charts.timeline(Delays(machines, spread(bin38=2), 1.0, 1.0))
    assert sum(row[1] for row in made.rows) == sum(machines)
    assert made.rows[0][0] == "up to 10 s"
    assert made.rows[-1] == ("after 3 d", sum(machines[32:]), 2.0)


def test_the_busiest_hour_is_the_darkest() -> None:
    grid = [[0.0] * 24 for _ in range(7)]
    grid[2][5], grid[3][6] = 100.0, 25.0
    cells = charts.heat(grid)
    assert (cells[2][5].depth, cells[3][6].depth, cells[0][0].depth) == (1.0, 0.5, 0.0)
    assert cells[2][5].x < cells[3][6].x
    assert cells[2][5].y < cells[3][6].y


def test_hours_without_events_can_be_drawn() -> None:
    assert charts.heat([[0.0] * 24] * 7)[0][0].depth == 0.0


def test_rates_of_campaigns_share_a_scale() -> None:
    def row(low: float | None, people: float | None, high: float | None, raw: float | None) -> dict[str, float | None]:
        names = ("human_click_rate_low", "human_click_rate", "human_click_rate_high", "click_rate")
        return dict(zip(names, (low, people, high, raw), strict=True))

    first, second, empty = charts.intervals([row(0.05, 0.1, 0.2, 0.4), row(0.1, 0.1, 0.1, 0.1), row(*[None] * 4)])
    assert first.low < first.people < first.high < first.raw == charts.INTERVAL_WIDTH - 4
    assert second.raw == first.people
    assert empty.raw == empty.low == 4


def test_days_stand_in_order_with_room_for_those_without_unsubscribes() -> None:
    rows = [
        {"day": date(2026, 3, 1), "unsubscribes": 4, "human_unsubscribes": 4.0, "change": None},
        {"day": date(2026, 3, 4), "unsubscribes": 37, "human_unsubscribes": 7.0, "change": "up"},
    ]
    made = charts.days(rows)
    first, last = made.days
    assert last.x - first.x == pytest.approx(3 * made.bar_width / 0.8)
    assert first.machines_height == 0
    assert last.machines_top + last.machines_height == pytest.approx(last.people_top)
    assert [tick.label for tick in made.y_ticks] == ["0", "10", "20", "30", "40"]
    assert [tick.label for tick in made.x_ticks] == ["01 Mar", "02 Mar", "03 Mar", "04 Mar"]
