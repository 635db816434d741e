"""New reference data from the lists that operators publish: recognised, checked, written as the user's own copy.

Nothing of it runs while scoring, and the packaged data is never touched.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import netaddr
import numpy as np
import pyarrow as pa

from features import address_key, reference
from features.as_tables import as_table, is_as_rows, is_mmdb
from features.errors import InputError
from features.operator_lists import BY_NAME, Content, Entry, OperatorList, content_of, entries_of, fitting
from features.reference import Prefixes
from features.reference_build import (
    ANNOUNCEMENT_COLUMNS,
    aggregate,
    announcement_table,
    name_table,
    prefix_table,
    write_parquet,
)
from features.reference_checks import check_age, check_loss, check_table, checked_networks, newest_date, quantities
from features.reference_copy import (
    MANIFEST,
    VARIABLE,
    Part,
    UserCopy,
    check_replaceable,
    digest,
    folder_in_use,
    read_copy,
    write_copy,
)
from features.reference_document import Document, open_document

# A list of a form that others share is told by its addresses: this much of it is known as one operator's.
_KNOWN_SHARE = 0.5
_SAMPLE = 5_000
_TABLE = "asn"


@dataclass(frozen=True)
class Choices:
    """What the user says beside the files.

    `today` dates what nothing else dates; `named` is the list that a file of a shared form is; `dated` the day of
    files that say none; `force` takes a list that is older or much smaller than the one in use.
    """

    today: date
    named: str | None = None
    dated: date | None = None
    force: bool = False


@dataclass(frozen=True)
class Update:
    """The copy that was written, which parts of it are new, and what the user should know."""

    copy: UserCopy
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class _Recognised:
    """A file and the list that it is; None for a table of autonomous systems."""

    document: Document
    list: OperatorList | None
    content: Content


@dataclass(frozen=True, repr=False)
class _Made:
    """Parts with the bytes of their files, what to say, and whether only today's date was there for them."""

    parts: list[tuple[Part, bytes]]
    notes: list[str]
    undated: bool


def update(
    given: Sequence[str], folder: Path, choices: Choices, progress: Callable[[str], None] = lambda step: None
) -> Update:
    """Read lists from paths and https addresses, and put them into the copy in `folder`: all of them, or none.

    Parts of the copy that nobody gave stay. Raises InputError for a file that is no list that is known, for a list
    that fails a check, and where the folder cannot be written.
    """
    if choices.named is not None and choices.named not in BY_NAME:
        raise InputError(f"--list {choices.named}: expected one of {', '.join(sorted(BY_NAME))}")
    check_replaceable(folder)
    before, notes = _before(folder)
    groups: dict[str, list[_Recognised]] = defaultdict(list)
    for text in given:
        progress(f"reading {text.partition('?')[0]}")
        found = _recognised(open_document(text), before, choices.named)
        groups[_name(found)].append(found)
    if choices.named is not None and choices.named not in groups:
        raise InputError(f"--list {choices.named}: no file that was given has its form; leave the option out")
    new: list[tuple[Part, bytes]] = []
    undated: list[str] = []
    for name, group in groups.items():
        progress(f"checking {name}")
        made = _table_parts(group, before, choices) if name == _TABLE else _list_part(group, before, choices)
        new += made.parts
        notes += made.notes
        undated += [found.document.origin for found in group if made.undated]
    if undated:
        notes.append(f"no date in {', '.join(undated)}: today's is recorded; --date gives another")
    names = {part.name for part, _ in new}
    kept = [(part, before.content[part.name]) for part in before.parts if part.name not in names] if before else []
    copy = write_copy(folder, sorted([*kept, *new], key=lambda pair: pair[0].name))
    return Update(copy, tuple(part for part, _ in new), tuple(notes))


def where_used(folder: Path) -> str:
    """One sentence: where the copy is, and what to set where look-ups do not go by it."""
    said = f"Your copy is in {folder}; the packaged data is as it was."
    with suppress(RuntimeError):  # no home
        if (in_use := folder_in_use()) is not None and in_use.resolve() == folder.resolve():
            return said
    return f"{said} It is not in use: set {VARIABLE}={folder}"


def _before(folder: Path) -> tuple[UserCopy | None, list[str]]:
    """Give the copy that stands in the folder; a damaged one counts as none, since this is how it is repaired."""
    if not (folder / MANIFEST).exists():
        return None, []
    try:
        return read_copy(folder), []
    except InputError as error:
        return None, [f"{str(error).partition(';')[0]}: the copy was made anew; give its other lists again"]


# Which list a file is


def _name(found: _Recognised) -> str:
    return found.list.name if found.list else _TABLE


def _recognised(document: Document, before: UserCopy | None, named: str | None) -> _Recognised:
    if is_mmdb(document) or is_as_rows(document):
        return _Recognised(document, None, None)
    content = content_of(document)
    candidates = fitting(content)
    if named in {one.name for one in candidates}:
        return _Recognised(document, BY_NAME[named or ""], content)
    if not candidates:
        raise InputError(f"{document.name}: is no list that is known; docs/reference.md says which are")
    if not candidates[0].shared_form:
        return _Recognised(document, candidates[0], content)
    shares = {one.name: _known_share(one, entries_of(one, document, content), before) for one in candidates}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < _KNOWN_SHARE:
        raise InputError(
            f"{document.name}: has the form of {' and '.join(shares)}, but {shares[best]:.0%} of its addresses are"
            " known from there; say which it is with --list NAME"
        )
    return _Recognised(document, BY_NAME[best], content)


