"""A published list as it comes: from a path, or over https from an address. Nothing else of clicksift goes online."""

from __future__ import annotations

import gzip
import re
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from features.errors import InputError

LARGEST = 512 << 20  # bytes; the largest list is IPinfo's, of some 60 MB
_TIMEOUT_S = 60
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:(?=//)|file:", re.IGNORECASE)


@dataclass(frozen=True, repr=False)
class Document:
    """A file's content, unpacked. `name` is for messages: an address is without user, password and query.

    `origin` is the name without folders; `served` the day that the server gives as that of the last change.
    """

    name: str
    origin: str
    content: bytes
    served: date | None = None


def open_document(given: str, largest: int = LARGEST) -> Document:
    """Read a path or an https address, unpacking gzip.

    Raises InputError for what cannot be read, for another kind of address and for more than `largest` bytes.
    """
    if not (scheme := _ADDRESS.match(given)):
        return _from_path(Path(given), largest)
    name = _public(given)
    if scheme[0].lower() != "https:":
        raise InputError(f"{name}: addresses are fetched over https only; give an https address or a path")
    if "@" in urlsplit(given).netloc:
        raise InputError(f"{name}: no user and password are sent; download it yourself and name the file")
    return _from_address(given, name, largest)


def _from_path(path: Path, largest: int) -> Document:
    try:
        with path.open("rb") as file:
            return Document(str(path), path.name, _unpacked(file.read(largest + 1), str(path), largest))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); name a file or an address") from error


def _from_address(address: str, name: str, largest: int) -> Document:
    opener = urllib.request.build_opener(_OnlyHttps())
    request = urllib.request.Request(address, headers={"User-Agent": "clicksift"})  # noqa: S310  (https, see above)
    with _refusals(name), opener.open(request, timeout=_TIMEOUT_S) as answer:
        content = answer.read(largest + 1)
        if answer.length and len(content) <= largest:  # http.client keeps a broken connection to itself
            raise OSError(f"the connection broke with {answer.length:,} bytes missing")
        return Document(name, name, _unpacked(content, name, largest), _served(answer.headers.get("Last-Modified")))


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where it stays encrypted."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Give the request to follow; raises URLError for one that leaves https."""
        if urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"it leads to {_public(newurl)}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """Turn what the network refuses into a message that names the address."""
    try:
        yield
    except urllib.error.HTTPError as error:
        with error:
            raise InputError(
                f"{name}: the server answers {error.code} {error.reason}; try the address in a browser"
            ) from error
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise InputError(f"{name}: cannot be fetched ({reason}); download it yourself and name the file") from error


def _unpacked(content: bytes, name: str, largest: int) -> bytes:
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.GzipFile(fileobj=BytesIO(content)) as packed:
                content = packed.read(largest + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{name}: is a broken gzip file ({error}); download it again") from error
    if len(content) > largest:
        raise InputError(f"{name}: is larger than {largest >> 20} MB, which no list is; name the list alone")
    return content


def _public(address: str) -> str:
    """The address without user, password and query, which may hold a licence key."""
    try:
        parts = urlsplit(address)
    except ValueError as error:  # an unclosed bracket; it cannot be taken apart, so nothing of it is shown
        raise InputError(f"an address cannot be read ({error}); write it as https://example.com/list.json") from error
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _served(text: str | None) -> date | None:
    try:
        return parsedate_to_datetime(text).date() if text else None
    except ValueError:
        return None
