"""Opens the database, brings it to the newest version, and lets one write at a time through.

Two connections of aiosqlite's, each with a thread of its own: one writes, one reads what was committed. What SQLite has
to say comes out as `StorageError`; a broken constraint or a statement that cannot be read is a defect of ours and stays
what it is.

A transaction is one plain function, carried out on the thread from its BEGIN to its COMMIT. Cancelling an ``await`` of
aiosqlite's does not cancel the SQL, and coroutines that share a connection share its transaction; and a thread that
comes back after each statement waits for Python's lock each time, while pushes are read. What a write-ahead log gives
and asks for: https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from bot.errors import StorageError
from bot.storage.migrations import APPLICATION, STEPS, Column

T = TypeVar("T")
#: What the work of a transaction is given.
Connection = sqlite3.Connection

NAME = "vedette.db"
#: How long another process may hold a lock, as a backup or a person with a shell does.
_PATIENCE = timedelta(seconds=5)
#: How long a write is tried again where one does. A service does not end for a backup, or for somebody's shell.
_LOCKED_FOR = timedelta(minutes=5)
#: In seconds, between two tries.
_AGAIN = 0.1
#: Rows that are fetched at once where they are asked for one by one; nothing here asks so.
_CHUNK = 64
#: In bytes: what the write-ahead log grew by beyond this is given back once nobody needs it.
_LOG = 64 * 1024 * 1024
#: In bytes: up to this size every page is looked at when it is opened, which takes well under a second.
_SMALL = 128 * 1024 * 1024


class Database:
    """An open one. ``write`` and ``rows`` are all that the rest of the package needs."""

    def __init__(self, path: Path, writer: _Threaded | None, reader: _Threaded, locked_for: timedelta) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self._locked_for = locked_for
        self._lock = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, folder: Path, *, writable: bool = True, locked_for: timedelta = _LOCKED_FOR
    ) -> AsyncIterator[Database]:
        """The database in this folder, made when there is none; not ``writable``: beside a service that runs.

        ``locked_for``: how long a write is tried again where another process holds a lock.

        `StorageError`: one that is damaged, newer than this program or not ours; a folder that cannot be used; a full
        disk. Nothing is changed then.
        """
        path = folder / NAME
        _look(path, writable=writable)
        async with AsyncExitStack() as stack:
            writer = None
            if writable:
                writer = await stack.enter_async_context(_connected(path, mode="rw"))
                with _told(path):
                    await _bring_forward(writer, path)
            reader = await stack.enter_async_context(_connected(path, mode="ro"))
            if writer is None:
                with _told(path):
                    _be_newest(path, await _version(reader, path))
            database = cls(path, writer, reader, locked_for)
            try:
                yield database
            finally:
                await _whole(database._at_rest())

    async def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction: all of what ``work`` does with the connection, or nothing if it raises.

        It is carried out on another thread, so what it writes must not be changed meanwhile. A caller that is cancelled
        while it waits for its turn has written nothing; later, the write comes to its end first. While another process
        holds a lock it is tried again, which the log says once.
        """
        writer = self._writer
        if writer is None:
            raise RuntimeError("this database was opened for reading")
        async with self._lock:
            first, loop = True, asyncio.get_running_loop()
            end = loop.time() + self._locked_for.total_seconds()
            while True:
                try:
                    with _told(self.path):
                        return await _whole(writer.carry_out(work))
                except _LockedError as error:
                    if loop.time() >= end:
                        raise
                    if first:
                        _warn("database locked", why=str(error))
                    first = False
                await asyncio.sleep(_AGAIN)

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a query finds among all that was committed before."""
        with _told(self.path):
            return list(await self._reader.execute_fetchall(sql, parameters))  # type: ignore[arg-type]

    async def _at_rest(self) -> None:
        """Returns when no write is under way."""
        async with self._lock:
            pass


def _warn(event: str, **keys: object) -> None:
    from bot.telemetry.log import logger  # only now: it takes its time, and whoever merely looks has none

    logger(__name__).warning(event, **keys)


class OlderError(StorageError):
    """A database that an older version has written, for whoever only reads."""


class _LockedError(StorageError):
    """Another process holds a lock, which may be over soon."""


class _Threaded(aiosqlite.Connection):
    """A connection that also carries out whole transactions on its thread."""

    async def carry_out(self, work: Callable[[Connection], T]) -> T:
        done: T = await self._execute(_transaction, self._conn, work)  # type: ignore[no-untyped-call]
        return done


def _transaction(c: Connection, work: Callable[[Connection], T]) -> T:
    c.execute("BEGIN IMMEDIATE")
    try:
        result = work(c)
        c.execute("COMMIT")
    except StopIteration as error:
        c.rollback()
        # Whoever waits could not be told of it as it is: no future takes one.
        raise RuntimeError("the work of a transaction has raised StopIteration") from error
    except BaseException:
        c.rollback()
        raise
    return result


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end, whatever happens to who waits for it; a cancellation is heeded after that."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()  # nobody is left to be told
        raise


@asynccontextmanager
async def _connected(path: Path, *, mode: str) -> AsyncIterator[_Threaded]:
    """A connection. Its thread would keep the program from ending, so it is closed in any case."""
    connection = _Threaded(lambda: sqlite3.connect(_address(path, mode), uri=True, isolation_level=None), _CHUNK)
    try:
        with _told(path):
            await _whole(_open(connection))
        yield connection
    finally:
        with _told(path):
            await _whole(connection.close())


async def _open(connection: aiosqlite.Connection) -> None:
    await connection
    await connection.execute(f"PRAGMA busy_timeout = {_PATIENCE // timedelta(milliseconds=1)}")
    # Debian's SQLite writes zeros over whatever is given up; FAST only where that is written anyway.
    await connection.execute("PRAGMA secure_delete = FAST")


def _address(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


async def _bring_forward(writer: _Threaded, path: Path) -> None:
    """Checks before it changes anything; then each step is a transaction."""
    version = await _version(writer, path)
    [[size]] = await writer.execute_fetchall("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    if size <= _SMALL and (found := await _value(writer, "PRAGMA quick_check(1)")) != "ok":
        raise _damaged(path, str(found).splitlines()[-1])
    if not size:
        # So that the room of what was removed can be given back to the disk (`bot.storage.retention.compact`).
        await writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if (mode := await _value(writer, "PRAGMA journal_mode = WAL")) != "wal":
        raise StorageError(
            f"{path} cannot keep a write-ahead log there (journal mode {mode}); put data_dir on a local disk."
        )
    await writer.execute("PRAGMA synchronous = FULL")
    # What the log needed while a step was carried out, or somebody read for long, is given back afterwards.
    await writer.execute(f"PRAGMA journal_size_limit = {_LOG}")
    if 0 < version < len(STEPS):
        _warn("the database is brought forward, which may take a while", version=version, to=len(STEPS))
    for step in range(version, len(STEPS)):
        await _whole(writer.carry_out(_step(step)))
    # Only now: a step may have to make a table anew that others refer to.
    await writer.execute("PRAGMA foreign_keys = ON")


def _step(step: int) -> Callable[[Connection], None]:
    def work(c: Connection) -> None:
        for statement in STEPS[step]:
            if isinstance(statement, Column):
                _have(c, statement)
            else:
                c.execute(statement)
        c.execute(f"PRAGMA application_id = {APPLICATION}")
        c.execute(f"PRAGMA user_version = {step + 1}")

    return work


def _have(c: Connection, column: Column) -> None:
    has = c.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (column.table, column.name)).fetchone()
    if has is None:
        c.execute(f"ALTER TABLE {column.table} ADD COLUMN {column.name} {column.declared}")


async def _version(connection: aiosqlite.Connection, path: Path) -> int:
    """How many steps it has had; 0: nothing stands in it. `StorageError` if it is not ours or too new."""
    application = await _value(connection, "PRAGMA application_id")
    version = int(str(await _value(connection, "PRAGMA user_version")))
    if application != APPLICATION:
        if (application, version) == (0, 0) and not await _value(connection, "SELECT count(*) FROM sqlite_schema"):
            return 0
        raise StorageError(f"{path} is a database of another program; move it away, or name another data_dir.")
    if version > len(STEPS):
        raise StorageError(
            f"{path} has version {version} and was written by a newer vedette; this one knows versions up to "
            f"{len(STEPS)}: install the newer one again, or restore the backup from before."
        )
    return version


def _be_newest(path: Path, version: int) -> None:
    """For a reader, which cannot bring it forward."""
    if version == 0:
        raise _none_yet(path)
    if version < len(STEPS):
        raise OlderError(
            f"{path} has version {version} and was written by an older vedette; this one reads version {len(STEPS)}: "
            "start the service once, which brings it forward."
        )


async def _value(connection: aiosqlite.Connection, sql: str) -> object:
    """Of the first row the first column."""
    [row, *_] = await connection.execute_fetchall(sql)
    return row[0]


def _look(path: Path, *, writable: bool) -> None:
    """Makes the file if it is to be written, so that nobody else can read it, and says what stands in the way.

    A file that is there is not opened: closing it would give up the locks that this process may hold on it.
    """
    try:
        if not path.parent.is_dir():
            raise StorageError(f"{path.parent} is no directory; make it, or name another data_dir.")
        if writable and not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        if not path.exists():
            raise _none_yet(path)
    except FileExistsError:
        raise StorageError(f"{path} is a link that leads nowhere; remove it.") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(path) from error
        raise _closed(path, writable=writable) or StorageError(f"{path} cannot be made: {error.strerror}.") from error
    if not path.is_file():
        raise StorageError(f"{path} is no file; move it away.")
    if closed := _closed(path, writable=writable):
        raise closed


def _closed(path: Path, *, writable: bool = True) -> StorageError | None:
    """Which of what SQLite has to read and write it may not."""
    need = os.R_OK | os.W_OK if writable else os.R_OK
    for place in (path.parent, path, path.with_name(f"{NAME}-wal"), path.with_name(f"{NAME}-shm")):
        wanted = need | os.X_OK if place == path.parent else need
        with suppress(OSError):
            owner = place.stat().st_uid
            if writable and os.statvfs(place).f_flag & os.ST_RDONLY:
                return StorageError(f"{place} lies on a disk that is read-only; name another data_dir.")
            if not os.access(place, wanted, effective_ids=os.access in os.supports_effective_ids):
                verb = "written to" if writable else "read"
                return StorageError(
                    f"{place} cannot be {verb} by user {os.geteuid()} (it belongs to user {owner}); "
                    f"change its owner or its mode, or run vedette as user {owner}."
                )
    return None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Says in our words what SQLite says."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _said(path, error) from error
    except sqlite3.DatabaseError as error:
        # Damage comes as the class itself; its other kinds are broken constraints and calls that were wrong.
        if type(error) is not sqlite3.DatabaseError:
            raise
        raise _said(path, error) from error


def _said(path: Path, error: sqlite3.DatabaseError) -> StorageError:
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF:  # the kind without its details
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(path, str(error))
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _LockedError(f"{path} is locked by another process; stop what has it open.")
        case sqlite3.SQLITE_IOERR:
            return StorageError(f"the disk of {path} is full or failing ({error}); look at its space and its log.")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _closed(path) or StorageError(f"{path} cannot be opened or written to ({error}).")
        case _:
            return StorageError(f"{path} cannot be used: {error}.")


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(f"{path} is damaged ({why}); restore a backup, or move the file away to begin anew.")


def _full(path: Path) -> StorageError:
    return StorageError(f"the disk is full: {path} cannot be written to; make room and start again.")


def _none_yet(path: Path) -> StorageError:
    return StorageError(f"there is no database in {path.parent} yet; vedette run makes it.")
