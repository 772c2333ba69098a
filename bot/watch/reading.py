"""Reading a page of a channel and having it stored: what is new, its first history, its newest posts once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.cursor import Cursor, history_page_read, page_read
from bot.ingest import Ingest
from bot.model import Haul, Stands
from bot.ports import Clock
from bot.storage import posts
from bot.storage.database import Database
from bot.telegram import history
from bot.telegram.account import Account
from bot.telegram.history import Page
from bot.watch.roster import Roster, Watched

#: A page that holds so much may not be the last, whatever was heard of.
_MUCH = history.PAGE // 2
#: After so many answers in a row from before what is known, it is what is known that is wrong.
_STALE = 3
#: How many pages a check reads on where they are cut short.
_MORE_PAGES = 3


class Reader:
    """One page a call. Errors are the account's; what was read before one is stored."""

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        account: Account,
        roster: Roster,
        ingest: Ingest,
        database: Database,
        clock: Clock,
        *,
        history: timedelta,
        ignored: frozenset[int],
    ) -> None:
        self._account = account
        self._roster = roster
        self._ingest = ingest
        self._database = database
        self._clock = clock
        self._history = history
        self._ignored = ignored

    async def news(self, channel: int) -> bool:
        """Reads the oldest that stands above the cursor. Whether there may be more."""
        watched, cursor, asked = self._roster[channel], self._ingest.cursors[channel], self._clock.now()
        highest = self._ingest.highest(channel)
        page = await history.above(self._account, watched.peer, cursor.verified, self._ignored)
        numbers = [sighting.number for sighting in page.sightings]
        move = page_read(cursor, numbers, full=_may_go_on(page))
        after = await self._ingest.store(
            Haul(
                channel=channel,
                sightings=page.sightings,
                read=True,
                verified=move.verified,
                top=move.top,
                pts=page.pts,
            )
        )
        await self._roster.seen(page.peer)
        # What was pushed while the page was on its way may leave a number out that the page could not show.
        overtaken = self._ingest.highest(channel) > max(highest, after.verified)
        if move.read_on or after.behind or overtaken:
            return True
        await self._roster.read([channel], asked)
        return False

    async def history(self, channel: int) -> bool:
        """Reads the newest that stands below the floor. Whether there may be more that is not too old."""
        watched, cursor = self._roster[channel], self._ingest.cursors[channel]
        if cursor.history_read:
            return False
        page = await history.below(self._account, watched.peer, cursor.floor + 1, self._ignored)
        found = {sighting.number: sighting.post for sighting in page.sightings}
        dates = {number: post.date if post else None for number, post in found.items()}
        albums = {number: post.album for number, post in found.items() if post and post.album is not None}
        back = history_page_read(dates, watched.since - self._history, albums, full=_may_go_on(page))
        kept = tuple(sighting for sighting in page.sightings if sighting.number > back.floor)
        await self._ingest.store(
            Haul(channel=channel, sightings=kept, read=True, floor=back.floor, history_read=back.history_read)
        )
        return not back.history_read

    async def check(self, channel: int) -> None:
        """Compares the newest posts with what is stored: finds edits, deletions, and what came to light late."""
        watched, cursor, asked = self._roster[channel], self._ingest.cursors[channel], self._clock.now()
        watched.stirred = False
        if cursor.floor < cursor.top:
            page, ended = await self._newest(watched, cursor)
            await self._roster.seen(page.peer)
            if page.pts < cursor.pts and not self._went_back(channel, page.pts):
                watched.stirred = True
                if not page.pts:  # nothing on it could be read, which the next will hardly change
                    await self._roster.checked(channel, asked)
                return
            watched.stale = 0
            numbers = {sighting.number for sighting in page.sightings}
            lowest = max(0 if ended else min(numbers), cursor.floor + 1)
            stored = await posts.numbers(self._database, channel, lowest, cursor.top)
            fresh = tuple(sighting for sighting in page.sightings if sighting.number > cursor.floor)
            gone = tuple(sorted(stored - numbers))
            await self._ingest.store(Haul(channel=channel, sightings=fresh, read=True, gone=gone, pts=page.pts))
        await self._roster.checked(channel, asked)

    async def _newest(self, watched: Watched, cursor: Cursor) -> tuple[Page, bool]:
        """The newest posts, and whether it was seen that there are no others.

        Where what cannot be read has cut the page short, or it has room left although more is stored, it is read on.
        """
        channel = watched.peer.id
        page = last = await history.below(self._account, watched.peer, 0, self._ignored)
        sightings = page.sightings
        for _ in range(_MORE_PAGES):
            if not last.sightings or len(sightings) >= history.PAGE:
                break
            lowest = sightings[0].number
            others = cursor.floor + 1, lowest - 1
            cut = _cut(last) or (len(last.sightings) < _MUCH and await posts.numbers(self._database, channel, *others))
            if not cut:
                break
            last = await history.below(self._account, watched.peer, lowest, self._ignored)
            sightings = (*last.sightings, *sightings)
        return page._replace(sightings=sightings), not last.sightings

    def _went_back(self, channel: int, pts: int) -> bool:
        """Whether a page's count of events holds though a higher one is known, which is forgotten then.

        An answer from before what is known says nothing, and would undo an edit; it is asked for again soon. But that
        Telegram shows nothing else means that it counts anew.
        """
        watched = self._roster[channel]
        watched.stale += pts > 0
        if not pts or watched.stale < _STALE:
            return False
        watched.pts = pts
        self._ingest.cursors[channel] = replace(self._ingest.cursors[channel], pts=pts)
        return True


def _may_go_on(page: Page) -> bool:
    """Whether there may be more where a page ends."""
    return len(page.sightings) >= _MUCH or _cut(page)


def _cut(page: Page) -> bool:
    """Whether what cannot be read may have made a page shorter."""
    return any(sighting.stands is Stands.UNREADABLE for sighting in page.sightings)
