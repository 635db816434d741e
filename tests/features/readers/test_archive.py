"""Members of an archive are read like files; nothing in it can lead out of its folder or fill the disk."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ({"inner.csv": zipped(a="b")}, r"holds another archive, inner\.csv; unpack the outer one"),
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
    with pytest.raises(InputError, match=r"x\.zip: grows to more than 300 times its size"):
        names(path, tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


def test_files_that_are_small_alone_and_a_bomb_together_are_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_ALLOWED_BYTES", 2**21)
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(**{f"{n}.csv": b"\0" * 2**20 for n in range(40)}))
    with pytest.raises(InputError, match="grows to more than 300 times"):
        names(path, tmp_path / "into")


def test_what_fits_the_allowance_is_unpacked_however_small_it_was(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(**{"a.csv": b"\0" * 2**22}))
    assert path.stat().st_size * 300 < 2**22
    assert names(path, tmp_path / "into") == ["x.zip:a.csv"]
    assert (tmp_path / "into" / "1").read_bytes() == b"\0" * 2**22


def test_an_archive_larger_than_the_disk_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    path = tmp_path / "x.zip"
    path.write_bytes(zipped(**{"a.csv": "more than ten"}))
    with pytest.raises(InputError, match=r"needs 0\.0 GB unpacked"):
        names(path, tmp_path / "into")


def test_of_two_files_with_one_name_the_later_counts(tmp_path):
    path, into = tmp_path / "x.zip", tmp_path / "into"
    into.mkdir()
    with zipfile.ZipFile(path, "w") as target, pytest.warns(UserWarning, match="Duplicate name"):
        target.writestr("a.csv", "old")
        target.writestr("a.csv", "new")
    assert [(name, file.read_text()) for name, file in unpacked(path, into)] == [("x.zip:a.csv", "new")]


def test_links_are_left_out_and_names_are_shown_on_one_line(tmp_path):
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("link.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as target:
        target.writestr(link, "/etc/hostname")
        target.writestr("a\nb\x1b.csv", "x")
    assert names(path, tmp_path / "into") == ["x.zip:a\ufffdb\ufffd.csv"]


def test_a_way_of_packing_that_is_not_known_is_named(tmp_path):
    data = bytearray(zipped(**{"a.csv": "x"}))
    for magic, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = data.index(magic) + offset
        data[place : place + 2] = b"\x09\x00"
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match="packed in a way that cannot be read here"):
        names(path, tmp_path / "into")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_broken_archive_gives_its_files_or_one_line_that_says_why(tmp_path_factory, data):
    content = bytearray(zipped(**{"a.csv": "event,time\n" * 20, "b/c.csv": bytes(range(256))}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("zip")
    path = folder / "x.zip"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    into = folder / "into"
    into.mkdir()
    try:
        made = [file for _, file in unpacked(path, into)]
    except InputError as error:
        assert str(error).startswith(str(path))
        assert len(str(error).splitlines()) == 1
    else:
        assert sorted(made) == sorted(into.iterdir())
    assert {file.name for file in folder.iterdir()} == {"x.zip", "into"}
