"""Notices to notification URLs, by apprise (the extra ``notify``): https://github.com/caronc/apprise

It is loaded when a URL is configured, and not before. A URL is a credential, often all of it: neither the log nor a
notice shows more of it than its scheme.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import NoReturn

from bot.config.settings import Settings
from bot.model import Notice
from bot.ports import Clock
from bot.render.notice import notice, together
from bot.storage import notices
from bot.storage.database import Connection, Database
from bot.storage.notices import Noted
from bot.telemetry.log import logger
from bot.terminal import in_thread
from bot.throttle import TOGETHER, Throttle

_log = logger(__name__)

#: Between tries of one URL.
_PAUSES = (timedelta(seconds=5), timedelta(seconds=30))
#: In seconds. The plug-ins wait four for a connection and four for an answer; a name that cannot be looked up may
#: take longer.
_PATIENCE = 30.0
_TITLE = "Vedette"
MISSING = "the package apprise is not installed: pip install 'vedette[notify]'"
_UNKNOWN = "it is none that apprise knows; look at its list of services for how it is written"
#: What another try does not mend.
_FOR_GOOD = (MISSING, _UNKNOWN)


class Notify:
    """The loop is `run`. All that has come is one push: nobody wants their phone to ring for each."""

    def __init__(self, database: Database, clock: Clock, *, settings: Callable[[], Settings]) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._throttle = Throttle()

    async def run(self) -> NoReturn:
        """Until it is cancelled. Raises StorageError."""
        while True:
            owed, now = await notices.owed(self._database), self._clock.now()
            if self._throttle.room(now, len(owed)):
                await self._send(owed, urls_of(self._settings()))
                self._throttle.made(now, 1)
            await self._clock.sleep(TOGETHER)

    async def _send(self, owed: Sequence[Noted], urls: Sequence[str]) -> None:
        """Sends these to each URL, side by side, and takes down that it was done; and what did not work."""
        text = notice(together([one.notice for one in owed])).text
        whys = await asyncio.gather(*(self._try(place, url, text) for place, url in enumerate(urls, 1)))
        now = self._clock.now()

        def work(c: Connection) -> None:
            notices.paid(c, [one.id for one in owed])
            for place, (url, why) in enumerate(zip(urls, whys, strict=True), 1):
                _note(c, f"notification URL {place}", f"Notification URL {place} ({_scheme(url)}://…)", why)

        def _note(c: Connection, subject: str, name: str, why: str | None) -> None:
            if why is None:
                notices.mend(c, subject, Notice(f"{name} takes notices again"), now)
            else:
                notices.tell(c, subject, Notice(f"{name} takes no notices: {why}"), now)

        await self._database.write(work)

    async def _try(self, place: int, url: str, text: str) -> str | None:
        """Three times, if need be; why it did not work."""
        for pause in _PAUSES:
            why = await _sent(url, text)
            if why is None or why in _FOR_GOOD:
                return why
            _log.warning("notification not sent", place=place, scheme=_scheme(url), why=why, again_after=pause)
            await self._clock.sleep(pause)
        return await _sent(url, text)


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
