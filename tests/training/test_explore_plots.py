"""Pictures of judged events, and names from files in them."""

from __future__ import annotations

import pytest

from serving.campaigns import campaign_figures
from training.explore import Files, judge
from training.explore_plots import arrival_plot, campaign_plot, scanning_plot
from training.explore_style import figure, name_rows, shortened, titled


@pytest.fixture(scope="module")
def judged(explored_sender):
    return judge(
        Files([explored_sender / "events.parquet"], explored_sender / "campaigns.parquet", folder=explored_sender)
    )


def test_pictures_of_a_first_look_are_drawn(judged, tmp_path):
    figures = campaign_figures(judged.con, judged.scored.people).to_pandas()
    for number, drawn in enumerate((arrival_plot(judged), campaign_plot(figures), scanning_plot(judged))):
        drawn.savefig(tmp_path / f"{number}.png", dpi=40)
        assert (tmp_path / f"{number}.png").stat().st_size > 2_000


def test_the_domains_with_most_clicks_stand_first(judged):
    clicks = judged.events[judged.events["event_type"] == "clicked"]
    expected = clicks["recipient_domain"].value_counts().index[0]
    assert scanning_plot(judged).axes[0].get_yticklabels()[0].get_text() == expected


@pytest.mark.parametrize("name", ["$", "a$b$", r"$\frac{1}$", "$x^$"])
def test_names_from_files_are_no_formulas(name, tmp_path):
    made, [[axes]] = figure(1, 1, (3, 2))
    name_rows(axes, [name])
    titled(axes, name, name, name)
    made.savefig(tmp_path / "name.png")
    assert axes.get_yticklabels()[0].get_text() == name


def test_long_names_are_cut_in_the_middle():
    assert shortened("newsletter") == "newsletter"
    cut = shortened("a" * 40 + "z" * 40, 20)
    assert len(cut) == 20
    assert cut.startswith("a") and cut.endswith("z") and "…" in cut
