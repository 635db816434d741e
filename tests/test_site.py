"""The documentation site: built strictly and without a network, and true to the commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import clicksift
from features.readers.platforms import PLATFORMS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GENERATED = {"commands.md", "features.md", "python.md"}
WRITTEN = sorted(path for path in DOCS.glob("*.md") if path.name not in GENERATED)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    # Whatever would be fetched is asked of a port where nobody listens.
    nobody = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, **nobody, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_it_is_built_with_a_page_for_each_job_and_platform(site):
    assert {path.stem for path in WRITTEN} <= {path.stem for path in site.glob("*.html")}
    front = (site / "index.html").read_text()
    for platform in PLATFORMS:
        assert f'href="platforms/{platform.name}.html"' in front, "in the menu"
    assert "simulated worlds" in (site / "model-card.html").read_text()
    assert "clicksift.explain" in (site / "python.html").read_text()


def test_nothing_is_fetched_from_elsewhere(site):
    asked = re.compile(
        r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=[\"']?(?!https?://www\.w3\.org)(https?:|//)"
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(PLATFORMS)
    assert [path.name for path in pages if asked.search(path.read_text())] == []
    styles = list(site.rglob("*.css"))
    assert styles
    assert [path.name for path in styles if re.search(r"url\([\"']?https?:|@import", path.read_text())] == []


def test_links_to_files_of_the_repository_lead_to_their_pages(site):
    assert 'href="model-card.html"' in (site / "limits.html").read_text()
    assert 'href="reference.html"' in (site / "reference-data.html").read_text()


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_commands_and_options_that_a_page_shows_exist(path):
    commands = typer.main.get_command(clicksift.app).commands
    text = re.sub(r"\s+#.*$", "", path.read_text(), flags=re.MULTILINE)
    shown = re.findall(r"^\$ clicksift (.+)$|`clicksift ([^`]+)`", text, re.MULTILINE)
    for line in map("".join, shown):
        command, group = None, commands
        for word in shlex.split(line.replace("…", "")):
            if command is None or hasattr(command, "commands"):
                assert word in group, line
                command = group[word]
                group = getattr(command, "commands", {})
            elif word.startswith("-"):
                known = {name for given in command.params for name in (*given.opts, *given.secondary_opts)}
                assert word.partition("=")[0] in known, line
