"""Who gets the mail: organisations and mailbox providers with their domains, gateways and recipients."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from training.visits import Bool, Int
from training.world import World

GMAIL, YAHOO, ICLOUD, OUTLOOK, M365, WORKSPACE, OWN = range(7)

# Domain -> (host, share of consumer mailboxes before each world's own weighting).
_PROVIDERS: dict[str, tuple[int, float]] = {
    "gmail.com": (GMAIL, 40),
    "googlemail.com": (GMAIL, 1),
    "yahoo.com": (YAHOO, 10),
    "yahoo.co.uk": (YAHOO, 1.5),
    "ymail.com": (YAHOO, 0.7),
    "aol.com": (YAHOO, 3),
    "att.net": (YAHOO, 1),
    "verizon.net": (YAHOO, 0.7),
    "icloud.com": (ICLOUD, 6),
    "me.com": (ICLOUD, 1),
    "mac.com": (ICLOUD, 0.4),
    "outlook.com": (OUTLOOK, 5),
    "hotmail.com": (OUTLOOK, 9),
    "live.com": (OUTLOOK, 2),
    "msn.com": (OUTLOOK, 1),
    "hotmail.co.uk": (OUTLOOK, 1.5),
    "gmx.de": (OWN, 3),
    "web.de": (OWN, 3),
    "t-online.de": (OWN, 2),
    "orange.fr": (OWN, 2),
    "free.fr": (OWN, 1),
    "comcast.net": (OWN, 2),
    "libero.it": (OWN, 1.5),
    "btinternet.com": (OWN, 1),
    "proton.me": (OWN, 0.7),
    "fastmail.com": (OWN, 0.3),
    "qq.com": (OWN, 1),
    "naver.com": (OWN, 1),
    "bigpond.com": (OWN, 0.7),
    "shaw.ca": (OWN, 0.7),
    "seznam.cz": (OWN, 0.6),
    "wp.pl": (OWN, 0.8),
    "uol.com.br": (OWN, 0.8),
}
_SYLLABLES = np.array(
    re.findall(
        "[a-z]+",
        """al an ar ba be bo bri ca cen co cor da del do dyn el en er fa fin flo ga gen gra ha hel hy
        in ka ken ko la len lo lu ma mer mi mo na ne no nor o or pa per pol pra qua ra re ri ro sa
        sel sen si sol sta sto su ta tec tel ter ti to tra tri u val van ve ver vi vo wes wil xen
        ya zen""",
    )
)
_ENDINGS = np.array(
    (".com",) * 10 + (".co.uk", ".de", ".fr", ".net", ".org", ".io", ".eu", ".com.au", ".nl", ".it", ".ca")
)


@dataclass(frozen=True)
class Audience:
    """Domains and recipients. `gateways` holds up to two scanner numbers a domain, -1 for none."""

    domain: Sequence[str]
    business: Bool  # an organisation with staff, not a mailbox provider
    host: Int
    gateways: NDArray[np.int64]  # ndarray of shape (n_domains, 2)
    coverage: NDArray[np.float64]  # share of a domain's mail its gateway sees, times the gateway's own share
    endpoint: Bool  # security software on the staff's machines
    recipient_domain: Int  # of each recipient

    @property
    def recipients(self) -> int:
        """How many there are."""
        return len(self.recipient_domain)


def gather(world: World, rng: Generator, recipients: int, weights: NDArray[np.float64], safe_links: Bool) -> Audience:
    """Gather an audience of that size.

    `weights` say how common each scanner is, `safe_links` which of them only Microsoft 365 has.
    """
    staff = round(recipients * world.business_share)
    sizes = _organisation_sizes(world, rng, staff)
    share = np.array([w for _, w in _PROVIDERS.values()]) * rng.lognormal(0, 0.8, len(_PROVIDERS))
    private = rng.multinomial(recipients - staff, share / share.sum())
    business = np.r_[np.ones(len(sizes), bool), np.zeros(len(private), bool)]
    n = len(business)
    host = np.r_[
        rng.choice((M365, WORKSPACE, OWN), len(sizes), p=rng.dirichlet((5, 2, 2.5))),
        [h for h, _ in _PROVIDERS.values()],
    ].astype(np.int64)
    protected = np.where(business, rng.random(n) < world.gateway_share, rng.random(n) < 2 * world.consumer_scan_share)
    gateways = np.stack([_choose(rng, weights, safe_links, host), _choose(rng, weights, safe_links, host)], axis=1)
    gateways[~protected] = -1
    gateways[rng.random(n) >= world.layered_share, 1] = -1
    gateways[gateways[:, 0] == gateways[:, 1], 1] = -1
    coverage = np.where(business, rng.choice((1.0, 0.7, 0.3), n, p=(0.8, 0.13, 0.07)), world.consumer_scan_share)
    members = np.repeat(np.arange(n), np.r_[sizes, private])
    return Audience(
        domain=[*_names(rng, len(sizes)), *_PROVIDERS],
        business=business,
        host=host,
        gateways=gateways,
        coverage=coverage,
        endpoint=business & (rng.random(n) < world.endpoint_share),
        recipient_domain=rng.permutation(members),
    )


def _organisation_sizes(world: World, rng: Generator, staff: int) -> Int:
    if staff < 1:
        return np.zeros(0, np.int64)
    sizes = np.minimum(world.organisation_limit, rng.random(staff) ** (-1 / world.organisation_tail)).astype(np.int64)
    kept = sizes[: int(np.searchsorted(np.cumsum(sizes), staff)) + 1]
    kept[-1] -= kept.sum() - staff
    return kept


def _choose(rng: Generator, weights: NDArray[np.float64], safe_links: Bool, host: Int) -> Int:
    """Choose a scanner for each domain; Safe Links only where Microsoft hosts the mail."""
    microsoft = rng.choice(len(weights), len(host), p=weights / weights.sum())
    others = np.where(safe_links, 0.0, weights)
    if not others.any():
        return np.where(np.isin(host, (M365, OUTLOOK)), microsoft, -1)
    return np.where(
        np.isin(host, (M365, OUTLOOK)),
        microsoft,
        rng.choice(len(weights), len(host), p=others / others.sum()),
    )


def _names(rng: Generator, n: int) -> list[str]:
    syllables = rng.choice(_SYLLABLES, (n, 4))
    length = rng.integers(2, 5, n)
    stem = syllables[:, 0]
    for i in range(1, 4):
        stem = np.char.add(stem, np.where(length > i, syllables[:, i], ""))
    names = np.char.add(stem, rng.choice(_ENDINGS, n))
    _, first = np.unique(names, return_index=True)
    again = np.setdiff1d(np.arange(n), first)
    names = names.astype("U40")
    names[again] = np.char.add(np.char.add("w", again.astype(str)), names[again])
    return [str(name) for name in names]
