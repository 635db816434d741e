"""What a platform says of the program behind a user agent: rough words, by its own rules."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Android", "Android"),
    ("Mac OS X", "OS X"),
    ("Linux", "Linux"),
)
_PROGRAMS = (
    ("GoogleImageProxy", "Gmail"),
    ("YahooMailProxy", "Yahoo"),
    ("Outlook", "Outlook"),
    ("Thunderbird", "Thunderbird"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


class Client(NamedTuple):
    """Program, system and device ("desktop", "mobile"); "unknown" where the agent does not tell."""

    name: str
    system: str
    device: str


@cache
def client(agent: str | None) -> Client:
    """Describe the agent.

    >>> client("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0")
    Client(name='Firefox', system='Windows', device='desktop')
    """
    text = agent or ""
    system = next((name for part, name in _SYSTEMS if part in text), "unknown")
    name = next((name for part, name in _PROGRAMS if part in text), "unknown")
    device = {"unknown": "unknown", "iOS": "mobile", "Android": "mobile"}.get(system, "desktop")
    return Client(name, system, device)
