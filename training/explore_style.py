"""How the pictures of the notebooks look: colours, axes, names.

Colours are Okabe and Ito's, which colour-blind people tell apart. People are blue, machines orange, what is neither or
not known grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

PERSON, MACHINE, NEITHER, INK = "#0072B2", "#D55E00", "#999999", "#222222"
# Before this time after delivery the axis is linear: machines come within the second, and some before.
_FIRST_S = 1.0
_MARKS = ((0, "delivery"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3_600, "1 h"), (86_400, "1 day"))
_LONGEST_NAME = 44
_STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "axes.edgecolor": "#777777",
    "text.color": INK,
    "axes.labelcolor": INK,
}


def figure(rows: int, columns: int, size: tuple[float, float], **how: Any) -> tuple[Figure, Any]:
    """A figure with its axes in an array of (rows, columns), in the style of all of them."""
    with mpl.rc_context(_STYLE):
        made = Figure(figsize=size, layout="constrained")
        axes = made.subplots(rows, columns, squeeze=False, **how)
    for each in axes.flat:
        each.set_axisbelow(True)
    return made, axes


def titled(axes: Any, title: str, x: str = "", y: str = "") -> None:
    """Put the title and the names of the axes, as they are and not as formulas."""
    for text in (axes.set_title(title, loc="left"), axes.set_xlabel(x), axes.set_ylabel(y)):
        text.set_parse_math(False)


def name_rows(axes: Any, names: Sequence[str]) -> None:
    """Name the rows of a plot from the top down; long names are cut in the middle."""
    if not len(names):
        return
    axes.set_yticks(range(len(names)), [shortened(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.tick_params(axis="y", length=0)


def shortened(name: str, most: int = _LONGEST_NAME) -> str:
    """The name where it has at most so many characters, else its beginning and end."""
    return name if len(name) <= most else f"{name[: most - most // 3 - 1]}…{name[-(most // 3) :]}"


def time_axis(axes: Any, last_s: float) -> None:
    """Seconds after delivery, a step for each power of ten; linear below a second."""
    axes.set_xscale("symlog", linthresh=_FIRST_S, linscale=0.4)
    marks = [(at, name) for at, name in _MARKS if at <= max(last_s, 60)]
    axes.set_xticks([at for at, _ in marks], [name for _, name in marks])
    axes.set_xticks([], minor=True)
    axes.grid(axis="x", color="0.9")


def heat_map(axes: Any, values: Any, colours: str, low: float, high: float, form: str) -> None:
    """Cells with their numbers, in ink that can be read on their colours."""
    if not values.size:
        return
    image = axes.imshow(values, cmap=colours, vmin=low, vmax=high, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = image.cmap(image.norm(value))
        ink = "white" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.5 else INK
        axes.text(column, row, form.format(value), ha="center", va="center", color=ink, fontsize="small")
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0)
