"""The user's own copy of reference data: a folder of dated tables that stand in for parts of the packaged data.

`reference_update` writes it and `reference` reads it. The folder holds `reference.json` and the Parquet files that
it names, each with a digest; a copy that does not agree with itself is refused as a whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError
from features.files import replacing_directory

VARIABLE = "CLICKSIFT_REFERENCE"
PACKAGED = "packaged"
MANIFEST = "reference.json"
# The tables of autonomous systems; every other part of a copy is an operator's list.
AS_PARTS = ("asn", "as_names")
_FORMAT = 1
_FILE = re.compile(r"[a-z0-9_-]+\.parquet")


@dataclass(frozen=True)
class Part:
    """One table of a copy.

    `name` is asn, as_names or the operator list's; `source` what the file was recognised as; `origin` the name under
    which it was given, without folders and secrets; `replaces` the packaged sources that it stands in for.
    """

    name: str
    source: str
    origin: str
    date: str
    rows: int
    replaces: tuple[str, ...]
    digest: str

    @property
    def file(self) -> str:
        """The name of its file in the folder."""
        return f"{self.name}.parquet"


@dataclass(frozen=True)
class UserCopy:
    """A whole copy in memory, so that what is looked up and the version that is told are of one moment."""

    folder: Path
    parts: tuple[Part, ...]
    content: Mapping[str, bytes]

    @property
    def lists(self) -> tuple[Part, ...]:
        """The operators' lists among the parts."""
        return tuple(part for part in self.parts if part.name not in AS_PARTS)

    def part(self, name: str) -> Part | None:
        """The part of that name, None where the copy has none."""
        return next((part for part in self.parts if part.name == name), None)

    def table(self, name: str) -> pa.Table:
        """The table of the part of that name; KeyError where there is none."""
        return pq.ParquetFile(pa.BufferReader(self.content[name])).read()


def default_folder() -> Path:
    """Where a copy lies unless the user says otherwise: in $XDG_DATA_HOME, which is ~/.local/share without it."""
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    if not data.is_absolute():  # the specification says to ignore others
        data = Path("~/.local/share").expanduser()
    return data / "clicksift" / "reference"


def folder_to_write() -> Path:
    """The folder that $CLICKSIFT_REFERENCE names, else the default one."""
    named = os.environ.get(VARIABLE, "")
    return Path(named).expanduser() if named and named != PACKAGED else default_folder()


def folder_in_use() -> Path | None:
    """The folder that is read: the one named in $CLICKSIFT_REFERENCE, or the default one where it holds a copy."""
    named = os.environ.get(VARIABLE, "")
    if named:
        return None if named == PACKAGED else Path(named).expanduser()
    with suppress(OSError, RuntimeError):  # a home that is not there or not ours to look into has no copy
        folder = default_folder()
        return folder if (folder / MANIFEST).exists() else None
    return None


def copy_in_use() -> UserCopy | None:
    """The copy that look-ups go by; None where the packaged data is alone.

    Raises InputError where $CLICKSIFT_REFERENCE names a folder without a copy, and for a damaged copy.
    """
    folder = folder_in_use()
    if folder is None:
        return None
    if not (folder / MANIFEST).exists():
        raise InputError(
            f"{VARIABLE}={folder}: holds no reference data; run clicksift reference update FILE --into {folder},"
            f" or set {VARIABLE}={PACKAGED}"
        )
    return read_copy(folder)


def read_copy(folder: Path) -> UserCopy:
    """Read a copy whole; raises InputError, which names the file, for one that is damaged."""
    try:
        return _read(folder)
    except InputError:
        # An update may have put a new folder in place between two of our files.
        return _read(folder)


def write_copy(folder: Path, parts: Iterable[tuple[Part, bytes]]) -> UserCopy:
    """Put a copy of these parts in place of whatever copy was in `folder`: all of it, or nothing changes.

    Raises InputError where the folder holds anything else than a copy.
    """
    check_replaceable(folder)
    written = tuple(parts)
    manifest = {"format": _FORMAT, "parts": [asdict(part) for part, _ in written]}
    with replacing_directory(folder) as temporary:
        for part, content in written:
            (temporary / part.file).write_bytes(content)
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return UserCopy(folder, tuple(part for part, _ in written), {part.name: content for part, content in written})


def check_replaceable(folder: Path) -> None:
    """Raise InputError where `folder` holds a file that no copy has: it would be lost."""
    foreign = sorted(
        path.name
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.is_dir() or not (path.name == MANIFEST or _FILE.fullmatch(path.name))
    )
    if foreign:
        raise InputError(f"{folder}: holds {foreign[0]}, which is no reference data; name an empty or a new folder")


def digest(content: bytes) -> str:
    """32 hexadecimal digits that change with the content."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _read(folder: Path) -> UserCopy:
    parts = _parts(folder)
    content = {part.name: _bytes(folder, part.file) for part in parts}
    for part in parts:
        if digest(content[part.name]) != part.digest:
            raise _damaged(folder, part.file, f"is not the file that {MANIFEST} describes")
    return UserCopy(folder, parts, content)


def _parts(folder: Path) -> tuple[Part, ...]:
    text = _bytes(folder, MANIFEST)
    try:
        manifest = json.loads(text)
        form, listed = manifest["format"], manifest["parts"]
        if form != _FORMAT:
            raise _damaged(folder, MANIFEST, f"is of format {form!r}, this clicksift reads {_FORMAT}")
        return tuple(_part(entry) for entry in listed)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, MANIFEST, "is not as clicksift wrote it") from error


def _part(entry: Mapping[str, Any]) -> Part:
    part = Part(**{field.name: entry[field.name] for field in fields(Part)} | {"replaces": tuple(entry["replaces"])})
    if not _FILE.fullmatch(part.file):
        raise ValueError(part.file)
    return part


def _bytes(folder: Path, file: str) -> bytes:
    try:
        return (folder / file).read_bytes()
    except OSError as error:
        raise _damaged(folder, file, f"cannot be read ({error.strerror or error})") from error


def _damaged(folder: Path, file: str, found: str) -> InputError:
    return InputError(f"{folder / file}: {found}; run clicksift reference update again, or delete {folder}")
