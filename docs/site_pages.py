"""What mkdocs is told of the pages that lie elsewhere in the repository, and of one page a platform."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
# File in the repository -> page of the site.
ELSEWHERE = {
    ROOT / "serving/data/model/model_card.md": "model-card.md",
    ROOT / "features/data/README.md": "reference-data.md",
    ROOT / "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|[#/])([^)#\s]+)")
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page for each platform behind the overview of them, by title."""
    [platforms] = [entry["Platforms"] for entry in config.nav or () if "Platforms" in entry]
    pages = [path for path in (ROOT / "docs" / "platforms").glob("*.md") if path.name != "README.md"]
    titled = sorted((_title(path), f"platforms/{path.name}") for path in pages)
    platforms += [{title: page} for title, page in titled]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in the pages that lie elsewhere."""
    for path, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files of the repository to their page of the site."""
    source, here = Path(page.file.abs_src_path).parent, PurePosixPath(page.file.src_uri).parent

    def led(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(source / link[1]))
        if target not in ELSEWHERE and not target.is_relative_to(ROOT / "docs"):
            return link[1]
        found = ELSEWHERE.get(target) or target.relative_to(ROOT / "docs").as_posix()
        return os.path.relpath(found, here)

    return _LINK.sub(led, markdown)


def _title(path: Path) -> str:
    found = _TITLE.search(path.read_text(encoding="utf-8"))
    return found[1] if found else path.stem
