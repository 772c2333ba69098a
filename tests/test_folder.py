"""The data directory: whose it is, who may read it, and that one process holds it."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from bot.errors import HeldError, StorageError
from bot.folder import LOCK, held

NOBODY = 65534
ROOT = os.geteuid() == 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anywhere; this user may not."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_is_made_with_those_above_it_for_its_user_alone(tmp_path: Path) -> None:
    with held(tmp_path / "var" / "data") as folder:
        assert folder == tmp_path / "var" / "data"
        assert mode(folder) == 0o700
        assert mode(folder / LOCK) == 0o600


def test_a_folder_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with held(tmp_path):
        assert mode(tmp_path) == 0o700


def test_what_is_written_meanwhile_is_the_users_alone_and_afterwards_as_before(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with held(tmp_path):
            (tmp_path / "within").touch()
        (tmp_path / "after").touch()
    finally:
        os.umask(before)
    assert mode(tmp_path / "within") == 0o600
    assert mode(tmp_path / "after") == 0o644


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(HeldError) as told, held(tmp_path):
        pass
    assert str(told.value) == f"another vedette works in {tmp_path}; stop the service first"
    with held(tmp_path):
        pass


def test_a_folder_that_another_process_holds_is_free_when_that_one_is_killed(tmp_path: Path) -> None:
    holding = """
import sys; from pathlib import Path; from bot.folder import held
with held(Path(sys.argv[1])): print(flush=True); input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", holding, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(HeldError), held(tmp_path):
            pass
        other.kill()
        other.wait()
        with held(tmp_path):
            pass


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.touch()
    for folder in (path, path / "below"):
        with pytest.raises(StorageError, match="name another data_dir"), held(folder):
            pass


def test_a_folder_of_everybody_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(StorageError, match="name one of its own"), held(shared):
        pass
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777


@pytest.mark.skipif(not ROOT, reason="what is ours can be opened; only root can become somebody else")
def test_a_folder_that_cannot_be_written_says_by_whom() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with as_nobody(), pytest.raises(StorageError) as told, held(Path(folder)):
            pass
    assert (
        str(told.value) == f"directory {folder} is not writable by uid {NOBODY}; chown it, or run vedette as its owner"
    )


@pytest.mark.skipif(not ROOT, reason="only root can mount a disk")
def test_a_folder_on_a_disk_that_is_read_only_is_not_said_to_be_somebody_elses(tmp_path: Path) -> None:
    holding = """
import sys; from pathlib import Path; from bot.folder import held
from bot.errors import StorageError
try:
    with held(Path(sys.argv[1])): print("held")
except StorageError as error: print(error)
"""
    script = 'mount -t tmpfs -o mode=700 none "$2" && mount -o remount,ro "$2" && exec "$1" -c "$3" "$2"'
    words = ("unshare", "--mount", "sh", "-c", script, "sh", sys.executable, tmp_path, holding)
    done = subprocess.run(words, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this machine lets nobody mount a disk")
    assert done.stdout == f"directory {tmp_path} lies on a disk that is read-only; name another data_dir\n"


@pytest.mark.skipif(not ROOT, reason="only root can give a folder away")
def test_a_folder_that_cannot_be_made_says_by_whom() -> None:
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        with (
            as_nobody(),
            pytest.raises(StorageError, match=f"is not writable by uid {NOBODY}"),
            held(Path(above, "data")),
        ):
            pass


@pytest.mark.skipif(not ROOT, reason="only root can give a folder away")
def test_root_does_not_write_into_the_folder_of_another_user(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(StorageError) as told, held(folder):
        pass
    assert str(told.value) == f"directory {folder} belongs to uid {NOBODY}, this is root; run vedette as uid {NOBODY}"
    assert not list(folder.iterdir())


def test_who_only_looks_keeps_nobody_out(tmp_path: Path) -> None:
    """`status` and `health` hold the lock for a moment to see whether anybody else does."""
    with held(tmp_path):
        pass
    looking = os.open(tmp_path / LOCK, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    Timer(0.01, os.close, [looking]).start()
    with held(tmp_path):
        pass
