"""How long `clicksift report` takes, and how large the page is.

python -m tests.benchmarks.report [--events N]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.score import CLICKSIFT, export, run


def measure(events: int) -> str:
    """Seconds, memory and bytes for a scored file of so many events."""
    with tempfile.TemporaryDirectory(prefix="clicksift-report-") as folder:
        place = Path(folder)
        export(events, place)
        scored, page = place / "scored.parquet", place / "report.html"
        tables = [place / "events.parquet", "--campaigns", place / "campaigns.parquet"]
        run([CLICKSIFT, "score", *tables, "-o", scored])
        taken = run([CLICKSIFT, "report", scored, "-o", page])
        size = page.stat().st_size
    return f"{events:,} events: {taken.seconds:.1f} s, {taken.peak_mb:,.0f} MB; the page has {size / 1e3:,.0f} kB"


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, score, make the page, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.report", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    print(measure(parser.parse_args(arguments).events), flush=True)


if __name__ == "__main__":
    main()
