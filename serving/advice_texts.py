"""What is known and advised whatever a file says: vendors' exemptions, platforms' filters, and habits worth having.

The texts are in `data/advice.toml`, each with its source and the source's date.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from features.readers.platforms import PLATFORMS


@dataclass(frozen=True)
class Source:
    """Where a fact is from; `date` is the page's own, or when an undated one was read."""

    title: str
    url: str
    date: str


@dataclass(frozen=True)
class Gateway:
    """What administrators of a vendor's gateway can set (`setting`), and what that does and does not do (`effect`)."""

    product: str
    setting: str
    effect: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class PlatformFilter:
    """What a platform `offers` against machines' events, what that `hides`, and what to `ask` its support for."""

    offers: str
    hides: str
    ask: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Topic:
    """Something to do, in `steps`."""

    title: str
    steps: tuple[str, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Texts:
    """All of it: gateways by vendor, platforms by the name of their reader, topics by name, the letter."""

    gateways: Mapping[str, Gateway]
    any_gateway: Gateway
    platforms: Mapping[str, PlatformFilter]
    topics: Mapping[str, Topic]
    letter_about: str
    letter_text: str

    def gateway(self, vendor: str) -> Gateway:
        """What is known of the vendor's gateway, or of any."""
        return self.gateways.get(vendor, self.any_gateway)

    def letter(self, vendor: str, link_domain: str) -> str:
        """The text to send to the administrators of an organisation with the vendor's gateway.

        What the sender has to fill in stands in capitals; `link_domain` too, where it is not known ('').
        """
        gateway = self.gateway(vendor)
        text = self.letter_text
        for name, value in (("SETTING", gateway.setting), ("EFFECT", gateway.effect), ("PRODUCT", gateway.product)):
            text = text.replace(name, value)
        return text.replace("LINKDOMAIN", link_domain or "YOUR LINK DOMAIN")


@cache
def texts() -> Texts:
    """The texts of the package."""
    read = tomllib.loads((resources.files("serving") / "data" / "advice.toml").read_text(encoding="utf-8"))
    sources = {name: Source(**entry) for name, entry in read["sources"].items()}

    def sourced(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {**entry, "sources": tuple(sources[name] for name in entry["sources"])}

    return Texts(
        gateways={vendor: Gateway(**sourced(entry)) for vendor, entry in read["vendors"].items()},
        any_gateway=Gateway(**sourced(read["any_vendor"])),
        platforms={name: PlatformFilter(**sourced(entry)) for name, entry in read["platforms"].items()},
        topics={
            name: Topic(entry["title"], tuple(entry["steps"]), sourced(entry)["sources"])
            for name, entry in read["topics"].items()
        },
        letter_about=read["letter"]["about"],
        letter_text=read["letter"]["text"].strip() + "\n",
    )


def markdown() -> str:
    """The documentation page: all of the texts."""
    known = texts()
    titles = {platform.name: platform.title for platform in PLATFORMS}
    parts = [
        "# What to do about machines",
        "This page is generated from `serving/data/advice.toml`; `make docs` writes it again. `clicksift advice"
        " scored.parquet` chooses from it by what a file shows, with the file's figures.",
    ]
    for topic in known.topics.values():
        parts += [f"## {topic.title}", "\n".join(f"- {step}" for step in topic.steps), *_cited(topic.sources)]
    parts += ["## Ask for an exemption", known.letter_about]
    for gateway in (*known.gateways.values(), known.any_gateway):
        title = f"{gateway.product[0].upper()}{gateway.product[1:]}" if gateway.sources else "Any other gateway"
        parts += [f"### {title}", f"{gateway.setting} {gateway.effect}", *_cited(gateway.sources)]
    parts += ["### The text to send", f"```text\n{known.letter_text}```", "## What your own platform offers"]
    for name, platform in known.platforms.items():
        parts += [
            f"### {titles[name]}",
            f"{platform.offers}\n\nWhat that hides: {platform.hides}\n\nWhat to ask: {platform.ask}",
            *_cited(platform.sources),
        ]
    return "\n\n".join(parts) + "\n"


def _cited(sources: Sequence[Source]) -> list[str]:
    return [f"Source: {'; '.join(f'[{each.title}]({each.url}) ({each.date})' for each in sources)}."] if sources else []
