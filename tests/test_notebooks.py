"""The notebooks run from top to bottom on small files of one's own, and their two forms hold the same cells."""

from __future__ import annotations

import os
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from training.explore import CAMPAIGNS, EVENTS, LABELS
from training.simulation import simulate
from training.world import PROFILES

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
# How many pictures each shows at least.
PICTURES = {"first_look": 3, "misclassifications": 6, "features": 3, "retraining": 3}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One kernel for all of them, in a folder of its own: the imports take longer than the cells."""
    folder = tmp_path_factory.mktemp("notebooks")
    simulate(5, 1_000, profile=PROFILES["hard"]).write(folder)
    named = {
        name: str(folder / f"{name.removeprefix('CLICKSIFT_').lower()}.parquet") for name in (EVENTS, CAMPAIGNS, LABELS)
    }
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), env=os.environ | named | {"PYTHONPATH": str(Path(__file__).parents[1])})
    yield manager
    manager.shutdown_kernel(now=True)


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} == set(PICTURES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_its_pictures(path, kernel):
    notebook = nbformat.read(path, as_version=4)
    # Nothing of the notebook before is left.
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    NotebookClient(notebook, km=kernel, timeout=300).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in data for data in shown) >= PICTURES[path.stem]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_and_its_script_hold_the_same_cells(path):
    notebook, script = jupytext.read(path), jupytext.read(path.with_suffix(".py"))
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in script.cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
