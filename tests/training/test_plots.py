"""Pictures: what is drawn, and that a folder of them is written whole and the same each time."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from features.errors import InputError
from tests.training.labelled_rows import CLICK, OPEN, rows
from training.plots import PICTURES, calibration_plot, recall_plot, write_plots

DATA = rows([0, 0, 1, 1, 0, 1], kind=[CLICK] * 4 + [OPEN] * 2)
PROBABILITY = np.array([0.1, 0.9, 0.9, 0.95, 0.2, 0.3])


def test_reliability_has_a_point_a_bin_at_its_mean_and_its_share():
    [axes] = calibration_plot(DATA, PROBABILITY, "a test").axes
    points = np.array(axes.collections[0].get_offsets())
    drawn = points[np.isfinite(points).all(axis=1)]
    expected = [(0.1, 0), (0.2, 0), (0.3, 1), (0.9, 1 / 2), (0.95, 1)]
    assert drawn == pytest.approx(np.array(expected))
    assert axes.get_title(loc="left") == "Reliability, a test"


def test_recall_is_drawn_for_each_kind_of_event_with_no_point_inside_a_tie():
    [axes] = recall_plot(DATA, PROBABILITY, "a test").axes
    opens, clicks = axes.lines
    assert (opens.get_label(), clicks.get_label()) == ("opens", "clicks")
    # Clicks: one machine, then a machine and a person together, then the other person.
    assert clicks.get_xydata().tolist() == [[0, 0], [0, 0.5], [0.5, 1], [1, 1]]


def test_kinds_of_one_class_are_not_drawn():
    [axes] = recall_plot(rows([0, 0]), np.array([0.1, 0.2]), "a test").axes
    assert (list(axes.lines), axes.get_legend()) == ([], None)


def test_a_folder_has_both_pictures_the_same_bytes_each_time(tmp_path):
    for name in ("one", "two"):
        write_plots(tmp_path / name / "plots", DATA, PROBABILITY, "model abc")
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "plots").iterdir()} for name in ("one", "two")
    )
    assert sorted(one) == sorted(PICTURES)
    assert one == two
    assert all(b"<svg" in picture for picture in one.values())


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "plots").write_text("")
    with pytest.raises(InputError, match="plots"):
        write_plots(tmp_path / "plots", DATA, PROBABILITY, "a test")


def test_measuring_without_pictures_does_not_load_what_draws_them():
    code = "import sys, training.measurement; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
