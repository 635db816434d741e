"""The report in a real browser: nothing to complain of, sortable, light and dark, narrow and wide, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.report import Origin, report_page
from tests.chromium import Chromium
from tests.serving.scored_files import scored, small_sender
from tests.serving.test_report import HOSTILE, hostile

pytestmark = pytest.mark.slow

FIRST_CELLS = "[...document.querySelectorAll('#campaigns tbody tr')].map(row => row.cells[{}].dataset.value)"
CLICK = "[...document.querySelectorAll('#campaigns th button')].find(b => b.textContent === '{}').click()"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    small_sender(5).write(folder)
    con, made = scored(folder / "events.parquet", campaigns=folder / "campaigns.parquet")
    origin = Origin("events.parquet", (made.model_version,), made.people, made.capabilities)
    (folder / "report.html").write_text(report_page(con, origin))
    return folder / "report.html"


@pytest.fixture(autouse=True)
def _quiet(browser: Chromium) -> Iterator[None]:
    browser.complaints.clear()
    browser.requests.clear()
    yield
    assert browser.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_fits_and_loads_nothing_else(browser: Chromium, page: Path, width: int, scheme: str) -> None:
    browser.open(page, width=width, scheme=scheme)
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.run("document.querySelectorAll('svg[role=img]').length") >= 4
    widest = "Math.max(...[...document.querySelectorAll('svg[role=img]')].map(s => s.getBoundingClientRect().right))"
    assert browser.run(widest) <= width


@pytest.mark.parametrize("width", [390, 1280])
def test_both_schemes_can_be_read(browser: Chromium, page: Path, width: int) -> None:
    """Words stand out from their ground by 4.5 to 1 (WCAG 2, AA), in either scheme."""
    contrast = """
        (() => {
            const part = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
            const light = text => {
                const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
                return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
            };
            const ground = element => {
                for (let e = element; e; e = e.parentElement) {
                    const color = getComputedStyle(e).backgroundColor;
                    if (!color.endsWith(", 0)")) return light(color);
                }
                return 1;
            };
            const ratios = [...document.querySelectorAll("h1, p, .soft, .card strong, .figure, th, a, summary, small")]
                .map(e => [light(getComputedStyle(e).color), ground(e)])
                .map(([a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
            return [Math.min(...ratios), ground(document.body)];
        })()
    """
    grounds = []
    for scheme in ("light", "dark"):
        browser.open(page, width=width, scheme=scheme)
        least, ground = browser.run(contrast)
        assert least >= 4.5
        grounds.append(ground)
    assert grounds[0] > 0.9
    assert grounds[1] < 0.1


def test_the_campaigns_can_be_sorted_both_ways(browser: Chromium, page: Path) -> None:
    browser.open(page, width=1280)
    browser.run(CLICK.format("clicks, people\\'s"))
    down = [float(value) for value in browser.run(FIRST_CELLS.format(3))]
    assert down == sorted(down, reverse=True)
    assert len(set(down)) > 1
    browser.run(CLICK.format("clicks, people\\'s"))
    assert [float(value) for value in browser.run(FIRST_CELLS.format(3))] == sorted(down)
    assert browser.run("document.querySelector('#campaigns th[aria-sort]').getAttribute('aria-sort')") == "ascending"
    browser.run(CLICK.format("campaign"))
    names = browser.run("[...document.querySelectorAll('#campaigns tbody tr')].map(row => row.cells[0].textContent)")
    assert names == sorted(names)


def test_the_page_reads_without_script(browser: Chromium, page: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page, width=1280)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('th button').length") == 0
    assert browser.run("document.querySelectorAll('#campaigns tbody tr').length") == 4


def test_a_hostile_file_runs_nothing_and_asks_for_nothing(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "hostile.html"
    page.write_text(report_page(hostile(), Origin(HOSTILE, (HOSTILE,))))
    browser.open(page, width=390)
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.run("document.scripts.length") == 1
    assert browser.run("document.querySelectorAll('img, [onerror]').length") == 0
    assert browser.run("document.documentElement.scrollWidth") == 390


def test_a_script_that_is_not_the_pages_own_is_blocked(browser: Chromium, page: Path, tmp_path: Path) -> None:
    """The policy is there and works: what the page is safe by does not rest on escaping alone."""
    altered = tmp_path / "altered.html"
    altered.write_text(page.read_text().replace("</main>", "<script>document.title = 'taken'</script></main>"))
    browser.open(altered, width=1280)
    assert browser.run("document.title") != "taken"
    assert any("Content Security Policy" in text for text in browser.complaints)
    browser.complaints.clear()


def test_print_is_dark_on_white_and_shows_no_navigation(browser: Chromium, page: Path, tmp_path: Path) -> None:
    browser.open(page, width=1280, scheme="dark")
    printed = browser.pdf(tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF-")
    assert 3 <= printed.count(b"/Type /Page\n") <= 15
    browser.prefer("dark", media="print")
    assert browser.run("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert browser.run("getComputedStyle(document.querySelector('nav')).display") == "none"
    browser.prefer("light")
