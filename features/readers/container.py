"""What a file is, by its content and not its name: Parquet, Avro, CSV, JSON of any layout, a log, gzip of each."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from features.errors import InputError

# JSON: `lines` has one value a line, `array` is one list, `values` is anything else. `form` is bodies of requests, one
# a line, that carry JSON in a field of a form: mandrill_events=%5B%7B…
Kind = Literal["parquet", "csv", "lines", "form", "array", "values", "avro", "log"]

_HEAD = 2**20
_DELIMITERS = ",;\t|"
_NEXT_STEP = "expected Parquet, Avro, CSV with a header, JSON or an access log, or gzip of these"
# The time of a log line stands in brackets before the request: [10/Oct/2000:13:55:36 -0700] "GET /…
_LOG_LINE = re.compile(
    r"^[^\n]*\[(?:\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\]"
    r"|(?:\d{1,2}/[A-Z][a-z]{2}/\d{4}:|\d{4}-\d{2}-\d{2}T)\d{1,2}:\d{2}:\d{2}[^\]\n]{0,12}\] \\?\")",
    re.MULTILINE,
)
# A log's first line may begin with an address in brackets.
_BRACKETED = re.compile(rb"\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[^\]\s]*)?\](?::\d+)? ")
_LINES_TRIED = 50
# A text may have caught a NUL or two; one in so many bytes is no text.
_TEXT_TO_NULS = 500
_FORM_BODY = re.compile(rb"[\w.-]{1,64}=(%5b|%7b|\[|\{)", re.IGNORECASE)
_FOREIGN = {
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


def is_archive(path: Path) -> bool:
    """Whether the file is a zip archive. Raises InputError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error


def detect(path: Path, name: str = "") -> Form | None:
    """Give the form of the file, from its first bytes; None where it is empty or blank. `name` is for messages.

    Raises InputError where it is something else, or cannot be read.
    """
    head, packed = _head(path)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return None
    if head.startswith(b"PAR1"):
        return Form("parquet", packed)
    if head.startswith(b"Obj\x01"):
        return Form("avro", packed)
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError(f"{name or path}: is {what}")
    if head.count(b"\x00") > 1 + len(head) // _TEXT_TO_NULS:
        raise InputError(f"{name or path}: is binary data of an unknown kind; {_NEXT_STEP}")
    if text.startswith((b"{", b"[")) and not _BRACKETED.match(text):
        return Form(_json_layout(text.decode("utf-8", "replace"), whole=len(head) < _HEAD), packed)
    return _text_form(text, packed)


def _text_form(text: bytes, packed: bool) -> Form:
    if _FORM_BODY.match(text):
        return Form("form", packed)
    if _LOG_LINE.search(text[:_HEAD].decode("utf-8", "replace")):
        return Form("log", packed)
    return _csv_form(text, packed)


def _json_layout(head: str, *, whole: bool) -> Kind:
    """How the values stand in the file, by its first lines: one cut or broken line among them does not matter."""
    lines = [line for line in head.split("\n") if line.strip()]
    complete = (lines if whole else lines[:-1])[:_LINES_TRIED]
    values = sum(_is_json(line) for line in complete if line.lstrip()[0] in "{[")
    if len(lines) > 1 and 2 * values > len(complete):
        return "lines"
    return "array" if head.startswith("[") else "values"


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def opened(path: Path, packed: bool) -> BinaryIO:
    """Give the bytes of the file, unpacked."""
    return cast(BinaryIO, gzip.open(path, "rb")) if packed else path.open("rb")


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
