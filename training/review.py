"""Going through the cases of a scored file one by one: what the terminal and the notebook share."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from pathlib import Path

from features.duckdb_engine import connect
from features.engine import Progress
from features.errors import InputError
from features.readers import ReadOptions, read_labels
from serving.scored_file import read_scored
from training.review_cases import Case, choose_cases, take_decided
from training.review_log import Decision, ReviewLog

MOST = 50


@dataclass
class Review:
    """A sitting: cases in order, where it stands, and what has been decided in it.

    Each decision is in the file of `log` before the next case comes. `before` is how many decisions the file had.
    """

    cases: tuple[Case, ...]
    log: ReviewLog
    who: str | None
    before: int = 0
    position: int = 0
    decided: dict[int, bool] = field(default_factory=dict)

    @property
    def case(self) -> Case | None:
        """The case to decide on; None behind the last."""
        return self.cases[self.position] if self.position < len(self.cases) else None

    @property
    def human(self) -> int:
        """How many cases were called people's."""
        return len(self.decided) - self.automated

    @property
    def automated(self) -> int:
        """How many cases were called machines'."""
        return sum(self.decided.values())

    def decide(self, automated: bool, why: str | None = None) -> None:
        """Keep the decision and go on; a later one on the same case replaces it."""
        self._keep(automated, why)
        self.decided[self.position] = automated
        self.position += 1

    def skip(self) -> None:
        """Go on without a decision; one that the case has from before in this sitting is taken back."""
        if self.position in self.decided:
            self._keep(None, None)
            del self.decided[self.position]
        self.position = min(self.position + 1, len(self.cases))

    def back(self) -> None:
        """Go to the case before; stay at the first."""
        self.position = max(self.position - 1, 0)

    def go_to(self, position: int) -> None:
        """Go to a case by its place from 0 on; IndexError where there is none."""
        if not 0 <= position < len(self.cases):
            raise IndexError(f"case {position}: there are {len(self.cases)}")
        self.position = position

    def _keep(self, automated: bool | None, why: str | None) -> None:
        case = self.cases[self.position]
        self.log.append(
            Decision(case.event_id, case.raw_ref, automated, case.similar_events, self.who, (why or "").strip() or None)
        )


def open_review(
    scored: Path,
    labels: Path,
    *,
    most: int = MOST,
    who: str | None = None,
    check: Path | None = None,
    options: ReadOptions | None = None,
    memory: str | None = None,
    threads: int = 0,
    progress: Progress | None = None,
) -> Review:
    """A sitting over at most so many cases of a scored file, the most instructive first.

    Decisions are appended to `labels`, JSON lines or CSV; what it holds already is not asked again. `check` is a table
    of labels: those that the scores speak against come first, the other labelled events are not asked. `who` is the
    name of the login where it is not given. Raises InputError where a file cannot be read or written, or is named
    twice.
    """
    for other in (scored, check):
        if other is not None and labels.resolve() == other.resolve():
            raise InputError(f"{labels}: is read, and decisions are appended; name another file for them")
    if progress:
        progress(f"reading {scored}")
    log = ReviewLog(labels)
    con = connect(memory=memory, threads=threads or None)
    try:
        read_scored(con, scored, options)
        before = log.decisions(con)
        take_decided(con, "review_decided")
        if check is None:
            con.execute("CREATE TEMP TABLE review_given (event_row BIGINT, automated BOOLEAN)")
        else:
            read_labels(con, check)
            take_decided(con, "review_given")
        if progress:
            progress("choosing cases")
        return Review(choose_cases(con, most), log, who or _login(), before)
    finally:
        con.close()


def _login() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return None
