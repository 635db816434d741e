"""What a file is, by its content and not its name: Parquet, CSV, JSON lines or a JSON array, gzip of each."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from features.errors import InputError

Kind = Literal["parquet", "csv", "lines", "array"]

# An array is checked and read as a whole; past this size the wait and the memory are no longer small.
ARRAY_LIMIT = 256 * 2**20
_HEAD = 2**20
_DELIMITERS = ",;\t|"
_NEXT_STEP = "expected Parquet, CSV with a header, JSON lines or a JSON array, or gzip of these"
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"Obj\x01": "an Avro file; convert it to Parquet",
    b"ORC": "an ORC file; convert it to Parquet",
    b"SQLite format 3\x00": "an SQLite database; export the table as CSV",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it",
    b"BZh": "a bzip2 archive; unpack it",
}


@dataclass(frozen=True)
class Form:
    """How a file is to be read. Files of equal form are read together.

    `columns` are the names in a CSV header, made unique; empty for the other kinds, which name their own.
    """

    kind: Kind
    gzip: bool = False
    delimiter: str = ","
    columns: tuple[str, ...] = ()


def find_files(paths: Sequence[str | Path]) -> list[Path]:
    """Give the files that `paths` name, in the order given: files, folders (with all below them) and globs.

    Inside folders, names that start with "." or "_" are left out (markers and leftovers of other programs). A
    file named twice is read once. Raises InputError where a path names nothing.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _expanded(Path(path)):
            found.setdefault(file.resolve(), file)
    if not found:
        raise InputError("no file was named; name files, folders or globs of Parquet, CSV or JSON lines")
    return list(found.values())


def _expanded(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(_below(path))
        if not files:
            raise InputError(f"{path}: the folder holds no files; name a folder or file with events")
        return files
    if path.exists():
        return [path]
    if not glob.has_magic(str(path)):
        near = path.parent if path.parent.is_dir() else None
        hint = f"look into {near}" if near else f"there is no folder {path.parent} either"
        raise InputError(f"{path}: no such file; check the path ({hint})")
    matches = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    files = [file for match in matches for file in (_below(match) if match.is_dir() else [match])]
    if not files:
        raise InputError(f"{path}: no file matches; check the pattern, and quote it so that the shell leaves it alone")
    return sorted(files)


def _below(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
        if file.is_file() and not hidden:
            yield file


def detect(path: Path) -> Form | None:
    """Give the form of the file, from its first bytes; None where it is empty or blank.

    Raises InputError where it is something else, cannot be read, or is a JSON array that is too large.
    """
    head, packed = _head(path)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return None
    if head.startswith(b"PAR1"):
        return Form("parquet", packed)
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError(f"{path}: is {what}")
    if b"\x00" in head:
        raise InputError(f"{path}: is binary data of an unknown kind; {_NEXT_STEP}")
    if text.startswith(b"{"):
        return Form("lines", packed)
    if text.startswith(b"["):
        _check_array(path, packed)
        return Form("array", packed)
    return _csv_form(text, packed)


def opened(path: Path, packed: bool) -> io.BufferedIOBase:
    """Give the bytes of the file, unpacked."""
    return gzip.open(path, "rb") if packed else path.open("rb")


def _head(path: Path) -> tuple[bytes, bool]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with opened(path, packed) as file:
            return file.read(_HEAD), packed
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip data is damaged or cut off ({error}); copy the file again") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error


def _check_array(path: Path, packed: bool) -> None:
    """Refuse an array that is too large, or has lost its end: the reader would drop the tail silently."""
    size, last = 0, b""
    if not packed:
        size = path.stat().st_size
    if size <= ARRAY_LIMIT:
        size = 0
        with opened(path, packed) as file:
            while size <= ARRAY_LIMIT and (block := file.read(_HEAD)):
                size += len(block)
                last = block.rstrip()[-1:] or last
    if size > ARRAY_LIMIT:
        raise InputError(
            f"{path}: is a JSON array of more than {ARRAY_LIMIT // 2**20} MB; convert it to JSON lines, "
            f"for example: jq -c '.[]' {path.name} > events.jsonl"
        )
    if last != b"]":
        raise InputError(f"{path}: is a JSON array without its closing bracket; it was cut off, copy the file again")


def _csv_form(text: bytes, packed: bool) -> Form:
    head = text.decode("utf-8", "replace")
    first_line = head.splitlines()[0]
    bare = "".join(first_line.split('"')[::2])
    delimiter = max(_DELIMITERS, key=bare.count)
    names = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter))
    return Form("csv", packed, delimiter, unique_names(names))


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Give the names with blanks trimmed; a second "ip" becomes "ip_2", an empty name "column_3"."""
    taken: dict[str, None] = {}
    for position, name in enumerate(names, start=1):
        base = name.strip() or f"column_{position}"
        number, candidate = 1, base
        while candidate in taken:
            number += 1
            candidate = f"{base}_{number}"
        taken[candidate] = None
    return tuple(taken)
