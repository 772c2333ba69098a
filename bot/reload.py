"""The configuration, edited while the service runs: a valid change is applied whole, anything else changes nothing.

The file is looked at a few times a second, by its stat, which follows a link and a file that was put in its place. It
is read once it has rested. What a change costs, expanding its keywords, is paid on a thread: no post waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, NoReturn

from bot import inforce
from bot.config.diff import changes
from bot.config.load import load
from bot.config.ruling import rules_of
from bot.config.settings import Settings
from bot.errors import ConfigError, NoConfigError, StorageError
from bot.model import Channel, Notice, Post
from bot.ports import Clock
from bot.query.lexicon import Lexicon
from bot.rules import Rules
from bot.storage import notices
from bot.storage.database import Connection, Database
from bot.telemetry.log import logger

_log = logger(__name__)

_LOOK = timedelta(seconds=0.25)
#: Looks in a row that show no change before the file is read: half a second.
_RESTED = 2
#: Errors that are told; the rest is counted.
_TOLD = 20

_CHANGED, _ERROR = "configuration", "configuration error"
_STAYS = "the former configuration stays in force"

#: What of a file tells one state of it from another; of one that cannot be looked at only why.
_Stamp = tuple[int, ...]


class _Change(NamedTuple):
    """``file``: what it says; ``settings`` and ``rules``: as far as that takes effect now; ``lines``: what is told."""

    file: Settings
    settings: Settings
    rules: Rules
    lines: tuple[str, ...]


class Reload:
    """One loop, `run`. ``settings`` are those in force; ``apply`` puts others in their place, with their rules.

    ``environment``: where secrets come from, as at the start. ``lexicon``: nobody else may use it meanwhile.
    """

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        path: Path,
        environment: Mapping[str, str],
        lexicon: Lexicon,
        clock: Clock,
        database: Database,
        *,
        settings: Callable[[], Settings],
        apply: Callable[[Settings, Rules], Awaitable[None]],
    ) -> None:
        self._path = path
        self._environment = environment
        self._lexicon = lexicon
        self._clock = clock
        self._database = database
        self._settings = settings
        self._apply = apply
        #: What the file said when it was last valid; it may differ from what is in force by what needs a restart.
        self._file = settings()
        #: The file as it was seen last, at how many looks, and as it was read last.
        self._seen: _Stamp | None = None
        self._looks = 0
        self._read: _Stamp | None = None
        #: The errors that were told last, since it was valid.
        self._told: tuple[str, ...] = ()
        self._given_up = False

    async def run(self) -> NoReturn:
        """Until it is cancelled. Raises StorageError."""
        try:
            while True:
                await self.look()
                await self._clock.sleep(_LOOK)
        finally:
            self._given_up = True

    async def look(self) -> None:
        """Takes the file over if it was changed, and has rested since. Raises StorageError."""
        stamp = await asyncio.to_thread(_stamp, self._path)
        self._looks = self._looks + 1 if stamp == self._seen else 0
        self._seen = stamp
        if self._looks < _RESTED or stamp == self._read:
            return
        first, self._read = self._read is None, stamp
        try:
            await self._take_over(stamp, first=first)
        except NoConfigError:
            await self._nothing_there(stamp)
        except ConfigError as error:
            await self._refuse(error.errors)
        except StorageError:
            raise
        except Exception:  # noqa: BLE001 - a defect in what was never tried before must not end what works
            _log.exception("configuration not taken over")
            await self._database.write(lambda c: notices.withdraw(c, _CHANGED))
            await self._refuse(["vedette cannot use it, by a defect of its own; its log says more"])

    async def _take_over(self, stamp: _Stamp, *, first: bool) -> None:
        """``first``: this process has read it at its start, and knows nothing of what it said before."""
        change, of = await asyncio.to_thread(self._built, self._settings()), str(stamp)
        if change is not None:
            # Written down first: who is killed in between reads the file anew, and it is in force then.
            notice = Notice("The configuration was changed.", change.lines)
            await self._database.write(lambda c: notices.announce(c, _CHANGED, notice, of))
            await self._apply(change.settings, change.rules)
            self._file = change.file
            _log.info("configuration changed", changes=len(change.lines))
        self._told, now = (), self._clock.now()

        def work(c: Connection) -> None:
            if change is None and first:
                notices.mend(c, _ERROR, Notice("The configuration has no errors any more."), now)
            elif change is None:
                notices.mend(c, _ERROR, Notice("The configuration can be read again; nothing has changed in it."), now)
            else:
                notices.settle(c, _ERROR, now)
            notices.say_announced(c, _CHANGED, of, now)
            inforce.put(c, self._settings(), self._path)

        await self._database.write(work)

    def _built(self, before: Settings) -> _Change | None:
        """On a thread: what the file says, made ready; None where that is what it said before."""
        if self._path.is_fifo():
            # It would be waited for.
            raise ConfigError([f"{self._path}:1: file: this is a pipe; put the configuration in its place"])
        file = load(self._path, self._environment)
        found = changes(self._file.plain(), file.plain())
        if not found:
            return None
        settings = in_force(before, file)
        queries = [query for topic in file.topics for query in (*topic.keywords, *topic.exclude)]
        for query in queries:
            if self._given_up:
                return None
            self._lexicon.plan(query)
        rules = rules_of(settings, self._lexicon)
        self._lexicon.keep(queries)
        # What a matcher leaves to its first post is done here too.
        rules.matcher.sees(_SOME_POST)
        return _Change(file, settings, rules, found.lines(changes(before.plain(), file.plain()).restart))

    # --- what the operators are told ------------------------------------------------------------------------

    async def _refuse(self, errors: Sequence[str]) -> None:
        """Told once for the same errors: whoever mends one of two sees that the other is left."""
        if (told := tuple(error.partition("\n")[0] for error in errors)) == self._told:
            return
        self._told, now = told, self._clock.now()
        more = [f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else []
        notice = Notice(f"The configuration has errors and was not taken over; {_STAYS}.", (*told[:_TOLD], *more))
        _log.warning("configuration refused", errors=len(told))
        await self._database.write(lambda c: notices.say(c, _ERROR, notice, now))

    async def _nothing_there(self, stamp: _Stamp) -> None:
        self._told, now = (), self._clock.now()
        what = "is gone" if len(stamp) == 1 else "is empty"
        _log.warning("no configuration", why=what)
        notice = Notice(f"{self._path.name} {what}; {_STAYS}.")
        await self._database.write(lambda c: notices.tell(c, _ERROR, notice, now))


_SOME_POST = Post(channel=Channel(id=1), number=1, date=datetime.min.replace(tzinfo=UTC), text=".")


def in_force(before: Settings, file: Settings) -> Settings:
    """What a file says, as far as it takes effect without a restart: what needs one stays as it was.

    As `bot.config.diff.RESTART` has it.
    """
    stays = {key: getattr(before, key) for key in ("telegram", "data_dir", "metrics")}
    return file.model_copy(update={**stays, "log": file.log.model_copy(update={"format": before.log.format})})


def _stamp(path: Path) -> _Stamp:
    try:
        stat = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
