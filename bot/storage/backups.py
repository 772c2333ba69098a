"""A copy of the database as it stands at one moment, made while a service goes on writing.

`VACUUM INTO` (https://www.sqlite.org/lang_vacuum.html) reads what was committed when it began, and holds up nobody who
writes: they go on in the write-ahead log. The copy is one file, without the room that removed posts have left.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from bot.errors import StorageError
from bot.storage.database import NAME
from bot.storage.migrations import APPLICATION, STEPS

#: How often it is told how far it is: after so many of SQLite's steps, which are some hundreds of rows.
_STEPS = 1_000
#: What a disk says that knows no links.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def copy(folder: Path, target: Path, tell: Callable[[int, int], None]) -> int:
    """Copies the database of this data directory, of whatever version, to a new file, mode 0600; its size in bytes.

    ``tell`` hears of bytes that are written, and of about how many they will be. The file is there when it is whole, on
    the disk, and was looked through, and not before. `StorageError`: there is something of this name, no room, nothing
    to be copied, or what is there is damaged.
    """
    source = folder / NAME
    if not source.is_file():
        raise StorageError(f"there is no database in {folder} yet; vedette run makes it.")
    if os.path.lexists(target):
        raise StorageError(f"{target} is there already; name a file that is not, or move it away.")
    with _told(source, target):
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        part = Path(name)
        try:
            os.close(handle)
            _copy(source, part, tell)
            _verify(part, tell)
            size = part.stat().st_size
            _keep(part, target)
        finally:
            for left in (part, part.with_name(f"{part.name}-journal")):
                left.unlink(missing_ok=True)
    return size


def _copy(source: Path, part: Path, tell: Callable[[int, int], None]) -> None:
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as c:
        c.execute("PRAGMA busy_timeout = 5000")
        application, version = _value(c, "PRAGMA application_id"), _value(c, "PRAGMA user_version")
        if application != APPLICATION or version > len(STEPS):
            raise StorageError(f"{source} is no database of this vedette; use the version that wrote it.")
        used = _value(c, "PRAGMA page_count") - _value(c, "PRAGMA freelist_count")
        total = used * _value(c, "PRAGMA page_size")
        with _heard(c, lambda: tell(min(part.stat().st_size, total), total)):
            if not _value(c, "PRAGMA auto_vacuum"):
                c.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of the copy: as `bot.storage.database` makes new ones
            c.execute("VACUUM INTO ?", (str(part),))


def _verify(part: Path, tell: Callable[[int, int], None]) -> None:
    """Reads all of it once more."""
    size = part.stat().st_size
    address = f"{part.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as c, _heard(c, lambda: tell(size, size)):
        [found] = c.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(str(found))


@contextmanager
def _heard(c: sqlite3.Connection, listen: Callable[[], None]) -> Iterator[None]:
    """Calls ``listen`` again and again while a statement runs, which ends when that raises: Ctrl-C comes there too."""
    broken: list[BaseException] = []

    def hear() -> int:
        try:
            listen()
        except BaseException as error:  # noqa: BLE001 - SQLite would swallow it
            broken.append(error)
        return len(broken)

    c.set_progress_handler(hear, _STEPS)
    try:
        yield
    except sqlite3.OperationalError:
        if broken:
            raise broken[0] from None
        raise


def _keep(part: Path, target: Path) -> None:
    """Gives it its name once it is on the disk. A link: it takes nothing else's place, as a renaming would."""
    _synced(part)
    try:
        os.link(part, target)
    except OSError as error:
        if error.errno not in _NO_LINKS or os.path.lexists(target):
            raise
        part.rename(target)
    with suppress(PermissionError):  # of a folder that may be written to, and not read
        _synced(target.parent)


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _value(c: sqlite3.Connection, sql: str) -> int:
    return int(c.execute(sql).fetchone()[0])


@contextmanager
def _told(source: Path, target: Path) -> Iterator[None]:
    """Says in our words what SQLite and the system say."""
    try:
        yield
    except FileExistsError:
        raise StorageError(f"{target} is there already; name a file that is not, or move it away.") from None
    except OSError as error:
        if error.errno in _FULL:
            raise _full(target) from error
        raise StorageError(f"{target} cannot be written: {error.strerror}; name a file elsewhere.") from error
    except sqlite3.DatabaseError as error:
        match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF:  # the kind without its details
            case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
                raise _full(target) from error
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                raise StorageError(f"{source} is damaged ({error}); restore the last good backup.") from error
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise StorageError(f"{source} is locked by another process; stop what has it open.") from error
            case _:
                raise StorageError(f"{source} cannot be copied to {target}: {error}.") from error


def _full(target: Path) -> StorageError:
    return StorageError(
        f"the disk of {target} is full or failing; nothing is left there: make room, or name a file elsewhere."
    )
