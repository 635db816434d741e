"""The benchmark of the report runs."""

import re

import pytest

from tests.benchmarks import report


@pytest.mark.slow
def test_the_benchmark_prints_seconds_memory_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    report.main(["--events", "3000"])
    assert re.fullmatch(r"3,000 events: \d+\.\d s, [\d,]+ MB; the page has \d+ kB\n", capsys.readouterr().out)
