"""The documentation pages that are made from the code; `make docs` writes them, a test fails when one lags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import typer
from typer.testing import CliRunner

from clicksift import app
from features.catalog import markdown as features_page

DOCS = Path(__file__).parents[1] / "docs"


def command_page() -> str:
    """The command line reference: what each `--help` says."""
    commands = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)
    parts = ["# The command line", "This page is generated from `clicksift.py`; `make docs` writes it again."]
    for name in commands:
        shown = CliRunner().invoke(app, [name, "--help"], prog_name="clicksift", terminal_width=100)
        if shown.exit_code:
            raise typer.Exit(shown.exit_code)
        parts.append(f"## {name}\n\n```text\n{shown.stdout.strip()}\n```")
    return "\n\n".join(parts) + "\n"


PAGES: Mapping[Path, Callable[[], str]] = {
    DOCS / "features.md": features_page,
    DOCS / "commands.md": command_page,
}


def main() -> None:
    """Write all pages."""
    for path, page in PAGES.items():
        path.write_text(page())


if __name__ == "__main__":
    main()
