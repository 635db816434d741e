"""The page as a whole: sealed, of the file's figures, and of nobody."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from features.errors import InputError
from serving.campaigns import campaign_figures
from serving.report import Origin, report_page, write_report
from tests.features.event_tables import SCANNER
from tests.serving.judged_tables import MACHINE, PERSON, UNSURE, judged
from tests.serving.scored_files import scored, small_sender

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe {{ 7 * 7 }}"
JANE = "jane.doe@example.com"
ORIGIN = Origin("events.csv", ("0123456789ab",))


class Page(HTMLParser):
    """Tags with their attributes, and the text between them but for style and script, of which it has the content."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.raw: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("style", "script") else None

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.raw[self._inside] = self.raw.get(self._inside, "") + data
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def row(kind: str, message: str, judgement: Any, **columns: Any) -> tuple[Any, ...]:
    return kind, 5.0, judgement, {"message_id": message, "recipient_id": f"r-{message}", **columns}


def hostile() -> duckdb.DuckDBPyConnection:
    """A file whose every word is made to break the page, or to name somebody."""
    names = {"campaign_id": HOSTILE, "reasons": HOSTILE, "raw_ref": f"{JANE}.csv:1", "ip": SCANNER}
    flag = {"platform_machine": True, "platform_machine_reason": f"{HOSTILE}=1"}
    rows = [row("clicked", n, MACHINE, url="javascript:alert(3)", **names, **flag) for n in "abc"]
    rows += [row("clicked", n, PERSON, url=f"https://t.example/{JANE}/x", **names) for n in "abc"]
    rows += [row("opened", n, UNSURE, **names) for n in "abc"]
    rows += [row("unsubscribed", "a", MACHINE, **names), row(HOSTILE, "a", None, **names)]
    return judged(rows)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, Origin]:
    """A simulated sender, scored."""
    folder = tmp_path_factory.mktemp("sender")
    small_sender(5).write(folder)
    con, made = scored(folder / "events.parquet", campaigns=folder / "campaigns.parquet")
    return con, Origin("events.parquet", (made.model_version,), made.people, made.capabilities, {"asn": "2026-06-17"})


@pytest.fixture(scope="module")
def text(sender: tuple[duckdb.DuckDBPyConnection, Origin]) -> str:
    return report_page(*sender)


@pytest.fixture(scope="module")
def attacked() -> str:
    return report_page(hostile(), Origin(HOSTILE, (HOSTILE,), notes=(f"about {JANE}",)))


def test_the_page_allows_its_own_style_and_script_and_nothing_else(text: str) -> None:
    page = Page(text)
    [policy] = [each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    hashes = {tag: base64.b64encode(hashlib.sha256(raw.encode()).digest()).decode() for tag, raw in page.raw.items()}
    assert policy is not None
    assert policy.split("; ")[:3] == [
        "default-src 'none'",
        f"style-src 'sha256-{hashes['style']}'",
        f"script-src 'sha256-{hashes['script']}'",
    ]


@pytest.mark.parametrize("which", ["text", "attacked"])
def test_the_page_loads_nothing_and_runs_nothing_of_the_file(which: str, request: pytest.FixtureRequest) -> None:
    page = Page(request.getfixturevalue(which))
    tags = [tag for tag, _ in page.tags]
    assert not {"img", "iframe", "object", "embed", "link", "form", "base", "input", "use", "image"} & set(tags)
    assert (tags.count("script"), tags.count("style")) == (1, 1)
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on")} | ({"src", "style"} & attributes.keys())
    assert "url(" not in page.raw["style"]
    assert "@import" not in page.raw["style"]


def test_links_lead_to_sections_of_the_page_or_to_sources_of_ours(attacked: str) -> None:
    targets = [str(each["href"]) for each in Page(attacked).all("a")]
    ids = {each.get("id") for _, each in Page(attacked).tags}
    assert all(target[1:] in ids for target in targets if target.startswith("#"))
    others = [target for target in targets if not target.startswith("#")]
    assert all(target.startswith("https://") for target in others)
    assert not [target for target in targets if "t.example" in target or "javascript" in target]


def test_words_of_the_file_are_shown_as_they_are_but_cannot_turn_the_text_around(attacked: str) -> None:
    shown = "".join(Page(attacked).words)
    assert "<script>alert(1)</script>" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "javascript:alert(3)" in shown
    assert "\u202e" not in attacked
    assert "\ufffdgnp.exe" in attacked


def test_no_recipient_is_named(attacked: str, text: str, sender: tuple[duckdb.DuckDBPyConnection, Origin]) -> None:
    assert "jane" not in attacked
    assert "https://t.example/(address)/x" in attacked
    rows = sender[0].execute("SELECT DISTINCT recipient_id, message_id, ip FROM events").fetchall()
    named = {value for values in rows for value in values if value and len(value) > 3}
    assert len(named) > 500
    assert not named & set(re.findall(r"[\w.:@-]+", text))


def test_the_table_of_campaigns_has_the_figures_of_campaigns(
    text: str, sender: tuple[duckdb.DuckDBPyConnection, Origin]
) -> None:
    con, origin = sender
    for figures in campaign_figures(con, origin.people).to_pylist():
        line = next(line for line in text.splitlines() if f"<bdi>{figures['campaign_id']}</bdi></td><td data-" in line)
        cells = [each["data-value"] for each in Page(line).all("td") if "data-value" in each]
        assert cells[:3] == [
            str(figures["delivered"] or figures["messages"]),
            str(figures["clicks"]),
            f"{figures['human_clicks']:.3f}",
        ]


def test_every_drawing_says_in_words_what_it_shows_and_has_a_table(text: str) -> None:
    page = Page(text)
    drawings = [each for each in page.all("svg") if "aria-hidden" not in each]
    ids = {each.get("id") for _, each in page.tags}
    assert len(drawings) >= 4
    for each in drawings:
        assert each["role"] == "img"
        assert set(str(each["aria-labelledby"]).split()) <= ids
    assert text.count("The same in figures") == len(drawings)


def test_the_same_figures_make_the_same_page(text: str, sender: tuple[duckdb.DuckDBPyConnection, Origin]) -> None:
    assert report_page(*sender) == text


def test_a_page_of_fifty_campaigns_with_many_links_is_under_a_megabyte() -> None:
    rows = [
        row(
            "clicked",
            f"{campaign}-{n}",
            (MACHINE, PERSON)[n % 2],
            campaign_id=f"campaign number {campaign} of the spring and summer mailings",
            url=f"https://t.example/{'path/' * 12}{n % 4}",
        )
        for campaign in range(50)
        for n in range(12)
    ]
    made = report_page(judged(rows), ORIGIN)
    assert made.count("campaign number") >= 50
    assert len(made.encode()) < 400_000


def test_a_file_without_events_to_judge_has_a_page_too() -> None:
    made = report_page(judged([row("delivered", "a", None)]), ORIGIN)
    assert "There are no opens or clicks to judge." in made
    assert report_page(judged([]), ORIGIN).count("<h2>") == made.count("<h2>")


def test_what_the_file_lacks_is_said() -> None:
    con = judged([row("clicked", "a", PERSON)])
    made = report_page(con, Origin("a.csv", (), capabilities=frozenset({"links"}), notes=("unlike the training",)))
    assert "No user agents: old browsers" in made
    assert "The file has no client addresses that can be trusted" in made
    assert "<li>Unlike the training.</li>" in made


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        write_report(judged([]), ORIGIN, tmp_path)
