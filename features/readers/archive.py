"""Zip archives: their members unpacked to files of ours, whatever their names say."""

from __future__ import annotations

import lzma
import shutil
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from features.errors import InputError

# An honest export of text shrinks to a tenth, a dull one to a hundredth; less, and so much of it, fills disks.
_MOST_EXPANSION = 300
_ALLOWED_BYTES = 2**30
_BLOCK = 2**20
_ENCRYPTED = 0x1
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)


def unpacked(path: Path, into: Path) -> list[tuple[str, Path]]:
    """Unpack the archive's files into the folder `into`: their names for messages ("export.zip:Clicks.csv"), paths.

    Files lie in `into` under numbers, so that no name in an archive leads out of it. Names that begin with "." or
    "_", what macOS adds, and links are left out; the rest is sorted by name, of two with one name the later counts.
    Raises InputError where the archive is damaged, encrypted, an Excel workbook, holds archives or nothing, is
    larger than the disk has room for, or grows beyond reason.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
            _check_size(path, members, into)
            room = _room(path)
            made = []
            for number, member in enumerate(members, start=1):
                target = into / f"{number}"
                room -= _unpack(path, archive, member, target, room)
                made.append((f"{path.name}:{_shown(member)}", target))
            return made
    except NotImplementedError as error:
        raise InputError(f"{path}: is packed in a way that cannot be read here ({error}); unpack it") from error
    except _UNREADABLE as error:
        raise InputError(f"{path}: the zip data is damaged or cut off ({error}); copy the file again") from error


def _members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    if "[Content_Types].xml" in archive.namelist():
        raise InputError(f"{path}: is an Excel workbook; save the sheet as CSV")
    by_name = {member.filename: member for member in archive.infolist() if _wanted(member)}
    if not by_name:
        raise InputError(f"{path}: the archive holds no files; name an archive with events")
    for member in by_name.values():
        if member.flag_bits & _ENCRYPTED:
            raise InputError(f"{path}: {_shown(member)} is encrypted; unpack it with its password")
    return [by_name[name] for name in sorted(by_name)]


def _wanted(member: zipfile.ZipInfo) -> bool:
    hidden = any(part.startswith((".", "_")) for part in PurePosixPath(member.filename).parts)
    return not (hidden or member.is_dir() or stat.S_ISLNK(member.external_attr >> 16))


def _shown(member: zipfile.ZipInfo) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in member.filename)


def _room(path: Path) -> int:
    return max(_ALLOWED_BYTES, _MOST_EXPANSION * path.stat().st_size)


def _check_size(path: Path, members: list[zipfile.ZipInfo], into: Path) -> None:
    size = sum(member.file_size for member in members)
    if size > _room(path):
        raise _grows(path)
    free = shutil.disk_usage(into).free
    if size > free:
        raise InputError(
            f"{path}: needs {size / 2**30:.1f} GB unpacked, {into} has {free / 2**30:.1f} GB; make room, or set TMPDIR"
        )


def _grows(path: Path) -> InputError:
    return InputError(
        f"{path}: grows to more than {_MOST_EXPANSION} times its size; unpack it where there is room, and look at what"
        " it is"
    )


def _unpack(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, room: int) -> int:
    """Write the member to `target`; gives its size, which may be other than the archive says."""
    written = 0
    with archive.open(member) as source, _created(target) as file:
        while block := source.read(_BLOCK):
            if not written and block.startswith(b"PK\x03\x04"):
                raise InputError(f"{path}: holds another archive, {_shown(member)}; unpack the outer one")
            written += len(block)
            if written > room:
                raise _grows(path)
            _write(file, block)
    return written


def _created(target: Path) -> IO[bytes]:
    try:
        return target.open("xb")
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); set TMPDIR to a folder with room") from error


def _write(file: IO[bytes], block: bytes) -> None:
    try:
        file.write(block)
    except OSError as error:
        raise InputError(
            f"{file.name}: cannot be written ({error.strerror}); set TMPDIR to a folder with room"
        ) from error
