"""Makes the larger files of `features/data/` from downloaded lists; nothing of it runs while scoring.

What it reads: Parquet of address ranges with their AS (family, start_hi, start_lo, end_hi, end_lo, asn, name;
IPv4 in the low halves), Parquet of operators' prefixes (cidr, provider, service, category, evidence, source,
source_date) and CSV of AS categories (asn, name, category, vendor, source).
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import netaddr
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError
from features.reference import FACTS, MAPPED_IPV4, split_cidrs

# Clouds, CDNs and hosting firms are told by their AS, which saves 40,000 prefixes.
BULKY_CATEGORIES = frozenset({"cloud", "google_all", "hosting", "vpn_hosting", "cdn", "saas"})
BULK_KINDS = frozenset({"privacy_relay", "vpn"})

# One operator has one name, however the lists spell it; "" where the list does not say whose the network is.
OPERATOR_NAMES: Mapping[str, str] = {
    "akamai_linode": "akamai",
    "appriver_zix": "zix",
    "bing": "microsoft",
    "cisco_ironport": "cisco",
    "fireeye_trellix": "trellix",
    "nable_spamexperts": "spamexperts",
    "palo_alto": "paloalto",
    "skyhigh_mcafee": "skyhigh",
    "symantec_broadcom": "symantec",
    "trend_micro": "trendmicro",
    "vpn": "",
    "webroot_opentext": "webroot",
}
ANNOUNCEMENT_COLUMNS = ("step_hi", "step_lo", "asn")
_WEAK_SOURCE = "name keyword"
_MASK = (1 << 64) - 1


def announcement_runs(ranges: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    """Turn sorted (first, last, asn) into (first, asn) of each run; asn 0 is a gap, neighbours are joined.

    Raises InputError where two ranges overlap.
    """
    current = 0
    following = 0
    yield 0, 0
    for first, last, asn in ranges:
        if first < following or last < first:
            raise InputError(f"AS{asn}: range {first:#x}-{last:#x} overlaps the one before; sort and clip the ranges")
        if first > following and current:
            yield following, 0
            current = 0
        if asn != current:
            yield first, asn
            current = asn
        following = last + 1
    if current and following < 1 << 128:
        yield following, 0


def build_announcements(ranges: Path, target: Path) -> None:
    """Write `asn.parquet` and `as_names.parquet` into `target`."""
    table = pq.read_table(ranges)
    wanted = ("family", "start_hi", "start_lo", "end_hi", "end_lo", "asn")
    columns = [table[name].to_pylist() for name in wanted]
    spans = sorted(
        (
            (start_hi << 64) + start_lo + (MAPPED_IPV4 if family == 4 else 0),
            (end_hi << 64) + end_lo + (MAPPED_IPV4 if family == 4 else 0),
            asn,
        )
        for family, start_hi, start_lo, end_hi, end_lo, asn in zip(*columns, strict=True)
    )
    names = dict(zip(columns[5], table["name"].to_pylist(), strict=True))
    write_parquet(announcement_table(spans), target / "asn.parquet", spread=ANNOUNCEMENT_COLUMNS)
    write_parquet(name_table(names), target / "as_names.parquet")


def announcement_table(spans: Iterable[tuple[int, int, int]]) -> pa.Table:
    """Make the table of `asn.parquet` from sorted (first, last, asn); raises InputError where two overlap."""
    first, asn = zip(*announcement_runs(spans), strict=True)
    return pa.table({**_steps(first), "asn": pa.array(asn, pa.uint32())})


def name_table(names: Mapping[int, str]) -> pa.Table:
    """Make the table of `as_names.parquet` from AS number -> organisation."""
    asns = sorted(names)
    return pa.table({"asn": pa.array(asns, pa.uint32()), "name": pa.array([names[asn] for asn in asns], pa.string())})


def build_categories(categories: Path, target: Path) -> None:
    """Write `as_categories.csv`: what somebody listed; the words of names are left to `as_keywords.csv`."""
    with categories.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["source"].startswith(_WEAK_SOURCE)]
    date = "2026-11-24"  # the lists carry no date of their own: the day they were collected
    _write_csv(
        target / "as_categories.csv",
        ("asn", "category", "vendor", "weak", "source", "source_date"),
        [
            (row["asn"], row["category"], _operator(row["vendor"]), "0", row["source"].split(";")[0], date)
            for row in sorted(rows, key=lambda row: int(row["asn"]))
        ],
    )


def build_networks(prefixes: Path, target: Path) -> None:
    """Write `networks.csv` and `relay_vpn.parquet`: prefixes joined per kind, operator and evidence."""
    rows = [row for row in pq.read_table(prefixes).to_pylist() if row["category"] not in BULKY_CATEGORIES]
    joined = aggregate(rows)
    listed = [row for row in joined if row["kind"] not in BULK_KINDS]
    header = ("cidr", *FACTS)
    _write_csv(target / "networks.csv", header, [[row[name] for name in header] for row in listed])
    write_parquet(prefix_table([row for row in joined if row["kind"] in BULK_KINDS]), target / "relay_vpn.parquet")


def aggregate(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Join the prefixes of each kind, operator and evidence into the fewest that cover the same addresses."""
    groups: dict[tuple[str, str, str], list[Mapping[str, str]]] = defaultdict(list)
    for row in rows:
        groups[row["category"], _operator(row["provider"]), row["evidence"]].append(row)
    joined: list[dict[str, str]] = []
    for (kind, operator, evidence), members in sorted(groups.items()):
        by_cover: dict[Any, list[Mapping[str, str]]] = defaultdict(list)
        covers = netaddr.cidr_merge([row["cidr"] for row in members])
        starts = [(cover.version, cover.first) for cover in covers]
        for row in members:
            network = netaddr.IPNetwork(row["cidr"])
            by_cover[covers[bisect_right(starts, (network.version, network.first)) - 1]].append(row)
        for cover in covers:
            said = by_cover[cover]
            origins = sorted({(row["source"], _date(row["source_date"])) for row in said})
            joined.append(
                {
                    "cidr": str(cover),
                    "kind": kind,
                    "operator": operator,
                    "service": _service({row["service"] for row in said}),
                    "evidence": evidence,
                    "source": "; ".join(source for source, _ in origins),
                    "source_date": "; ".join(date for _, date in origins),
                }
            )
    return joined


