import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from clicksift import app, score_command
from tests.generated_pages import PAGES
from training.simulation import simulate

ROOT = Path(__file__).parents[1]
PROSE = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_generated_page_is_up_to_date(path):
    assert path.read_text() == PAGES[path](), "run `make docs`"


def test_every_command_has_an_example_to_paste():
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"Example: clicksift {command.name or command.callback.__name__}" in (command.callback.__doc__ or "")


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    for command in app.registered_commands:
        assert command.callback is not None
        assert f"clicksift {command.name or command.callback.__name__}" in readme


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_links_inside_the_repository_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_constraints_hold_no_address():
    text = (ROOT / "constraints.txt").read_text()
    assert "://" not in text
    assert " @ " not in text


def test_the_python_of_the_readme_runs_and_agrees_with_the_command(tmp_path):
    """What the README shows in Python is what `clicksift score` does."""
    [block] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    simulate(3, 800).write(tmp_path / "demo")
    shown = "\nprint(len(figures), int(verdicts['verdict'].notna().sum()))"
    ran = subprocess.run(
        [sys.executable, "-c", block + shown], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    campaigns, judged = map(int, ran.stdout.split())
    assert campaigns > 0
    score_command(
        [tmp_path / "demo" / "events.parquet"],
        output=tmp_path / "scored.parquet",
        campaigns=tmp_path / "demo" / "campaigns.parquet",
        key_file=tmp_path / "key",
    )
    scored = pq.read_table(tmp_path / "scored.parquet")
    assert judged == len(scored) - scored["verdict"].null_count
