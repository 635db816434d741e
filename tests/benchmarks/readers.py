"""How fast the exports of the six main platforms are read, beside plain Python on the same files.

    python -m tests.benchmarks.readers [--events N] [--runs R] [--only NAME ...]

`read_events` gives canonical events: addresses hashed, copies folded, times and words of every platform alike. Plain
Python gives a pandas frame of what the records say, nested values left as they are: json.loads, or csv and re where
the export is no JSON. Each side runs in a process of its own, in turn; its time is from the first file opened to the
table made, imports left out, its memory the most that the process held.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

SEED = 11
PROBE_MESSAGES = 2_000
NAMES = ["gophish", "mailgun", "nginx", "postmark", "sendgrid", "ses"]
Reader = Callable[[str, Sequence[Path]], int]
_LOG_LINE = re.compile(r'(\S+) \S+ \S+ \[([^\]]+)\] "([^"]*)" (\d+) (\S+) "([^"]*)" "([^"]*)"')


@dataclass(frozen=True)
class Run:
    """What one side took for the records of one export."""

    records: int
    seconds: float
    peak_mb: float


def export_files(folder: Path) -> list[Path]:
    """The platform's own files; labels and campaigns lie beside them as Parquet."""
    return sorted(path for path in folder.iterdir() if path.suffix != ".parquet")


def write_files(name: str, events: int, folder: Path) -> None:
    """Write an export of about so many records."""
    from training.platform_exports import simulate_for, write_export

    with tempfile.TemporaryDirectory() as probe:
        write_export(simulate_for(name, SEED, PROBE_MESSAGES), name, Path(probe))
        records = sum(1 for _ in plain_records(name, export_files(Path(probe))))
    write_export(simulate_for(name, SEED, events * PROBE_MESSAGES // records), name, folder)


def clicksift_reader() -> Reader:
    """Give what makes the table `events` and says how many records the files hold."""
    from features.duckdb_engine import connect
    from features.readers import read_events

    return lambda name, files: read_events(connect(), files).records


def plain_reader() -> Reader:
    """Give what makes a pandas frame of the records and says how many there are."""
    import pandas as pd

    return lambda name, files: len(pd.DataFrame(plain_records(name, files)))


def plain_records(name: str, files: Sequence[Path]) -> Iterator[Any]:
    for file in files:
        with file.open(encoding="utf-8", errors="replace", newline="") as stream:
            yield from _PLAIN.get(name, _json_lines)(stream)


def _json_lines(stream: Any) -> Iterator[Any]:
    """Values one a line: events, arrays of events, or pages of them."""
    for line in stream:
        value = json.loads(line)
        if isinstance(value, list):
            yield from value
        elif "items" in value:
            yield from value["items"]
        else:
            yield value


def _concatenated(stream: Any) -> Iterator[Any]:
    text, at = stream.read(), 0
    decode = json.JSONDecoder().raw_decode
    while at < len(text):
        value, at = decode(text, at)
        yield value


def _table(stream: Any) -> Iterator[Any]:
    for row in csv.DictReader(stream):
        yield {**row, "details": json.loads(row["details"]) if row["details"] else None}


def _log(stream: Any) -> Iterator[Any]:
    for line in stream:
        found = _LOG_LINE.match(line)
        yield found.groups() if found else (line,)


_PLAIN: Mapping[str, Callable[[Any], Iterator[Any]]] = {"ses": _concatenated, "gophish": _table, "nginx": _log}


SIDES: Mapping[str, Callable[[], Reader]] = {"clicksift": clicksift_reader, "plain": plain_reader}


def run(side: str, name: str, events: int, folder: Path) -> Run:
    """Run one side, or `write`, as a process of its own; the parent stays small, for its size counts as the child's."""
    command = [sys.executable, "-m", "tests.benchmarks.readers", "--part", side, "--only", name]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen([*command, "--events", str(events), "--folder", str(folder)], stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{side} failed on {name}")
        said.seek(0)
        told = json.loads(said.read())
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return Run(told["records"], told["seconds"], usage.ru_maxrss / unit)


def measure(part: str, name: str, events: int, folder: Path) -> None:
    """Write or read one export in this process and print what it took."""
    if part == "write":
        write_files(name, events, folder)
        print(json.dumps({"records": events, "seconds": 0}))
        return
    reader, files = SIDES[part](), export_files(folder)
    started = time.perf_counter()
    records = reader(name, files)
    print(json.dumps({"records": records, "seconds": time.perf_counter() - started}))


def compare(name: str, events: int, runs: int, folder: Path) -> str:
    """Run both sides in turn and say what they took: the medians."""
    run("write", name, events, folder)
    took: dict[str, list[Run]] = {side: [] for side in SIDES}
    for _ in range(runs):
        for side in SIDES:
            took[side].append(run(side, name, events, folder))
    size_mb = sum(path.stat().st_size for path in export_files(folder)) / 1e6
    ours, plain = (median(one.seconds for one in took[side]) for side in SIDES)
    memory = [max(one.peak_mb for one in took[side]) for side in SIDES]
    records = took["clicksift"][0].records
    return (
        f"{name:<9} {records:>8,} records {size_mb:>5.0f} MB   {records / ours:>9,.0f} events/s  {ours:>6.2f} s"
        f"  {memory[0]:>6,.0f} MB   plain {plain:>6.2f} s  {memory[1]:>6,.0f} MB   {plain / ours:>5.2f} times as fast"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--part", choices=["write", *SIDES], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        measure(given.part, given.only[0], given.events, given.folder)
        return
    for name in given.only:
        with tempfile.TemporaryDirectory() as folder:
            print(compare(name, given.events, given.runs, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
