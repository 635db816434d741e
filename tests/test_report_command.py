"""`clicksift report`, and `clicksift score --report`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.serving.scored_files import small_sender


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sender")
    small_sender(6, messages=500).write(folder)
    return folder


def test_scoring_makes_the_page_and_the_scored_file_makes_it_again(sender: Path, in_process) -> None:
    campaigns = ("--campaigns", sender / "campaigns.parquet")
    given = (sender / "events.parquet", *campaigns, "--threads", "2")
    code, out, _ = in_process("score", *given, "-o", "scored.parquet", "--report", "while-scoring.html")
    assert code == 0
    assert out.splitlines()[-1] == "The report is in while-scoring.html; open it in a browser."
    code, out, _ = in_process(
        "report", "scored.parquet", "--campaigns", sender / "campaigns.parquet", "-o", "page.html"
    )
    assert (code, out) == (0, "The report is in page.html; open it in a browser.\n")
    first, second = Path("while-scoring.html").read_text(), Path("page.html").read_text()
    assert "What became of the records of the export." in first
    assert "What became of the records of the export." not in second
    # What is not of the reading is the same.
    for page in (first, second):
        assert re.search(r"<h1>.*\d.*</h1>", page)
    figures = [page[page.index("<h1>") : page.index('<section id="data">')] for page in (first, second)]
    assert figures[0] == figures[1]


def test_what_cannot_be_is_refused_before_anything_is_read(sender: Path, in_process) -> None:
    events = sender / "events.parquet"
    code, _, err = in_process("score", events, "-o", "scored.parquet", "--report", "report.pdf")
    assert (code, err) == (2, "clicksift: --report report.pdf: the report is a page of HTML; name it report.html\n")
    assert not Path("scored.parquet").exists()
    code, _, err = in_process("report", events, "-o", "report.html")
    assert code == 2
    assert "has no column probability" in err
    code, _, err = in_process("report", "away.parquet")
    assert code == 2
    assert "no such file" in err
    Path("folder.html").mkdir()
    assert "is a folder" in in_process("report", events, "-o", "folder.html")[2]
    assert not Path("report.html").exists()
