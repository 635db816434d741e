"""The benchmark of reputations runs, and judges the later campaigns of a sender and another sender's."""

import pytest

from tests.benchmarks import reputation


def test_both_models_are_measured_on_both_senders(capsys: pytest.CaptureFixture[str]) -> None:
    reputation.main(20_031, senders=2, messages=1_500)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["senders", "AUC", "recall", "log", "loss", "better", "worse"]
    measured = {line[:34].strip(): [float(number) for number in line[34:].split()] for line in lines}
    assert {"all file, known organisations", "other file, unknown organisations"} <= set(measured)
    for senders, auc, auc_beside, recall, recall_beside, *_, better, worse in measured.values():
        assert senders >= better + worse
        assert 0.5 < min(auc, auc_beside) <= 1
        assert 0 <= min(recall, recall_beside) <= 1
