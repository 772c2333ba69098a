"""The data directory: made, ours alone, and held by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.errors import HeldError, StorageError

LOCK = "lock"
READER = "reader.session"
SPEAKER = "speaker.session"
_OURS_ALONE = 0o700
#: In seconds, between attempts to lock.
_PAUSES = (0.02, 0.1)


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """The folder, made if need be, mode 0700, for this process alone while it is in the block.

    Whatever the process writes meanwhile is its user's alone. Raises `HeldError` when another process is in it, and
    `StorageError` when it cannot be used.
    """
    before = os.umask(0o077)
    try:
        _made(folder)
        lock = _locked(folder)
        try:
            yield folder
        finally:
            os.close(lock)
    finally:
        os.umask(before)


def _made(folder: Path) -> None:
    """Makes the folder, or sees that the one there is can be used."""
    me = os.geteuid()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = folder.stat()
        if found.st_mode & stat.S_ISVTX:
            raise StorageError(f"directory {folder} is shared with everybody; name one of its own as data_dir")
        if found.st_uid == me and stat.S_IMODE(found.st_mode) != _OURS_ALONE:
            folder.chmod(_OURS_ALONE)
    except (FileExistsError, NotADirectoryError):
        raise StorageError(f"{folder} is not a directory; name another data_dir") from None
    except OSError as error:
        raise StorageError(_unusable(folder, error)) from None
    if me == 0 and found.st_uid != me:
        # What root writes there, its owner could not read: the service would find its own session closed to it.
        owner = found.st_uid
        raise StorageError(f"directory {folder} belongs to uid {owner}, this is root; run vedette as uid {owner}")


def _locked(folder: Path) -> int:
    """The open lock file. The lock goes with the process, however it ends."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(_unusable(folder, error)) from None
    try:
        _lock(lock)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            raise HeldError(f"another vedette works in {folder}; stop the service first") from None
        raise StorageError(f"directory {folder} cannot be locked: {error.strerror}; put it on a local disk") from None
    return lock


def _lock(lock: int) -> None:
    """Whoever only looks whether a service runs (``status``, ``health``) holds the lock for a moment: it is let go."""
    for pause in _PAUSES:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(pause)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unusable(folder: Path, error: OSError) -> str:
    where = f"directory {folder.absolute()}"
    if error.errno == errno.EROFS:
        return f"{where} lies on a disk that is read-only; name another data_dir"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where} is not writable by uid {os.geteuid()}; chown it, or run vedette as its owner"
    return f"{where} cannot be used: {error.strerror}"
