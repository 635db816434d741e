"""The benchmark of `clicksift discover` runs, and what it measures on eight small worlds stays within bounds."""

import pytest

from tests.benchmarks import discover

# The first eight of the benchmark's worlds that have networks of scanners to find at its size, found or not.
SEEDS = (940_001, 940_009, 940_010, 940_014, 940_019, 940_020, 940_021, 940_025)


@pytest.fixture(scope="module")
def rows():
    return list(discover.measured(SEEDS, 1_500))


def test_most_networks_of_scanners_are_found(rows):
    networks = sum(row.networks for row in rows)
    assert networks >= 10
    assert sum(row.found for row in rows) >= 0.9 * networks


def test_few_groups_are_wrong(rows):
    groups = sum(row.groups.total() for row in rows)
    assert groups >= 10
    assert sum(row.wrong.total() for row in rows) <= 0.1 * groups


def test_the_sums_are_printed(rows, capsys, monkeypatch):
    monkeypatch.setattr(discover, "measured", lambda seeds, messages: iter(rows))
    discover.main(["--worlds", "8"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"found {sum(row.found for row in rows)} of {sum(row.networks for row in rows)} networks")
