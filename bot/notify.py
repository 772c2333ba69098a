"""Notices to notification URLs, by apprise (the extra ``notify``): https://github.com/caronc/apprise

It is loaded when a URL is configured, and not before. A URL is a credential, often all of it: neither the log nor a
notice shows more of it than its scheme, and what it is still to get is stored under a mark of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, NoReturn

from bot.config.settings import Settings
from bot.model import Notice
from bot.ports import Clock
from bot.render.notice import notice, together
from bot.storage import notices
from bot.storage.database import Connection, Database
from bot.storage.notices import Noted, mark_of
from bot.telemetry.log import logger
from bot.terminal import in_thread
from bot.throttle import TOGETHER, Throttle, of_each_kind

_log = logger(__name__)

#: Between tries of one URL; the last one from then on.
_PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
)
#: After so many tries the operators are told, by the other ways.
_TELL_AFTER = 3
#: What is older is not tried again.
_OLD = timedelta(hours=12)
_LATER = "What it was to get is tried again, less and less often, for twelve hours."
#: In seconds. The plug-ins wait four for a connection and four for an answer; a name that cannot be looked up may
#: take longer.
_PATIENCE = 30.0
_TITLE = "Vedette"
MISSING = (
    "the package apprise is not installed: pip install --require-hashes -r requirements-notify.txt, "
    "or build the image with EXTRAS=notify"
)
_UNKNOWN = "it is none that apprise knows; look at its list of services for how it is written"
#: What another try does not mend.
_FOR_GOOD = (MISSING, _UNKNOWN)


@dataclass(slots=True)
class _Line:
    """How it goes with a URL. ``again``: when it is tried next, after so many tries in vain (``failures``)."""

    throttles: tuple[Throttle, Throttle] = field(default_factory=of_each_kind)
    failures: int = 0
    again: datetime | None = None

    def may(self, now: datetime, owed: Sequence[Noted]) -> bool:
        """Whether it is to be tried now with these. A moment that is far off is of a clock set back since."""
        if self.again is not None and now < self.again <= now + _PAUSES[-1]:
            return False
        kinds = zip(self.throttles, notices.by_kind(owed), strict=True)
        rooms = [throttle.room(now, len(several)) for throttle, several in kinds]
        return any(rooms)

    def ended(self, now: datetime, owed: Sequence[Noted], why: str | None) -> None:
        """It was tried with these, and did not work (``why``) or did."""
        for throttle, several in zip(self.throttles, notices.by_kind(owed), strict=True):
            if several:
                throttle.made(now, 1)
        if why is None or why in _FOR_GOOD:
            self.failures, self.again = 0, None
        else:
            self.again = now + _PAUSES[min(self.failures, len(_PAUSES) - 1)]
            self.failures += 1


class _Push(NamedTuple):
    """What a URL is to get now; ``place`` is where it stands among the URLs, from 1."""

    place: int
    url: str
    owed: Sequence[Noted]
    line: _Line


class Notify:
    """The loop is `run`. All that has come is one push: nobody wants their phone to ring for each."""

    def __init__(self, database: Database, clock: Clock, *, settings: Callable[[], Settings]) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._lines: dict[str, _Line] = {}

    async def run(self) -> NoReturn:
        """Until it is cancelled. Raises StorageError."""
        while True:
            owed, now = await notices.owed(self._database), self._clock.now()
            due = [push for push in self._pushes(owed) if push.line.may(now, push.owed)]
            await asyncio.gather(*map(self._push, due))
            await self._clock.sleep(TOGETHER)

    def _pushes(self, owed: Mapping[str, Sequence[Noted]]) -> list[_Push]:
        urls = dict.fromkeys(urls_of(self._settings()))
        self._lines = {url: self._lines.get(url, _Line()) for url in urls}
        return [_Push(place, url, owed.get(mark_of(url), ()), self._lines[url]) for place, url in enumerate(urls, 1)]

    async def _push(self, push: _Push) -> None:
        """Sends them, and takes down that it was done, or what did not work."""
        place, url, owed, line = push
        subject, name = f"notification URL {place}", f"Notification URL {place} ({_scheme(url)}://…)"
        # It need not hear of itself.
        late = await notices.overtaken(self._database, owed)
        told = [one.notice for one in owed if one.subject != subject and one.id not in late]
        why = await _sent(url, notice(together(told)).text) if told else None
        now = self._clock.now()
        line.ended(now, owed, why)
        done = [one.id for one in owed if why is None or why in _FOR_GOOD or now - one.made >= _OLD]

        def work(c: Connection) -> None:
            notices.paid(c, mark_of(url), done)
            if why is None and told:
                notices.mend(c, subject, Notice(f"{name} takes notices again"), now)
            elif why in _FOR_GOOD:
                notices.tell(c, subject, Notice(f"{name} takes no notices: {why}"), now)
            elif line.failures >= _TELL_AFTER:
                notices.tell(c, subject, Notice(f"{name} takes no notices: {why}", (_LATER,)), now)

        await self._database.write(work)
        if why is not None:
            again = None if line.again is None else line.again - now
            _log.warning("notification not sent", place=place, scheme=_scheme(url), why=why, again_after=again)


async def _sent(url: str, text: str) -> str | None:
    """Why it could not be sent; None if it was. In a thread, for the plug-ins wait for their servers."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await in_thread(_send, url, text)
    except TimeoutError:
        return f"no answer within {_PATIENCE:.0f} s"


def _send(url: str, text: str) -> str | None:
    try:
        from apprise import Apprise, NotifyFormat
    except ImportError:
        return MISSING
    service = Apprise()
    try:
        if not service.add(url):
            return _UNKNOWN
        sent = service.notify(body=text, title=_TITLE, body_format=NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001 - of a plug-in; its words may hold the URL
        return f"the plug-in has failed ({type(error).__name__})"
    return None if sent else "the service does not take them, or cannot be reached"


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower()


def urls_of(settings: Settings) -> list[str]:
    """The notification URLs as they are written."""
    return [url.get_secret_value() for url in settings.operators.notify]


def faults(urls: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Of which URLs (from 0) it can be said without sending anything that they will not work, and why."""
    if not urls:
        return
    try:
        from apprise import Apprise
    except ImportError:
        yield 0, MISSING
        return
    for place, url in enumerate(urls):
        if Apprise.instantiate(url) is None:
            yield place, _UNKNOWN
