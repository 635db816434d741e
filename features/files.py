"""Output that is whole or absent: written under a temporary name beside the final one, synced, renamed.

A run that is killed leaves at most a hidden `.NAME.….tmp` in the output's folder; the next run that writes
the same output removes it.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import itertools
import os
import re
import secrets
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from features.errors import InputError

# A temporary name says who writes it, so that a leftover can be told from the work of a run that goes on.
_HOST = hashlib.blake2b(socket.gethostname().encode(), digest_size=4).hexdigest()
_RUN = secrets.token_hex(4)
_NUMBER = itertools.count()
_OWNER = re.compile(r"([0-9a-f]{8})-([0-9]+)-([0-9a-f]{8})-[0-9]+\.(?:tmp|old)")
# A process of another machine or container cannot be asked whether it lives: this much silence means no.
_ABANDONED_S = 24 * 3600
_NAME_BYTES = 160
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def replacing_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to; it becomes `path` when the block ends without an error.

    The temporary path does not exist yet, lies in the folder of `path` (made where missing) and ends in
    `.tmp`: a writer that goes by the suffix must be told its format. A symbolic link is written through. An
    existing file stays as it was until the rename, and for ever when the block raises. Raises InputError
    where `path` is a folder, a device or a pipe, and where the folder cannot be written.
    """
    temporary, final = _place(path)
    try:
        yield temporary
        with _refusals(path):
            _sync(temporary)
            temporary.replace(final)
            _sync(final.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_writable(path: str | Path) -> None:
    """Raise InputError as `replacing_file` would for `path`: for the beginning of long work, not its end."""
    _place(path)


def _place(path: str | Path) -> tuple[Path, Path]:
    """The temporary and the final path of a file that can be written there; neither is touched for good."""
    final = _prepared(path)
    if final.exists() and not final.is_file():
        found = "a folder" if final.is_dir() else "a device or a pipe"
        raise InputError(f"{path}: is {found}, a file is written here; name a file")
    temporary = _temporary(final)
    with _refusals(path):
        temporary.touch()
        temporary.unlink()
    return temporary, final


@contextmanager
def replacing_directory(path: str | Path) -> Iterator[Path]:
    """Give a new empty folder to fill; it becomes `path`, content and all, when the block ends without error.

    An existing folder is replaced as a whole, by one exchange of names where the system has it (Linux), and
    its content is deleted: whether that is allowed is for the caller to check first. Raises InputError where
    `path` is no folder and where the folder above it cannot be written.
    """
    final = _prepared(path)
    if final.exists() and not final.is_dir():
        raise InputError(f"{path}: is a file, a folder is written here; name a folder")
    temporary = _temporary(final)
    with _refusals(path):
        temporary.mkdir()
    try:
        yield temporary
        with _refusals(path):
            _sync_tree(temporary)
            _put_in_place(temporary, final)
            _sync(final.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a whole file, or leave what was there; raises InputError like `replacing_file`."""
    with replacing_file(path) as temporary, _refusals(path):
        temporary.write_bytes(content)


def append_line(path: str | Path, line: bytes) -> None:
    """Add a line to the end of a file, made where it is missing; it is on the disk when this returns.

    One append of the whole line: beside another writer, and where the process is killed, lines stay whole. Raises
    InputError where the file cannot be written, and leaves it as it was then.
    """
    with _refusals(path):
        is_new = not Path(path).exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            before = os.fstat(descriptor).st_size
            try:
                if os.write(descriptor, line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        if is_new:
            _sync(Path(os.path.realpath(path)).parent)


@contextmanager
def _refusals(path: str | Path) -> Iterator[None]:
    """Turn what the system refuses into a message that names the output."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: cannot be written ({reason}); free the place or name another output") from error


def _prepared(path: str | Path) -> Path:
    """Return the real place of `path`, its folder made and swept of what killed runs left."""
    with _refusals(path):
        final = Path(os.path.realpath(path))
        final.parent.mkdir(parents=True, exist_ok=True)
        _sweep(final)
    return final


def _temporary(final: Path) -> Path:
    return final.with_name(f"{_prefix(final)}{_HOST}-{os.getpid()}-{_RUN}-{next(_NUMBER)}.tmp")


def _prefix(final: Path) -> str:
    """Start of every temporary name of `final`; a long name gives way to its hash (255 bytes is the end)."""
    encoded = os.fsencode(final.name)
    if len(encoded) <= _NAME_BYTES:
        return f".{final.name}."
    return f".{hashlib.blake2b(encoded, digest_size=16).hexdigest()}."


def _sweep(final: Path) -> None:
    """Remove the temporary files and folders of earlier runs that were killed while they wrote `final`."""
    prefix = _prefix(final)
    for left in list(final.parent.iterdir()):
        owner = _OWNER.fullmatch(left.name.removeprefix(prefix))
        if owner is None or not left.name.startswith(prefix) or not _abandoned(left, *owner.groups()):
            continue
        if left.suffix == ".old" and not final.exists():
            left.rename(final)
        elif left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _abandoned(left: Path, host: str, process: str, run: str) -> bool:
    if host == _HOST and os.name == "posix":
        # A process number comes round again; in a container it is the same every night.
        return run != _RUN if int(process) == os.getpid() else not _alive(int(process))
    with suppress(FileNotFoundError):
        return time.time() - left.lstat().st_mtime > _ABANDONED_S
    return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _sync(path: Path) -> None:
    """Wait until a file's content or a folder's list of names is on the disk; Windows cannot sync folders."""
    if os.name != "posix" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if stat.S_ISREG(path.lstat().st_mode) or stat.S_ISDIR(path.lstat().st_mode):
            _sync(path)
    _sync(folder)


def _put_in_place(folder: Path, final: Path) -> None:
    """Rename `folder` to `final`; what stood there is under the name of `folder` afterwards, or gone."""
    if not final.exists():
        folder.rename(final)
    elif not _exchanged(folder, final):
        aside = folder.with_suffix(".old")
        final.rename(aside)
        try:
            folder.rename(final)
        except OSError:
            aside.rename(final)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the system or the file system (NFS) cannot."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    done: int = renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0
