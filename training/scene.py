"""The scene: one world with its audience, mailings, addresses and agents, for all that make visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.addresses import AddressBook
from training.agents import AgentBook
from training.audience import Audience
from training.mailing import Mailing
from training.visits import Int
from training.world import World


@dataclass
class Kinds:
    """The kinds of visitor met so far: what a label's `source` says, as codes."""

    names: list[str] = field(default_factory=list)

    def code(self, name: str) -> int:
        """Give the code of a kind."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


@dataclass(frozen=True)
class Scene:
    """Read-only apart from the three books, which grow as visitors take addresses and agents."""

    world: World
    audience: Audience
    mailing: Mailing
    addresses: AddressBook
    agents: AgentBook
    kinds: Kinds
    main_systems: Sequence[str]  # the consumer networks most of the audience is on
    carriers: Sequence[str]  # mobile networks
    egress_first: Int  # of each domain: its own addresses are `egress_first` and the next `egress_count`
    egress_count: Int
    egress_kind: Int  # OFFICE, PROXIED, VIRTUAL_DESKTOP
    egress: Int  # address codes, domain after domain
    newer: Int  # of each campaign: browser versions released between it and the end of the export

    def domain(self, message: Int) -> Int:
        """Give the domain of each message's recipient."""
        domain: Int = self.audience.recipient_domain[self.mailing.recipient[message]]
        return domain

    def office(self, domain: Int, pick: Int) -> Int:
        """Give the address through which a domain's staff reach the web; `pick` chooses among its few."""
        address: Int = self.egress[self.egress_first[domain] + pick % np.maximum(1, self.egress_count[domain])]
        return address


OFFICE, PROXIED, VIRTUAL_DESKTOP = range(3)