def _operator(spelling: str | None) -> str:
    return OPERATOR_NAMES.get(spelling or "", spelling or "")


def _service(services: set[str]) -> str:
    """Name the services, without the places of a hundred data centres."""
    names = sorted({re.sub(r"^(ZIA enforcement node) .*", r"\1", name) for name in services})
    return " / ".join(names)


def _date(text: str) -> str:
    return text if text[:4].isdigit() else "undated"


def _steps(first: Sequence[int]) -> dict[str, pa.Array]:
    """Take differences of the two halves, modulo 2**64: they compress to a third of the addresses."""
    halves = {"step_hi": [value >> 64 for value in first], "step_lo": [value & _MASK for value in first]}
    return {
        name: pa.array(np.diff(np.array(half, dtype=np.uint64), prepend=np.uint64(0))) for name, half in halves.items()
    }


def prefix_table(rows: Sequence[Mapping[str, str]]) -> pa.Table:
    """Make a sorted table of prefixes and their facts: first addresses as steps from one to the next, and lengths."""
    hi, lo, length = split_cidrs([row["cidr"] for row in rows])
    order = np.lexsort((length, lo, hi))
    first = [(int(hi[i]) << 64) + int(lo[i]) for i in order]
    facts = {name: pa.array([rows[i][name] for i in order], pa.string()) for name in FACTS}
    return pa.table({**_steps(first), "length": pa.array(length[order]), **facts})


def write_parquet(table: pa.Table, path: Path | pa.NativeFile, spread: tuple[str, ...] = ()) -> None:
    """Write a table as small as it gets; the columns of `spread` hold numbers that look like noise to a dictionary."""
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=22,
        use_dictionary=[] if spread else [name for name in table.column_names if name in FACTS],
        column_encoding=dict.fromkeys(spread, "BYTE_STREAM_SPLIT") if spread else None,
        write_statistics=False,
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
