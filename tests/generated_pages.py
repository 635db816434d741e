"""The documentation pages that are made from the code; `make docs` writes them, a test fails when one lags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter, Signature, getdoc, signature
from pathlib import Path

import typer
from typer.testing import CliRunner

from clicksift import FRAMES, app
from features.catalog import markdown as features_page
from features.readers import platform_page
from features.readers.platform import Platform
from features.readers.platforms import PLATFORMS
from serving.advice_texts import markdown as advice_page
from training import frames

DOCS = Path(__file__).parents[1] / "docs"


def command_page() -> str:
    """The command line reference: what each `--help` says."""
    commands = [(command.name or command.callback.__name__,) for command in app.registered_commands if command.callback]
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


def python_page() -> str:
    """The functions for a notebook: their signatures and docstrings."""
    parts = [
        "# Python",
        "This page is generated from `training/frames.py`; `make docs` writes it again.",
        "`import clicksift` gives these functions where pandas is installed (`pip install '.[train]'`). A `Table` is a"
        " path or a pandas frame, a `Model` the name of one or a model itself. The examples run in the tests, after"
        " `clicksift simulate demo --seed 8 --messages 600`.",
    ]
    for name in FRAMES:
        function = getattr(frames, name)
        text, *examples = (getdoc(function) or "").split("\n>>> ", 1)
        parts += [f"## clicksift.{name}", f"```python\n{_call(name, signature(function))}\n```", text.strip()]
        parts += [f"```pycon\n>>> {example.strip()}\n```" for example in examples]
    return "\n\n".join(parts) + "\n"


def _call(name: str, told: Signature) -> str:
    """A function as code has it: a line a parameter."""
    lines = []
    for parameter in told.parameters.values():
        if parameter.kind is Parameter.KEYWORD_ONLY and "*," not in lines:
            lines.append("*,")
        default = "" if parameter.default is Parameter.empty else f" = {parameter.default!r}"
        lines.append(f"{parameter.name}: {parameter.annotation}{default},")
    given = "".join(f"    {line}\n" for line in lines)
    return f"clicksift.{name}(\n{given}) -> {told.return_annotation}"


def page_of(platform: Platform) -> str:
    """The page of one platform, with the figures that the benchmark wrote."""
    return platform_page.markdown(platform, platform_page.read_accuracy(DOCS / "platforms" / "accuracy.csv"))


PAGES: Mapping[Path, Callable[[], str]] = {
    DOCS / "features.md": features_page,
    DOCS / "what-to-do.md": advice_page,
    DOCS / "commands.md": command_page,
    DOCS / "python.md": python_page,
    DOCS / "platforms" / "README.md": partial(platform_page.overview, PLATFORMS),
    **{DOCS / "platforms" / f"{platform.name}.md": partial(page_of, platform) for platform in PLATFORMS},
}


def main() -> None:
    """Write all pages."""
    for path, page in PAGES.items():
        path.write_text(page())


if __name__ == "__main__":
    main()
