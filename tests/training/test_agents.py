from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from features import ua_parse
from training.agents import BROWSERS, DESKTOPS, PHONES, AgentBook, chrome_date, major, safari


@pytest.mark.parametrize(
    ("when", "chrome", "firefox", "apple"),
    [
        (datetime(2022, 4, 1, tzinfo=UTC), 100, 98, 15),
        (datetime(2024, 1, 30, tzinfo=UTC), 121, 122, 17),
        (datetime(2025, 10, 1, tzinfo=UTC), 141, 143, 26),
    ],
)
def test_the_newest_version_follows_the_calendar(when, chrome, firefox, apple):
    assert abs(major("chrome", when) - chrome) <= 1
    assert abs(major("firefox", when) - firefox) <= 1
    assert safari(when)[0] == apple


def test_release_dates_and_versions_agree():
    assert all(major("chrome", chrome_date(v)) in (v - 1, v) for v in range(90, 146))


def test_an_old_browser_is_as_many_versions_behind_as_asked():
    book = AgentBook(chrome_date(130))
    texts = book.text(book.browsers["windows chrome"][[0, 1, 30]]).to_pylist()
    newest, last, old = ua_parse.parse_agents(texts)["engine_version"].to_pylist()
    assert (newest - last, newest - old) == (1, 30)


@pytest.mark.parametrize("name", BROWSERS)
@pytest.mark.parametrize("version", [90, 120, 145])
def test_browsers_are_read_as_browsers_that_exist(name, version):
    book = AgentBook(chrome_date(version))
    parsed = ua_parse.parse_agents(book.text(book.browsers[name][[0, 2]]).to_pylist())
    assert not any(parsed["impossible"].to_pylist())
    expected = "mobile" if name in PHONES and name != "ipad safari" else "desktop" if name in DESKTOPS else None
    assert expected is None or set(parsed["device"].to_pylist()) == {expected}


def test_no_agent_is_null():
    book = AgentBook(chrome_date(120))
    assert book.text(np.array([-1])).to_pylist() == [None]
