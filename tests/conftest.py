"""All tests look up the packaged reference data, whatever copy the developer has in the home folder."""

import os
import sys

import pytest

import clicksift
from features.reference_copy import PACKAGED, VARIABLE

os.environ[VARIABLE] = PACKAGED


@pytest.fixture(scope="session")
def registered_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an MLflow store with the versions of `tests.training.registered_models`; to change, copy it."""
    from tests.training.registered_models import COMPARISONS, store_of

    return store_of(tmp_path_factory.mktemp("registered"), COMPARISONS)


@pytest.fixture
def in_process(tmp_path, monkeypatch, capsys):
    """Run the command here, in a folder of its own: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["clicksift", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            clicksift.main()
        return ended.value.code, *capsys.readouterr()

    return run
