"""The user's copy: where it lies, that it is whole or absent, and that a damaged one is refused."""

import json
from pathlib import Path

import pytest

from features.errors import InputError
from features.reference_copy import (
    MANIFEST,
    VARIABLE,
    Part,
    copy_in_use,
    default_folder,
    digest,
    folder_in_use,
    folder_to_write,
    read_copy,
    write_copy,
)

CONTENT = b"a table"
PART = Part("aws-ip-ranges", "aws-ip-ranges", "ip-ranges.json", "2026-11-20", 3, ("old",), digest(CONTENT))


@pytest.fixture
def copy(tmp_path):
    """A folder that holds a copy of one part."""
    write_copy(tmp_path / "copy", [(PART, CONTENT)])
    return tmp_path / "copy"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home folder that is empty, and no variable set."""
    monkeypatch.delenv(VARIABLE)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_what_was_written_is_read_back(copy):
    found = read_copy(copy)
    assert found.parts == (PART,)
    assert found.content == {"aws-ip-ranges": CONTENT}
    assert found.part("aws-ip-ranges") == PART
    assert found.part("asn") is None


def test_a_new_copy_replaces_the_old_one_as_a_whole(copy):
    write_copy(copy, [(Part("asn", "iptoasn", "x", "2026-11-20", 1, (), digest(b"x")), b"x")])
    assert sorted(path.name for path in copy.iterdir()) == ["asn.parquet", MANIFEST]
    assert read_copy(copy).lists == ()


def test_the_copy_lies_in_the_home_folder_unless_the_user_says_otherwise(home, tmp_path, monkeypatch):
    assert default_folder() == home / ".local/share/clicksift/reference"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_folder() == home / ".local/share/clicksift/reference"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_folder() == folder_to_write() == tmp_path / "data/clicksift/reference"
    monkeypatch.setenv(VARIABLE, "packaged")
    assert folder_to_write() == tmp_path / "data/clicksift/reference"
    monkeypatch.setenv(VARIABLE, "~/mine")
    assert folder_to_write() == home / "mine"


def test_without_a_copy_the_packaged_data_is_alone(home):
    assert copy_in_use() is None
    default_folder().mkdir(parents=True)
    assert copy_in_use() is None


def test_the_copy_in_the_home_folder_is_in_use_and_can_be_turned_off(monkeypatch):
    write_copy(default_folder(), [(PART, CONTENT)])
    found = copy_in_use()
    assert found is not None
    assert found.parts == (PART,)
    monkeypatch.setenv(VARIABLE, "packaged")
    assert copy_in_use() is None


def test_a_home_that_cannot_be_found_has_no_copy(monkeypatch):
    def homeless(self):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    assert folder_in_use() is None


def test_a_folder_that_is_named_and_holds_no_copy_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "typo"))
    with pytest.raises(
        InputError, match=r"CLICKSIFT_REFERENCE=.*typo: holds no reference data; run clicksift ref.* or"
    ):
        copy_in_use()


def change(file, to):
    return lambda copy: (copy / file).write_text(to)


def without(key):
    def damage(copy):
        manifest = json.loads((copy / MANIFEST).read_text())
        del manifest["parts"][0][key]
        (copy / MANIFEST).write_text(json.dumps(manifest))

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            change("aws-ip-ranges.parquet", "another table"),
            "aws-ip-ranges.parquet: is not the file that reference.json",
        ),
        (lambda copy: (copy / "aws-ip-ranges.parquet").unlink(), "aws-ip-ranges.parquet: cannot be read .No such file"),
        (change(MANIFEST, "{"), "reference.json: is not as clicksift wrote it"),
        (change(MANIFEST, "[]"), "reference.json: is not as clicksift wrote it"),
        (
            change(MANIFEST, '{"format": 1, "parts": [{"name": "../up"}]}'),
            "reference.json: is not as clicksift wrote it",
        ),
        (change(MANIFEST, '{"format": 2, "parts": []}'), "reference.json: is of format 2, this clicksift reads 1"),
        (without("digest"), "reference.json: is not as clicksift wrote it"),
        (without("replaces"), "reference.json: is not as clicksift wrote it"),
    ],
)
def test_a_damaged_copy_is_refused_by_the_name_of_its_file(copy, damage, message):
    damage(copy)
    with pytest.raises(InputError, match=f"{message}.*; run clicksift reference update again, or delete .*copy$"):
        read_copy(copy)


def test_a_part_cannot_lie_outside_of_the_folder(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["parts"][0]["name"] = "../outside"
    (copy / MANIFEST).write_text(json.dumps(manifest))
    (copy.parent / "outside.parquet").write_bytes(CONTENT)
    with pytest.raises(InputError, match="is not as clicksift wrote it"):
        read_copy(copy)


@pytest.mark.parametrize("name", ["notes.txt", "photos"])
def test_a_folder_with_something_else_in_it_is_not_replaced(tmp_path, name):
    (tmp_path / "documents" / name).mkdir(parents=True)
    with pytest.raises(InputError, match=f"documents: holds {name}, which is no reference data; name an empty"):
        write_copy(tmp_path / "documents", [(PART, CONTENT)])
    assert [path.name for path in (tmp_path / "documents").iterdir()] == [name]
