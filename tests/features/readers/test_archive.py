"""Members of an archive are read like files; nothing in it can lead out of its folder or fill the disk."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from features.errors import InputError
from features.readers import archive
from features.readers.archive import unpacked

CSV = "event_type,timestamp,message_id\nclick,2026-03-01T10:00:00Z,{}\n"


def zipped(**members: str | bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return data.getvalue()


def names(path: Path, into: Path) -> list[str]:
    into.mkdir(exist_ok=True)
    return [name for name, _ in unpacked(path, into)]


def test_the_files_of_an_archive_are_read_together(reading):
    path = reading.file("extract", zipped(**{"Opens.csv": CSV.format("b"), "Clicks.csv": CSV.format("a")}))
    summary = reading.paths(path)
    assert (summary.files, summary.events) == (2, 2)
    assert reading.column("raw_ref", "message_id") == [("extract:Clicks.csv:1", "a"), ("extract:Opens.csv:1", "b")]


def test_what_programs_leave_behind_in_archives_is_passed_over(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(**{"a.csv": "1", "__MACOSX/a.csv": "2", ".hidden": "3", "b/_tmp": "4", "b/c.csv": "5"}))
    assert names(path, tmp_path / "into") == ["x.zip:a.csv", "x.zip:b/c.csv"]


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../../evil", "C:\\evil"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    path, into = tmp_path / "x.zip", tmp_path / "deep" / "into"
    into.mkdir(parents=True)
    path.write_bytes(zipped(**{name: "x", "honest.csv": "y"}))
    made = [file for _, file in unpacked(path, into)]
    assert all(file.parent == into for file in made)
    assert {file for file in tmp_path.rglob("*") if file.is_file()} == {path, *made}


def test_an_encrypted_file_is_refused(tmp_path):
    data = bytearray(zipped(**{"a.csv": "x"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.csv is encrypted; unpack it"):
        names(path, tmp_path / "into")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"[Content_Types].xml": "x", "xl/workbook.xml": "y"}, "an Excel workbook; save the sheet as CSV"),
        ({"inner.zip": zipped(a="b")}, "holds another archive, inner.zip"),
        ({".only": "x"}, "holds no files"),
    ],
)
def test_other_archives_are_named_for_what_they_are(tmp_path, members, message):
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(**members))
    with pytest.raises(InputError, match=message):
        names(path, tmp_path / "into")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_damaged_archive_is_refused(tmp_path, keep):
    data = zipped(**{"a.csv": "".join(map(str, range(20_000)))})
    path = tmp_path / "x.zip"
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(InputError, match="damaged or cut off"):
        names(path, tmp_path / "into")


def test_a_bomb_is_stopped_before_it_fills_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_ALLOWED_BYTES", 2**21)
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(**{"a.csv": b"\0" * 2**25}))
    with pytest.raises(InputError, match=r"a\.csv grows to more than 300 times"):
        names(path, tmp_path / "into")
    assert sum(file.stat().st_size for file in (tmp_path / "into").iterdir()) <= 300 * path.stat().st_size + 2**20
