"""The project key: addresses become opaque ids before anything is stored.

The same address gives the same id as long as the key file is kept; without the file nobody can tell by trying
addresses whose id it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from features.errors import InputError

KEY_BYTES = 32
# In an id: "bob@x.com", "Bob <bob@x.com>", "mailto:bob@x.com"; a host without a dot counts too.
_ADDRESS = re.compile(r"[^\s<>,;:@]+@[^\s<>,;:@]+")
# Inside free text and URLs only what cannot be anything else: "medium.com/@bob" and "a @ b" stay.
_EMBEDDED = re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+")


def address_in(text: str) -> str | None:
    """Give the first email address in `text`; None where there is none.

    >>> address_in("Bob <Bob@Example.com>")
    'Bob@Example.com'
    """
    found = _ADDRESS.search(text)
    return found.group() if found else None


def domain_of(address: str) -> str | None:
    """Give the part after the last @: lower case, ASCII form of international names where they have one.

    >>> domain_of("bob@MÜNCHEN.example")
    'xn--mnchen-3ya.example'
    """
    domain = address.rpartition("@")[2].strip().rstrip(".").lower()
    if not domain.isascii():
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode("ascii")
    return domain or None


@dataclass(frozen=True)
class RecipientKey:
    """A secret of 32 bytes and the ids made with it."""

    secret: bytes = field(repr=False)

    @classmethod
    def load_or_create(cls, path: str | Path) -> Self:
        """Give the key kept in `path`, made there on first use: 32 random bytes, readable by the owner alone.

        The file appears whole or not at all, and of two runs that make it at once both use the first.
        Raises InputError where the file is no key or cannot be read or made.
        """
        path = Path(path)
        try:
            if not path.exists():
                _make(path)
            secret = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"{path}: the project key cannot be read or made ({error.strerror}); name a folder that you may write"
            ) from error
        if len(secret) != KEY_BYTES:
            raise InputError(
                f"{path}: found {len(secret)} bytes, a project key has {KEY_BYTES}; name the right file, "
                "or move this one away to start with a new key (recipient ids then change)"
            )
        return cls(secret)

    @classmethod
    def throwaway(cls) -> Self:
        """Give a key that nobody keeps: ids made with it hold within one run only."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def hash(self, address: str) -> str:
        """32 hex digits that stand for `address`; case and surrounding blanks do not matter."""
        text = address.strip().lower().encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self.secret, digest_size=16).hexdigest()

    def hash_within(self, text: str) -> str:
        """`text` with every address in it replaced by its hash."""
        return _EMBEDDED.sub(lambda found: self.hash(found.group()), text)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, does not replace the key that another run has just made.
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
