"""Zip archives: their members unpacked to files of ours, whatever their names say."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from features.errors import InputError

# An honest export of text shrinks to a tenth, a dull one to a hundredth; less, and so much of it, fills disks.
_MOST_EXPANSION = 300
_ALLOWED_BYTES = 2**30
_BLOCK = 2**20


def unpacked(path: Path, into: Path) -> list[tuple[str, Path]]:
    """Unpack the archive's files into the folder `into`: their names for messages ("export.zip:Clicks.csv"), paths.

    Files lie in `into` under numbers, so that no name in an archive leads out of it. Names that begin with "." or
    "_", and what macOS adds, are left out; the rest is sorted by name. Raises InputError where the archive is
    damaged, encrypted, an Excel workbook, holds archives or nothing, or grows beyond reason.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(filter(_wanted, archive.infolist()), key=lambda member: member.filename)
            if any(member.filename == "[Content_Types].xml" for member in archive.infolist()):
                raise InputError(f"{path}: is an Excel workbook; save the sheet as CSV")
            if not members:
                raise InputError(f"{path}: the archive holds no files; name an archive with events")
            _check(path, members)
            return [
                (f"{path.name}:{member.filename}", _unpack(path, archive, member, into / f"{number}"))
                for number, member in enumerate(members, start=1)
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise InputError(f"{path}: the zip data is damaged or cut off ({error}); copy the file again") from error


def _wanted(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return not member.is_dir() and not any(part.startswith((".", "_")) for part in parts)


def _check(path: Path, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        if member.flag_bits & 1:
            raise InputError(f"{path}: {member.filename} is encrypted; unpack it with its password")
        if member.filename.lower().endswith(".zip"):
            raise InputError(f"{path}: holds another archive, {member.filename}; unpack the outer one")


def _unpack(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> Path:
    limit = max(_ALLOWED_BYTES, _MOST_EXPANSION * member.compress_size)
    written = 0
    with archive.open(member) as source, target.open("wb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > limit:
                raise InputError(
                    f"{path}: {member.filename} grows to more than {_MOST_EXPANSION} times its packed size; unpack it"
                    " where there is room, and look at what it is"
                )
            file.write(block)
    return target
