"""The review in a notebook: a list of cases, the message of the one in view, buttons and keys to decide it.

Needs ipywidgets (`pip install 'clicksift[notebooks]'`).
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from features.readers import ReadOptions
from training.review import MOST, Review, open_review
from training.review_cases import Case
from training.review_words import HEADINGS, case_line, facts, outcome, standing, timeline_rows

_CASES_SHOWN = 10
# More rows are slow to draw and make a case no easier to judge.
_TIMELINE_ROWS = 60


def reviewer(
    scored_path: str | Path,
    labels_path: str | Path,
    *,
    most: int = MOST,
    who: str | None = None,
    check: str | Path | None = None,
    options: ReadOptions | None = None,
) -> Reviewer:
    """What reviews a scored file in a notebook; as the last line of a cell it is shown.

    Decisions go to the file at `labels_path`, as those of `clicksift review` do. See `training.review.open_review`,
    also for what is raised.
    """
    given = None if check is None else Path(check)
    return Reviewer(open_review(Path(scored_path), Path(labels_path), most=most, who=who, check=given, options=options))


class Reviewer:
    """The widgets of a sitting; `box` holds them all.

    Buttons have the names of the answers; a letter typed into `keys` (h, m, s, b) does what its button does, so that
    no hand leaves the keyboard.
    """

    def __init__(self, review: Review) -> None:
        self.review = review
        self.cases = widgets.Select(rows=_CASES_SHOWN, layout=widgets.Layout(width="auto"))
        self.standing = widgets.HTML()
        self.details = widgets.HTML()
        self.why = widgets.Text(placeholder="why, if you like")
        self.keys = widgets.Text(placeholder="type h, m, s or b here", continuous_update=True)
        self.human = widgets.Button(description="human (h)", tooltip="A person did this")
        self.machine = widgets.Button(description="machine (m)", tooltip="A machine did this")
        self.skip = widgets.Button(description="skip (s)", tooltip="Go on; a decision on this case is taken back")
        self.back = widgets.Button(description="back (b)", tooltip="To the case before")
        self._answers = {"h": self.human, "m": self.machine, "s": self.skip, "b": self.back}
        rows = [[*self._answers.values()], [self.keys, self.why]]
        self.box = widgets.VBox([self.cases, self.standing, *map(widgets.HBox, rows), self.details])
        self.human.on_click(lambda _: self._decide(automated=False))
        self.machine.on_click(lambda _: self._decide(automated=True))
        self.skip.on_click(lambda _: self._move(review.skip))
        self.back.on_click(lambda _: self._move(review.back))
        self._is_drawing = False
        self._show()
        self.cases.observe(self._choose, "index")
        self.keys.observe(self._press, "value")

    def _repr_mimebundle_(self, **asked: Any) -> Any:
        """What a notebook shows of it."""
        return self.box._repr_mimebundle_(**asked)

    def _decide(self, *, automated: bool) -> None:
        if self.review.case is not None:
            self.review.decide(automated, self.why.value)
            self._show()

    def _move(self, step: Callable[[], None]) -> None:
        step()
        self._show()

    def _choose(self, change: Any) -> None:
        if not self._is_drawing and change["new"] is not None:
            self.review.go_to(change["new"])
            self._show()

    def _press(self, change: Any) -> None:
        if change["new"]:
            self.keys.value = ""
            button = self._answers.get(change["new"][-1].lower())
            if button is not None and not button.disabled:
                button.click()

    def _show(self) -> None:
        """Draw what has changed: the list with its decisions, the case in view, the buttons that mean something."""
        review = self.review
        case = review.case
        options = [case_line(review, number) for number in range(len(review.cases))]
        # New options select the first of them, which nobody chose.
        self._is_drawing = True
        if list(self.cases.options) != options:
            self.cases.options = options
        self.cases.index = None if case is None else review.position
        self._is_drawing = False
        self.why.value = ""
        for button in (self.human, self.machine, self.skip):
            button.disabled = case is None
        self.back.disabled = review.position == 0
        notes = [*filter(None, [review.log.note]), standing(review) if case else outcome(review)]
        self.standing.value = "<br>".join(f"<b>{escape(note)}</b>" for note in notes)
        self.details.value = "" if case is None else _case_html(case)


def _case_html(case: Case) -> str:
    first = max(0, min(case.position - _TIMELINE_ROWS // 2, len(case.timeline) - _TIMELINE_ROWS))
    rows = list(enumerate(timeline_rows(case.timeline)))[first : first + _TIMELINE_ROWS]
    lines = "".join(f"<div>{escape(line)}</div>" for line in facts(case))
    head = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    body = "".join(_row_html(row, is_case=number == case.position) for number, row in rows)
    left_out = len(case.timeline) - len(rows)
    more = f"<div>{left_out} events further off are not shown</div>" if left_out else ""
    return f"{lines}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _row_html(row: tuple[str, ...], *, is_case: bool) -> str:
    style = ' style="font-weight: bold; outline: 1px solid"' if is_case else ""
    return f"<tr{style}>" + "".join(f'<td style="padding: 0 0.6em">{escape(cell)}</td>' for cell in row) + "</tr>"
