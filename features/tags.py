"""What is known of each distinct address and agent, as the integers that the query joins.

Codes are positions in the lists of `ip_lookup` and `ua_parse`, which are only ever appended to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import ip_lookup, ua_parse
from features.arrow_columns import numbers, strings, to_array

# Where people connect from, and where programs do. Offices, schools and authorities have people; what is not listed
# (content delivery, VPN, mailbox providers, security proxies) has both.
PEOPLE_CATEGORIES = ("consumer_isp", "mobile_or_isp", "isp", "education", "government", "enterprise")
MACHINE_CATEGORIES = (
    "mail_security",
    "security_vendor",
    "cloud",
    "cloud_mailbox",
    "hosting",
    "internet_scanner",
)
MACHINE_KINDS = (
    "mail_security",
    "security_service",
    "security_vendor",
    "crawler",
    "ai_crawler",
    "fetcher",
    "suspected_scanner",
)
SHARED_KINDS = (
    "privacy_relay",
    "security_proxy",
    "virtual_desktop",
    "vpn",
    "image_proxy",
    "mailbox_provider",
)


def _codes(values: pa.ChunkedArray, names: Sequence[str]) -> pa.Array:
    return pc.index_in(values, value_set=strings(names)).cast(pa.int32())


def _one_of(values: pa.ChunkedArray, names: Sequence[str]) -> npt.NDArray[np.bool_]:
    return to_array(pc.is_in(values, value_set=strings(names)))


def address_table(addresses: Sequence[str]) -> pa.Table:
    """One row an address: id, what `ip_lookup.locate` found, its codes, and `rank`.

    `rank` is 0 where people connect from, 2 for a scanner's network or a data centre, 1 for neither or unknown; a
    listed prefix speaks before the category of the autonomous system.
    """
    found = ip_lookup.locate(addresses)
    kind, category = found["kind"], found["category"]
    rank = np.ones(len(found), dtype=np.int32)
    rank[_one_of(category, PEOPLE_CATEGORIES)] = 0
    rank[_one_of(category, MACHINE_CATEGORIES)] = 2
    rank[_one_of(kind, SHARED_KINDS)] = 1
    rank[_one_of(kind, MACHINE_KINDS)] = 2
    columns = {
        "address_id": numbers(np.arange(len(found), dtype=np.int32)),
        **{name: found[name] for name in found.column_names},
        "kind_code": _codes(kind, ip_lookup.KINDS),
        "operator_code": _codes(found["operator"], ip_lookup.OPERATORS),
        "evidence_code": _codes(found["evidence"], ip_lookup.EVIDENCE),
        "category_code": _codes(category, ip_lookup.CATEGORIES),
        "rank": numbers(rank),
    }
    return pa.table(columns)


def agent_table(agents: Sequence[str]) -> pa.Table:
    """One row an agent: id, what `ua_parse.parse_agents` found, and its codes."""
    found = ua_parse.parse_agents(agents)
    columns = {
        "agent_id": numbers(np.arange(len(found), dtype=np.int32)),
        **{name: found[name] for name in found.column_names},
        "kind_code": _codes(found["kind"], ua_parse.KINDS),
        "family_code": _codes(found["family"], ua_parse.FAMILIES),
        "os_code": _codes(found["os"], ua_parse.OS_FAMILIES),
        "device_code": _codes(found["device"], ua_parse.DEVICES),
        "engine_code": _codes(found["engine"], ua_parse.ENGINES),
    }
    return pa.table(columns)
