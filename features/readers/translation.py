"""Records of one platform -> the view or table `raw`: its columns under our names, values still as written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from features.readers.identifiers import pointer, quote_text
from features.readers.platform import Path, Platform, bare, filled, paths_in


@dataclass(frozen=True)
class Records:
    """What was loaded from files of one form: a relation with file_no, record and the values.

    In a table (`json` false) the value of `columns[k]` is the column `ck` of the type `types[k]`. Otherwise every
    record is the text of a JSON object in `line`, and `columns` are the keys of all of them.
    `clean`: the texts of the table have no blanks around them, and none is empty.
    """

    relation: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    json: bool = False
    clean: bool = False

    @property
    def written(self) -> str:
        """SQL over the relation: the record as it stood, a table's row as a JSON object."""
        if self.json:
            return "line"
        pairs = ", ".join(f"{quote_text(name)}, CAST(c{k} AS VARCHAR)" for k, name in enumerate(self.columns))
        return f"CAST(json_object({pairs}) AS VARCHAR)"


@dataclass(frozen=True)
class RawTable:
    """The relation `raw`: file_no, record, then c0, c1, …, made of `records`.

    `found` says which position holds which canonical column; the others are kept as extra. `columns` are the names
    in the file, `types` those of the values, VARCHAR unless the file has types of its own. `clean`: texts have no
    blanks around them and are NULL where they are empty.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    found: Mapping[str, int]
    records: Records
    clean: bool = False

    def text(self, position: int | None) -> str:
        """SQL of the column as trimmed text, NULL where it is empty or the file does not have it."""
        if position is None:
            return "CAST(NULL AS VARCHAR)"
        if self.clean:
            return f"c{position}" if self.types[position] == "VARCHAR" else f"CAST(c{position} AS VARCHAR)"
        return trimmed(f"c{position}")

    @property
    def unknown(self) -> list[int]:
        """Positions of the columns that serve no canonical name."""
        used = set(self.found.values())
        return [position for position in range(len(self.columns)) if position not in used]


def translate(con: duckdb.DuckDBPyConnection, records: Records, platform: Platform, files: Sequence[int]) -> RawTable:
    """Make `raw` from the records of the files with these numbers; control records are counted and left out.

    The counts go to the table `reading_controls`, damaged records to `set_aside`. The caller drops `raw`.
    """
    extras = _extras(con, records, platform, files)
    outputs: list[tuple[str, str | Path]] = [*platform.columns.items(), *((str(path), path) for path in extras)]
    conditions = [*platform.damaged.values(), *platform.controls.values()]
    templates = [*platform.fields.values(), *conditions, *(template for _, template in outputs)]
    paths = list(dict.fromkeys(path for template in templates for path in paths_in(template)))
    values = _values(records, paths)
    relation = _opened(records, values, files)
    if any("{:path}" in str(template) for template in templates):
        relation = f"""SELECT opened.*, named.path AS "f_path" FROM ({relation}) AS opened
            JOIN reading_files AS named USING (file_no)"""
    for step in _steps(platform.fields):
        made = (f'{filled(platform.fields[name], values.text, values.there)} AS "f_{name}"' for name in step)
        relation = f"SELECT *, {', '.join(made)} FROM ({relation})"
    types = [_type(records, template) for _, template in outputs]
    view = _is_renaming(records, platform, outputs)
    selected = [
        f"{_output(template, kind, values)} AS c{k}"
        for k, ((_, template), kind) in enumerate(zip(outputs, types, strict=True))
    ]
    judged = [_first("damaged", platform.damaged, values), _first("control", platform.controls, values)]
    body = f"SELECT {', '.join(['file_no', 'record', *judged, *selected])} FROM ({relation})"
    computed = [f"{trimmed_column(f'c{k}')} AS c{k}" for k, (_, template) in enumerate(outputs) if not bare(template)]
    if computed:
        body = f"SELECT * REPLACE ({', '.join(computed)}) FROM ({body})"
    _make(con, body, platform, view=view)
    if platform.damaged:
        _set_aside(con, records)
    names = [str(bare(template) or name) for name, template in outputs]
    found = {name: k for k, name in enumerate(platform.columns)}
    return RawTable(tuple(names), tuple(types), found, records, clean=not view)


def _steps(fields: Mapping[str, str]) -> list[list[str]]:
    """The names of the fields in as few steps as will do: each step is made of the ones before it."""
    place: dict[str, int] = {}
    for name, template in fields.items():
        place[name] = max((k + 1 for other, k in place.items() if f"{{:{other}}}" in template), default=0)
    return [[name for name in fields if place[name] == k] for k in sorted(set(place.values()))]


def trimmed(value: str) -> str:
    """SQL of the value as text without blanks around it, NULL where it is empty."""
    return f"nullif(trim(CAST({value} AS VARCHAR)), '')"


def trimmed_column(column: str) -> str:
    """The same for a column of texts; `trim` looks at every character and is left to those that need it."""
    is_plain = f"{column} BETWEEN '!' AND '~' AND NOT ends_with({column}, ' ') AND strlen({column}) = length({column})"
    return f"CASE WHEN {is_plain} THEN {column} ELSE nullif(trim({column}), '') END"


def _output(template: str | Path, kind: str, values: _Values) -> str:
    path = bare(template)
    if path and kind != "VARCHAR":
        return values.plain(path)
    value = filled(template, values.text, values.there)
    return value if path else f"CAST({value} AS VARCHAR)"


@dataclass(frozen=True)
class _Values:
    """SQL of fields: `lists` are extracted together (alias -> source and pointers), the rest are columns."""

    records: Records
    lists: Mapping[str, tuple[str, list[str]]]
    places: Mapping[Path, str]

    def plain(self, path: Path) -> str:
        return self.places.get(path, "CAST(NULL AS VARCHAR)")

    def text(self, path: Path) -> str:
        if path not in self.places:
            return "CAST(NULL AS VARCHAR)"
        is_column = self.places[path].startswith("c")
        return self.places[path] if self.records.clean and is_column else trimmed(self.places[path])

    def there(self, path: Path) -> str:
        """Whether the record has the field at all; in a table, whether the table has the column."""
        place = located(self.records.columns, path.parts)
        if place is None:
            return "FALSE"
        position, rest = place
        if self.records.json:
            return f"json_exists(line, {quote_text(pointer((self.records.columns[position], *rest)))})"
        if not rest:
            return "TRUE"
        return f"coalesce(TRY(json_exists(CAST(c{position} AS VARCHAR), {quote_text(pointer(rest))})), FALSE)"


def _values(records: Records, paths: Sequence[Path]) -> _Values:
    places: dict[Path, str] = {}
    lists: dict[str, tuple[str, list[str]]] = {}

    def listed(alias: str, source: str, inner: Sequence[str]) -> str:
        pointers = lists.setdefault(alias, (source, []))[1]
        pointers.append(pointer(inner))
        return f"{alias}[{len(pointers)}]"

    for path in paths:
        place = located(records.columns, path.parts)
        if place is None:
            continue
        position, rest = place
        if records.json:
            places[path] = listed("v", "line", (records.columns[position], *rest))
        elif rest:
            places[path] = listed(f"v{position}", f"CAST(c{position} AS VARCHAR)", rest)
        else:
            places[path] = f"c{position}"
    return _Values(records, lists, places)


def located(columns: Sequence[str], parts: Sequence[str]) -> tuple[int, tuple[str, ...]] | None:
    """Which column holds the value that a platform keeps at `parts`, and the way on inside of it; None for nowhere.

    Warehouses write names in lower case with "_" for "-" and blanks, and lay objects flat: `sentBy/id` may be the
    column sentBy, which holds JSON, or sentBy.id or sent_by_id.
    """
    if parts[0] in columns:
        return list(columns).index(parts[0]), tuple(parts[1:])
    for n in range(1, len(parts) + 1):
        name = _plain_name("_".join(parts[:n]))
        for k, column in enumerate(columns):
            if _plain_name(column) == name:
                return k, tuple(parts[n:])
    return None


def _plain_name(name: str) -> str:
    """The name without what warehouses change: case, "-", blanks and dots, and the "_" between words.

    >>> _plain_name("sentBy.id") == _plain_name("sent_by_id")
    True
    """
    return re.sub(r"[-\s._]+", "", name).lower()


def _opened(records: Records, values: _Values, files: Sequence[int]) -> str:
    """SELECT with the lists of nested values; a value that is no JSON has nothing inside."""
    lists = "".join(
        f", TRY(json_extract_string({source}, [{', '.join(map(quote_text, pointers))}])) AS {alias}"
        for alias, (source, pointers) in values.lists.items()
    )
    wanted = f"WHERE file_no IN ({', '.join(map(str, files))})" if records.json else ""
    return f"SELECT *{lists} FROM {records.relation} {wanted}"


def _type(records: Records, template: str | Path) -> str:
    path = bare(template)
    place = None if records.json or path is None else located(records.columns, path.parts)
    return "VARCHAR" if place is None or place[1] else records.types[place[0]]


def _is_renaming(records: Records, platform: Platform, outputs: Sequence[tuple[str, str | Path]]) -> bool:
    """Whether a view will do: columns get other names, nothing is computed or taken out."""
    return not (records.json or platform.fields or platform.damaged) and all(bare(t) for _, t in outputs)


def _first(name: str, reasons: Mapping[str, str], values: _Values) -> str:
    """The first reason whose condition holds, as a column of this name."""
    cases = " ".join(
        f"WHEN {filled(condition, values.text, values.there)} THEN {quote_text(reason)}"
        for reason, condition in reasons.items()
    )
    return f"CASE {cases} END AS {name}" if cases else f"CAST(NULL AS VARCHAR) AS {name}"


def _set_aside(con: duckdb.DuckDBPyConnection, records: Records) -> None:
    if not con.execute("SELECT 1 FROM raw WHERE damaged IS NOT NULL LIMIT 1").fetchall():
        return
    con.execute(f"""
        INSERT INTO set_aside
        SELECT file_no, record, damaged, {records.written}
        FROM {records.relation}
        JOIN (SELECT file_no, record, damaged FROM raw WHERE damaged IS NOT NULL) USING (file_no, record)""")
    con.execute("DELETE FROM raw WHERE damaged IS NOT NULL")


def _make(con: duckdb.DuckDBPyConnection, body: str, platform: Platform, view: bool) -> None:
    """`raw` as a view where its columns only have other names, so that wide files are not copied."""
    if view:
        where = "WHERE control IS NULL" if platform.controls else ""
        con.execute(f"CREATE OR REPLACE TEMP VIEW raw AS SELECT * EXCLUDE (damaged, control) FROM ({body}) {where}")
        source = f"({body})"
    else:
        con.execute(f"CREATE OR REPLACE TEMP TABLE raw AS {body}")
        source = "raw"
    if platform.controls:
        con.execute(f"""
            INSERT INTO reading_controls SELECT file_no, control, count(*)
            FROM {source} WHERE damaged IS NULL AND control IS NOT NULL GROUP BY ALL""")
        if not view:
            con.execute("DELETE FROM raw WHERE damaged IS NULL AND control IS NOT NULL")


def _extras(con: duckdb.DuckDBPyConnection, records: Records, platform: Platform, files: Sequence[int]) -> list[Path]:
    """The fields that nothing else uses, and that the platform does not declare to be of no use."""
    conditions = [*platform.damaged.values(), *platform.controls.values()]
    templates = [*platform.fields.values(), *conditions, *platform.columns.values()]
    used = {path.parts for template in templates for path in paths_in(template)}
    used |= {Path.of(text).parts for text in platform.ignored}
    used |= {Path.of(text).parts for text in platform.extra_of}
    known = {parts[:n] for parts in used for n in range(1, len(parts) + 1)}
    positions = {place[0] for parts in known if (place := located(records.columns, parts)) is not None}
    found: list[tuple[str, ...]] = [(name,) for k, name in enumerate(records.columns) if k not in positions]
    above = [Path.of(text).parts for text in platform.extra_of] if records.json else []
    if above:
        rows = con.execute(f"""
            SELECT DISTINCT json_keys(line, [{", ".join(quote_text(pointer(parts)) for parts in above)}])
            FROM {records.relation} WHERE file_no IN ({", ".join(map(str, files))})""").fetchall()
        for k, parts in enumerate(above):
            keys = sorted({str(key) for (inside,) in rows if inside for key in inside[k] or ()})
            found += [(*parts, key) for key in keys if (*parts, key) not in known]
    return [Path(parts) for parts in found]
