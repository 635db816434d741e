"""The files of a model directory, three or four: which there are, how large, how they are read, written and hashed.

A directory may come from anywhere, so nothing in it is trusted: names are fixed, links are not followed,
sizes are bounded, JSON is read strictly. Imports nothing else of serving.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import InputError, ModelError
from features.files import replacing_directory

FORMAT_VERSION = 1
MANIFEST, BOOSTER, CARD = "manifest.json", "booster.txt", "model_card.md"
REPUTATION = "reputation.parquet"  # only of models that have learnt some
# Largest size of each file in bytes: many times what a model has, little enough to read.
LIMITS: Mapping[str, int] = {MANIFEST: 2**20, BOOSTER: 64 * 2**20, CARD: 2**20, REPUTATION: 32 * 2**20}

_IGNORED = frozenset({".DS_Store"})
_MANIFEST_FIELDS: Mapping[str, type] = {
    "calibration": dict,
    "created": str,
    "feature_fingerprint": str,
    "feature_names": list,
    "metrics": dict,
    "reference": dict,
    "sha256": dict,
    "thresholds": dict,
    "training": dict,
}


def read_directory(folder: Path) -> tuple[dict[str, Any], str, str, bytes | None]:
    """Return manifest, booster text, card and reputation; raises ModelError unless the folder holds just these files.

    Whether they belong together, the hashes, is for the model to check.
    """
    manifest = _read_manifest(folder)
    found = _names(folder)
    others = sorted(found - set(LIMITS))
    if others:
        raise ModelError(f"{', '.join(others[:3])}: not a file of a model; move it away")
    reputation = _content(folder, REPUTATION) if REPUTATION in found or REPUTATION in manifest["sha256"] else None
    return manifest, _read(folder, BOOSTER), _read(folder, CARD), reputation


def write_directory(
    folder: Path, manifest: Mapping[str, Any], booster_text: str, card: str, reputation: bytes | None = None
) -> None:
    """Write the files, all or none; replaces an earlier model, see `check_replaceable`."""
    check_replaceable(folder)
    contents = _contents(dumped(manifest), booster_text, card, reputation)
    for name, content in contents.items():
        if len(content) > LIMITS[name]:
            raise ModelError(f"{name}: more than {LIMITS[name]} bytes, which no load accepts; make it smaller")
    with replacing_directory(folder) as temporary:
        for name, content in contents.items():
            (temporary / name).write_bytes(content)


def check_replaceable(folder: str | Path) -> None:
    """Raise InputError unless the folder is free, empty, or a model that may be replaced.

    For a command to ask before it works for minutes.
    """
    folder = Path(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: is a file, a model is a directory; name a new directory")
    found = _names(folder)
    if not found:
        return
    others = sorted(found - set(LIMITS))
    try:
        ours = not others and "feature_fingerprint" in parsed(_read(folder, MANIFEST))
    except (ModelError, ValueError):
        ours = False
    if not ours:
        holds = ", ".join((others or sorted(found))[:3])
        raise InputError(f"{folder}: not a model, it holds {holds}; name a new directory or empty this one")


def hashes(
    manifest: Mapping[str, Any], booster_text: str, card: str, reputation: bytes | None = None
) -> dict[str, str]:
    """Return the sha256 of each file; the manifest's own is that of its content without the hashes."""
    rest = {name: value for name, value in manifest.items() if name != "sha256"}
    contents = _contents(dumped(rest), booster_text, card, reputation)
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def dumped(content: Mapping[str, Any]) -> str:
    """Return the one JSON text of a mapping: names sorted, ASCII, no NaN (ValueError)."""
    return json.dumps(content, sort_keys=True, indent=2, allow_nan=False) + "\n"


def parsed(text: str) -> dict[str, Any]:
    """Return a JSON object; ValueError for NaN, infinity, a name that stands twice, endless nesting."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a name stands twice in an object")
        return dict(pairs)

    def finite(number: str) -> float:
        if not math.isfinite(value := float(number)):
            raise ValueError(f"{number} is not a number of JSON")
        return value

    try:
        content = json.loads(text, object_pairs_hook=once, parse_float=finite, parse_constant=finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError("not an object of JSON")
    return content


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = parsed(_read(folder, MANIFEST))
    except ValueError as error:
        raise ModelError(f"{MANIFEST}: {error}; copy the model again or train it again") from error
    version = manifest.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ModelError(
            f"{MANIFEST}: format_version {version!r}, this version of clicksift reads {FORMAT_VERSION}; "
            "install the version that made the model, or retrain with `clicksift train`"
        )
    for name, kind in _MANIFEST_FIELDS.items():
        if not isinstance(manifest.get(name), kind):
            raise ModelError(f"{MANIFEST}: no {name}, or not a {kind.__name__}; train the model again")
    return manifest


def _contents(manifest_text: str, booster_text: str, card: str, reputation: bytes | None) -> dict[str, bytes]:
    texts = {MANIFEST: manifest_text, BOOSTER: booster_text, CARD: card}
    contents = {name: text.encode() for name, text in texts.items()}
    return contents if reputation is None else contents | {REPUTATION: reputation}


def _content(folder: Path, name: str) -> bytes:
    """Return what is in a file; never follows a link, waits for a pipe, or reads past the file's limit."""
    path = folder / name
    flags = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ModelError(f"{name}: a link, folder or device instead of a file; copy the file itself")
        with os.fdopen(os.open(path, flags), "rb") as file:
            content = file.read(LIMITS[name] + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(f"{name}: cannot be read ({reason}); name a directory made by `clicksift train`") from error
    if len(content) > LIMITS[name]:
        raise ModelError(f"{name}: more than {LIMITS[name]} bytes, no model needs that; train it again")
    return content


def _read(folder: Path, name: str) -> str:
    try:
        return _content(folder, name).decode()
    except UnicodeDecodeError as error:
        raise ModelError(f"{name}: not UTF-8 ({error}); copy the model again") from error


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - _IGNORED
