"""The benchmark of missing columns runs, and writes what the platforms' pages read."""

from pathlib import Path

import pytest

from features.readers.platform_page import missing_from, read_accuracy
from features.readers.platforms import PLATFORMS
from tests.benchmarks import missing_columns


def test_the_table_is_printed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [frozenset[str](), frozenset({"address", "agent", "times"})]
    monkeypatch.setattr(missing_columns, "cases", lambda: few)
    target = tmp_path / "accuracy.csv"
    missing_columns.main(["--worlds", "1", "--messages", "400", "--output", str(target)])
    read = read_accuracy(target)
    assert list(read) == few
    for row in read.values():
        assert 0 <= row.clicks_loss <= 1
        assert 0 <= row.opens_recall <= 1
    assert read[few[0]].opens_recall > 0.5
    assert read[few[1]].clicks_recall < read[few[0]].clicks_recall
    printed = capsys.readouterr().out.splitlines()
    assert printed[2].startswith("nothing ")
    assert printed[3].startswith("address, agent, times ")
    assert f"{read[few[0]].clicks_recall:.2%}" in printed[2]


def test_what_every_platform_lacks_is_a_case() -> None:
    measured = missing_columns.cases()
    assert measured[0] == frozenset()
    assert {missing_from(platform) for platform in PLATFORMS} <= set(measured)
    assert len(set(measured)) == len(measured)
