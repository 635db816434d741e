"""The benchmark runs, and what it compares is comparable."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import plain_pandas, score
from training.simulation import simulate


def test_the_benchmark_prints_speed_memory_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    score.main(["--events", "5000", "--runs", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("5,000 events, ")
    for line, name in zip(lines[2:4], ("clicksift score", "plain pandas"), strict=True):
        assert re.fullmatch(rf"{name} +\d+ +\d+\.\d / \d+\.\d +[\d,]+ +[\d,]+", line)
    ratio = r"\d+\.\d\d times"
    assert re.fullmatch(
        rf"clicksift takes {ratio} the seconds of plain pandas \({ratio} a feature\) and {ratio} the memory\.", lines[4]
    )


def test_the_plain_script_computes_at_least_forty_features_that_say_something(tmp_path: Path) -> None:
    simulate(7, 1_000).write(tmp_path)
    X = plain_pandas.features(plain_pandas.read(tmp_path / "events.parquet", tmp_path / "campaigns.parquet"))
    telling = [name for name in X if X[name].nunique(dropna=False) > 1]
    assert len(telling) >= 40
    assert not np.isinf(X.to_numpy()).any()


def test_the_trailing_sums_of_the_plain_script_are_right() -> None:
    """One address: 3 messages in hour 0, 1 in hour 168, 1 in hour 169; the week of hour 169 begins with hour 1."""
    import pandas as pd

    index = pd.MultiIndex.from_tuples([(0, 0), (0, 168), (0, 169), (1, 169)], names=["key", "hour"])
    hours = pd.DataFrame({"messages": [3.0, 1.0, 1.0, 5.0]}, index=index)
    assert plain_pandas._trailing(hours, 168)["messages"].tolist() == [3.0, 4.0, 2.0, 5.0]
