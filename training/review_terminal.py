"""The review in a terminal: a case fills the screen, one key decides it. Without a terminal, a line of input does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from training.review import Review
from training.review_cases import Case
from training.review_words import HEADINGS, facts, standing, timeline_rows

HUMAN, MACHINE, SKIP, BACK, QUIT = "hmsbq"
_WORDS = {"human": HUMAN, "machine": MACHINE, "skip": SKIP, "back": BACK, "quit": QUIT}
_WHY = "w"
_KEYS = "[h] human  [m] machine  [s] skip  [b] back  [q] quit"
_END_OF_INPUT, _INTERRUPT = "\x04", "\x03"
# What of the screen a timeline does not get: the lines around it, its heading, the keys.
_AROUND = 7
_LEAST_ROWS = 5
_NUMBERS = ("after", "gap", "machine")
_FLEXIBLE = ("link", "network", "agent")
_NARROWEST = 7


class Answers(Protocol):
    """Where answers come from: each is one of the five letters, with the reason given for it."""

    keys: str

    def next(self) -> tuple[str, str | None]:
        """Wait for the next answer; QUIT where no more can come."""
        ...


class Keys:
    """Answers by single keys, which `read_key` waits for; w asks for a reason first."""

    keys = f"{_KEYS}  [w] say why, then decide"

    def __init__(self, read_key: Callable[[], str], console: Console) -> None:
        self._read_key = read_key
        self._console = console

    def next(self) -> tuple[str, str | None]:
        """Wait for a key that means something; the end of input and an interrupt mean QUIT."""
        why = None
        while True:
            try:
                key = self._read_key().lower()
                if key == _WHY:
                    why = self._console.input("why: ") or None
                    continue
            except (KeyboardInterrupt, EOFError):
                return QUIT, None
            if key in (_END_OF_INPUT, _INTERRUPT):
                return QUIT, None
            if key in _WORDS.values():
                return key, why


class Lines:
    """Answers by lines: one of the five letters or its word, behind it the reason."""

    keys = f"{_KEYS}, and behind it why; then Enter"

    def __init__(self, lines: TextIO, console: Console) -> None:
        self._lines = lines
        self._console = console

    def next(self) -> tuple[str, str | None]:
        """Read lines up to one that is an answer; QUIT at the end."""
        while line := self._lines.readline():
            word, _, why = line.strip().partition(" ")
            answer = _WORDS.get(word.lower(), word.lower())
            if answer in _WORDS.values():
                return answer, why.strip() or None
            self._console.print(f"{word!r} is no answer; give one of {', '.join(_WORDS)}", markup=False)
        return QUIT, None


def converse(review: Review, answers: Answers, console: Console) -> None:
    """Show case after case and do as the answers say, until the last or QUIT.

    On a terminal each case takes the place of the one before.
    """
    while review.case is not None:
        if console.is_terminal:
            console.clear()
        console.print(view(review, review.case, console.width, console.height if console.is_terminal else None))
        console.print(answers.keys, style="bold", markup=False, soft_wrap=True)
        answer, why = answers.next()
        if answer == QUIT:
            return
        if answer == BACK:
            review.back()
        elif answer == SKIP:
            review.skip()
        else:
            review.decide(answer == MACHINE, why)


def view(review: Review, case: Case, width: int, height: int | None = None) -> Group:
    """A case as it is shown: where the sitting stands, what the event is, and the timeline of its message.

    Where `height` is known, of a long timeline the rows around the event are shown.
    """
    lines = facts(case)
    taken = sum(-(-len(line) // width) for line in lines)
    rows = len(case.timeline) if height is None else max(_LEAST_ROWS, height - taken - _AROUND)
    first = max(0, min(case.position - rows // 2, len(case.timeline) - rows))
    last = min(first + rows, len(case.timeline))
    table = _table(case, width, first, last)
    left_out = [f"{first} earlier"] if first else []
    left_out += [f"{len(case.timeline) - last} later"] if last < len(case.timeline) else []
    more = [Text(f"not shown: {', '.join(left_out)}", style="dim")] if left_out else []
    return Group(Text(standing(review), style="bold"), *(Text(line) for line in lines), table, *more)


def _table(case: Case, width: int, first: int, last: int) -> Table:
    rows = timeline_rows(case.timeline)[first:last]
    room = _room(rows, width - 1)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    table.add_column("", width=1)
    for heading, columns in zip(HEADINGS, room, strict=True):
        table.add_column(heading, width=columns, no_wrap=True, justify="right" if heading in _NUMBERS else "left")
    for number, row in enumerate(rows, start=first):
        is_case = number == case.position
        table.add_row(Text(">" if is_case else ""), *map(Text, row), style="reverse" if is_case else None)
    return table


def _room(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Columns of the terminal for each column of the timeline: links, networks and agents give way, numbers do not."""
    room = [max(map(cell_len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    flexible = [k for k, heading in enumerate(HEADINGS) if heading in _FLEXIBLE]
    while sum(room) + len(room) > width and max(room[k] for k in flexible) > _NARROWEST:
        room[max(flexible, key=room.__getitem__)] -= 1
    return room
