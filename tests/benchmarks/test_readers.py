"""The benchmark of the readers compares like with like."""

from __future__ import annotations

import pytest

from tests.benchmarks.readers import NAMES, clicksift_reader, compare, export_files, plain_reader, write_files


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_read_the_same_records(tmp_path, name):
    """But for pages without events, which only one side counts."""
    write_files(name, 500, tmp_path)
    files = export_files(tmp_path)
    ours, plain = clicksift_reader()(name, files), plain_reader()(name, files)
    assert ours - plain == (name == "mailgun")
    assert plain > 300


def test_a_comparison_names_speed_memory_and_ratio(tmp_path):
    said = compare("gophish", 300, 1, tmp_path)
    assert said.startswith("gophish")
    for part in ("records", "events/s", "MB", "times as fast"):
        assert part in said
