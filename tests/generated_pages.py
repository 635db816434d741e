"""The documentation pages that are made from the code; `make docs` writes them, a test fails when one lags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import typer
from typer.testing import CliRunner

from clicksift import app
from features.catalog import markdown as features_page
from features.readers import platform_page
from features.readers.platform import Platform
from features.readers.platforms import PLATFORMS

DOCS = Path(__file__).parents[1] / "docs"


def command_page() -> str:
    """The command line reference: what each `--help` says."""
    commands = [(command.callback.__name__,) for command in app.registered_commands if command.callback]
    for group in app.registered_groups:
        inside = group.typer_instance.registered_commands if group.typer_instance else []
        commands += [(str(group.typer_instance.info.name), str(command.name)) for command in inside]
    parts = ["# The command line", "This page is generated from `clicksift.py`; `make docs` writes it again."]
    for words in sorted(commands):
        name = " ".join(words)
        shown = CliRunner().invoke(app, [*words, "--help"], prog_name="clicksift", terminal_width=100)
        if shown.exit_code:
            raise typer.Exit(shown.exit_code)
        parts.append(f"## {name}\n\n```text\n{shown.stdout.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def page_of(platform: Platform) -> str:
    """The page of one platform, with the figures that the benchmark wrote."""
    return platform_page.markdown(platform, platform_page.read_accuracy(DOCS / "platforms" / "accuracy.csv"))


PAGES: Mapping[Path, Callable[[], str]] = {
    DOCS / "features.md": features_page,
    DOCS / "commands.md": command_page,
    DOCS / "platforms" / "README.md": partial(platform_page.overview, PLATFORMS),
    **{DOCS / "platforms" / f"{platform.name}.md": partial(page_of, platform) for platform in PLATFORMS},
}


def main() -> None:
    """Write all pages."""
    for path, page in PAGES.items():
        path.write_text(page())


if __name__ == "__main__":
    main()
