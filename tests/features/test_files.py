"""Output is whole or absent, whatever happens to the run that writes it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from features import files
from features.errors import InputError
from features.files import check_writable, replacing_directory, replacing_file, write_bytes

KILLED_FILE = """
import os, signal, sys
from features.files import replacing_file
with replacing_file(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
KILLED_DIRECTORY = """
import os, signal, sys
from features.files import replacing_directory
with replacing_directory(sys.argv[1]) as temporary:
    (temporary / "one").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
PATIENT = """
import sys
from features.files import replacing_file
with replacing_file(sys.argv[1]) as temporary:
    temporary.write_text("slow")
    print("written", flush=True)
    sys.stdin.readline()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(program: str, output: Path) -> int:
    return subprocess.run([sys.executable, "-c", program, str(output)], check=False, timeout=60).returncode


def temporary_name(folder: Path) -> str:
    """Return the name that this process would give to a temporary file for `folder / "out"`."""
    with replacing_file(folder / "out") as temporary:
        temporary.touch()
    (folder / "out").unlink()
    return temporary.name


@pytest.fixture
def dead() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=60)
    return process.pid


def test_a_place_that_cannot_be_written_is_refused_before_the_work():
    with pytest.raises(InputError, match="cannot be written"):
        check_writable("/proc/scored.csv")


def test_a_file_gets_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    output = tmp_path / "new" / "scored.csv"
    with replacing_file(output) as temporary:
        temporary.write_text("a,b")
        assert not output.exists()
        assert temporary.parent == output.parent
        assert temporary.name.startswith(".scored.csv.")
    assert output.read_text() == "a,b"
    assert names(output.parent) == ["scored.csv"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing_file(tmp_path / "out") as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    with pytest.raises(ZeroDivisionError), replacing_directory(tmp_path / "folder") as temporary:
        (temporary / "one").write_text("half")
        raise ZeroDivisionError
    assert (tmp_path / "out").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_a_killed_run_leaves_no_half_file_and_the_next_run_sweeps(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    assert run(KILLED_FILE, tmp_path / "out") == -signal.SIGKILL
    assert (tmp_path / "out").read_text() == "old"
    assert len(names(tmp_path)) == 2
    write_bytes(tmp_path / "out", b"new")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out").read_bytes() == b"new"


def test_a_killed_run_leaves_no_half_directory_and_the_next_run_sweeps(tmp_path: Path) -> None:
    assert run(KILLED_DIRECTORY, tmp_path / "out") == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    assert len(names(tmp_path)) == 1
    with replacing_directory(tmp_path / "out") as temporary:
        (temporary / "one").write_text("whole")
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "one").read_text() == "whole"


def test_a_run_that_goes_on_keeps_its_temporary_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PATIENT, str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "written\n"
        write_bytes(tmp_path / "out", b"quick")
        assert len(names(tmp_path)) == 2
        other.communicate("\n", timeout=60)
    assert (tmp_path / "out").read_text() == "slow"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("name", "age_s", "kept"),
    [
        pytest.param(".out.{host}-{own}-{run}-999.tmp", 0, True, id="this run, in another thread"),
        pytest.param(".out.{host}-{own}-00000000-0.tmp", 0, False, id="an earlier run of the same number"),
        pytest.param(".out.{host}-{dead}-00000000-0.tmp", 0, False, id="a process that ended"),
        pytest.param(".out.ffffffff-{dead}-00000000-0.tmp", 0, True, id="another machine, just now"),
        pytest.param(".out.ffffffff-{dead}-00000000-0.tmp", 90_000, False, id="another machine, a day ago"),
        pytest.param(".out.csv.{host}-{dead}-00000000-0.tmp", 90_000, True, id="another output"),
        pytest.param(".out.{host}-{dead}-0.tmp", 90_000, True, id="another pattern"),
        pytest.param(".out.tmp", 90_000, True, id="somebody's own file"),
    ],
)
def test_only_what_is_abandoned_is_swept(tmp_path: Path, dead: int, name: str, age_s: int, kept: bool) -> None:
    host, own, run_id, _ = temporary_name(tmp_path).removeprefix(".out.").split("-")
    assert own == str(os.getpid())
    left = tmp_path / name.format(host=host, own=own, run=run_id, dead=dead)
    left.write_text("half")
    os.utime(left, (time.time() - age_s,) * 2)
    write_bytes(tmp_path / "out", b"new")
    assert left.exists() == kept


def test_a_directory_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for content in ("one", "two"):
        with replacing_directory(tmp_path / "out") as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / content).write_text(content)
        assert names(tmp_path) == ["out"]
        assert names(tmp_path / "out" / "sub") == [content]


def test_where_names_cannot_be_exchanged_a_directory_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_exchanged", lambda *_: False)  # as on macOS, or a network file system
    test_a_directory_is_replaced_as_a_whole(tmp_path)


def test_a_directory_put_aside_by_a_killed_run_comes_back(tmp_path: Path, dead: int) -> None:
    host = re.split("[.-]", temporary_name(tmp_path))[2]
    aside = tmp_path / f".out.{host}-{dead}-00000000-0.old"
    aside.mkdir()
    (aside / "one").write_text("old")
    with pytest.raises(ZeroDivisionError), replacing_directory(tmp_path / "out"):
        raise ZeroDivisionError
    assert (tmp_path / "out" / "one").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "real")
    write_bytes(tmp_path / "out", b"new")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "real").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127])
def test_the_longest_names_work(tmp_path: Path, name: str) -> None:
    write_bytes(tmp_path / name, b"new")
    assert names(tmp_path) == [name]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "out", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"folder: is a folder, a file is written here; name a file"):
        write_bytes(tmp_path / "folder", b"")
    with pytest.raises(InputError, match=r"pipe: is a device or a pipe"):
        write_bytes(tmp_path / "pipe", b"")
    with pytest.raises(InputError, match=r"file: is a file, a folder is written here; name a folder"):
        replacing_directory(tmp_path / "file").__enter__()
    with pytest.raises(InputError, match=r"file/out: cannot be written \(Not a directory|File exists"):
        write_bytes(tmp_path / "file" / "out", b"")
    assert names(tmp_path) == ["file", "folder", "pipe"]