def _known_share(one: OperatorList, entries: list[Entry], before: UserCopy | None) -> float:
    """Say how much of the list lies in networks that are listed as its own, or that its operator's AS announces."""
    sample = entries[:: len(entries) // _SAMPLE + 1]
    packed = [address_key.pack(entry.cidr.partition("/")[0]) for entry in sample]
    keys = np.array([key or bytes(16) for key in packed], dtype="S16")
    known = (reference.prefixes_with(None), reference.prefixes_with(before), reference.platforms_with(before))
    listed = reference.from_sources(known, {one.name, *one.replaces})
    if len(listed.length):
        starts, winner = address_key.flatten(listed.hi, listed.lo, listed.length, np.arange(len(listed.length)))
        return float(np.mean(winner[np.searchsorted(starts, keys, side="right") - 1] >= 0))
    announced = reference.announcements_with(before)
    starts = address_key.join_halves(announced.hi, announced.lo)
    owners = [asn for asn, fact in reference.load_as_categories().items() if fact.vendor == entries[0].operator]
    return float(np.mean(np.isin(announced.asn[np.searchsorted(starts, keys, side="right") - 1], owners)))


def _listed(one: OperatorList, before: UserCopy | None) -> Prefixes:
    """Give the networks in use that come from this list, or from the packaged source that it replaces."""
    in_use = (reference.prefixes_with(before), reference.platforms_with(before))
    return reference.from_sources(in_use, {one.name, *one.replaces})


# An operator's list


def _list_part(group: list[_Recognised], before: UserCopy | None, choices: Choices) -> _Made:
    one, documents = BY_NAME[_name(group[0])], [found.document for found in group]
    if len(group) > 1 and not one.several:
        raise InputError(f"{documents[1].name}: is {one.name}, as {documents[0].name} is; give one of them")
    said = _day([_iso(one.date(found.content)) for found in group], documents, choices)
    day = (said or choices.today).isoformat()
    networks: dict[tuple[str, str, str], list[netaddr.IPNetwork]] = defaultdict(list)
    for found in group:
        for entry in entries_of(one, found.document, found.content):
            networks[entry.kind, entry.operator, entry.service] += checked_networks(entry, found.document.name)
    joined = aggregate(
        {
            "cidr": str(cidr),
            "category": kind,
            "provider": operator,
            "service": service,
            "evidence": one.evidence,
            "source": one.name,
            "source_date": day,
        }
        for (kind, operator, service), members in networks.items()
        for cidr in netaddr.cidr_merge(members)
    )
    if not choices.force:
        listed = _listed(one, before)
        names = " and ".join(document.name for document in documents)
        check_age(names, one.name, day, newest_date(listed, {one.name, *one.replaces}))
        left = Counter((row["kind"], 6 if ":" in row["cidr"] else 4) for row in joined)
        check_loss(names, left, quantities(listed))
    table = prefix_table(joined)
    content = _parquet(table)
    origin = ", ".join(document.origin for document in documents)
    part = Part(one.name, one.name, origin, day, len(table), one.replaces, digest(content))
    return _Made([(part, content)], [], undated=said is None)


# A table of autonomous systems


def _table_parts(group: list[_Recognised], before: UserCopy | None, choices: Choices) -> _Made:
    documents = [found.document for found in group]
    names = " and ".join(document.name for document in documents)
    table = as_table(documents)
    if not table.spans:
        raise InputError(f"{names}: holds no AS number; give a table of autonomous systems")
    said = _day([table.date], documents, choices)
    day = (said or choices.today).isoformat()
    if not choices.force:
        current = before.part(_TABLE) if before else None
        check_age(names, _TABLE, day, current.date if current else reference.versions_with(None)[_TABLE])
        check_table(names, table, reference.announcements_with(before))
    tables = {_TABLE: announcement_table(table.spans), "as_names": name_table(table.names)}
    origin = ", ".join(document.origin for document in documents)
    parts = []
    for name, rows in tables.items():
        content = _parquet(rows, ANNOUNCEMENT_COLUMNS if name == _TABLE else ())
        parts.append((Part(name, table.source, origin, day, len(rows), (), digest(content)), content))
    clipped = [f"{origin}: {table.clipped:,} ranges overlapped others and were clipped"] if table.clipped else []
    return _Made(parts, clipped, undated=said is None)


# Dates


def _day(own: Sequence[date | None], documents: Sequence[Document], choices: Choices) -> date | None:
    """Give the day that a list is of: by its own word, its name's, the user's, the server's; None where nobody says."""
    said = [day for day in own if day]
    if len(said) == len(own):
        return min(said)
    named = [day for document in documents if (day := _day_in_name(document.origin))]
    served = [document.served for document in documents if document.served]
    return choices.dated or min([*said, *named], default=None) or min(served, default=None)


def _day_in_name(name: str) -> date | None:
    """Give the day that Microsoft writes into ServiceTags_Public_20261117.json, and others into theirs."""
    found = re.search(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?!\d)", name.rpartition("/")[2])
    return _iso("-".join(found.groups())) if found else None


def _iso(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _parquet(table: pa.Table, spread: tuple[str, ...] = ()) -> bytes:
    sink = pa.BufferOutputStream()
    write_parquet(table, sink, spread)
    content: bytes = sink.getvalue().to_pybytes()
    return content
