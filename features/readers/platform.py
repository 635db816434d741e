"""What a platform's reader is: a declaration of where its export keeps each canonical column.

A template is SQL over the export's own fields: `{useragent}`, or `{mail/tags/campaign/0}` for the first element of a
list inside objects. Every field is text, without blanks around it, NULL where it is missing or empty. In a table the
first part is a column, the rest leads into the JSON that the column holds. `{?url}` is whether the record has the
field at all, be it empty; `{:path}` is the path of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from features.feature import Capability

Precision = Literal["s", "ms", "us", "ns"]
DateOrder = Literal["", "month", "day"]

# A quantifier such as {4} or {1,3} of a regular expression is no field.
_FIELD = re.compile(r"\{([^{}\d,][^{}]*)\}")


@dataclass(frozen=True)
class Path:
    """Where a value lies in a record: its key or column, then the keys and positions inside of that."""

    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Path:
        """Read "mail/tags" as the key `tags` of the object `mail`."""
        return cls(tuple(text.split("/")))

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Signature:
    """How a platform's records are told: all `keys` are there, and the `values` match (path -> regular expression)."""

    keys: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Envelope:
    """What is put around events on their way, and how to take it off.

    A record with all `keys` is replaced by what lies at `inside`: an object, a text that holds JSON, or the elements
    of a list. `inside` may end in "*": all values of the object before it. `added` names fields of the envelope that
    each event needs and gets: key -> template over the envelope. A record with nothing inside is counted as `empty`.
    `only`: a record with other keys beside `keys` is something else.
    """

    keys: tuple[str, ...]
    inside: str
    added: Mapping[str, str] = field(default_factory=dict)
    empty: str = "an envelope without events"
    only: bool = False


@dataclass(frozen=True)
class Platform:
    """One platform's export.

    `columns`: canonical column -> template or path. `words`: the platform's event word -> canonical word, beside
    those that everybody uses (`schema.EVENT_WORDS`). `fields`: named intermediate values, later ones over earlier
    ones, used in templates as `{:name}`. `controls`: what a record is that is no event of a message -> condition.
    `damaged`: what is wrong with a record that nobody can read -> condition; it is set aside.
    `ignored`: paths of no use; every other key on the top level, and in the objects of `extra_of`, goes to `extra`.
    `zone`: of times without one, where the platform fixes it. `date_order`: whether dates such as 03/11/2025 start
    with the month or the day, for a column that does not show it. `folds`: equal records are copies, not repeats.

    The rest is for the reader of the documentation: `gives` are capabilities, `precision` how fine its times are,
    `source_filtering` what the platform leaves out before anybody sees it (shown with every result), `flags` its own
    machine flags, `export` how to get the file, `lacks` what is not in it, `tried` whether a real file was at hand.
    """

    name: str
    title: str
    signatures: tuple[Signature, ...]
    columns: Mapping[str, str | Path]
    words: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    envelopes: tuple[Envelope, ...] = ()
    controls: Mapping[str, str] = field(default_factory=dict)
    damaged: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    extra_of: tuple[str, ...] = ()
    zone: str | None = None
    date_order: DateOrder = ""
    folds: bool = True
    gives: frozenset[Capability] = frozenset()
    precision: Precision = "s"
    source_filtering: str = ""
    flags: tuple[str, ...] = ()
    export: str = ""
    lacks: str = ""
    tried: bool = False


def paths_in(template: str | Path) -> list[Path]:
    """Give the fields that a template names, intermediate ones (`{:name}`) left out."""
    if isinstance(template, Path):
        return [template]
    return [Path.of(text.removeprefix("?")) for text in _FIELD.findall(template) if not text.startswith(":")]


def bare(template: str | Path) -> Path | None:
    """Give the one field that the template is; None where it computes something."""
    if isinstance(template, Path):
        return template
    found = _FIELD.fullmatch(template.strip())
    return Path.of(found[1]) if found and not found[1].startswith((":", "?")) else None


def filled(
    template: str | Path, value: Callable[[Path], str], there: Callable[[Path], str] = lambda path: "TRUE"
) -> str:
    """Give the SQL of the template, with `value` for each field, and `there` for whether the record has it."""
    if isinstance(template, Path):
        return value(template)

    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("?"):
            return there(Path.of(name[1:]))
        return f'"f_{name[1:]}"' if name.startswith(":") else value(Path.of(name))

    return _FIELD.sub(one, template)
