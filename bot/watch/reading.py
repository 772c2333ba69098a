"""Reading a page of a channel and having it stored: what is new, its first history, its newest posts once more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.cursor import history_page_read, page_read
from bot.ingest import Ingest
from bot.model import Haul, Sighting, Stands
from bot.ports import Clock
from bot.storage import posts
from bot.storage.database import Database
from bot.telegram import history
from bot.telegram.account import Account
from bot.telegram.history import Page
from bot.watch.roster import Roster, Watched

#: A page that holds so much may not be the last, whatever was heard of.
_MUCH = history.PAGE // 2
#: So far below the newest what could not be read before is not searched for again.
_WIDE = 1_000
#: After so many answers in a row from before what is known, it is what is known that is wrong.
_STALE = 3
#: For how long a channel whose newest message cannot be read is asked for by itself. With others it fails the question
#: for a hundred of them, which is found out by some 14 calls.
BLIND = timedelta(minutes=10)


class Reader:
    """One page a call. Errors are the account's; what was read before one is stored.

    ``back``: how far a channel's first history goes.
    """

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        account: Account,
        roster: Roster,
        ingest: Ingest,
        database: Database,
        clock: Clock,
        *,
        back: timedelta,
        ignored: frozenset[int],
    ) -> None:
        self._account = account
        self._roster = roster
        self._ingest = ingest
        self._database = database
        self._clock = clock
        self.back = back
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

    async def poll(self, channel: int) -> bool:
        """The same for a channel whose newest message cannot be read, so that a page of it is dear.

        In between it is only seen whether anything stands under the next few numbers.
        """
        watched, now = self._roster[channel], self._clock.now()
        found = (watched.blind_until or now) - BLIND
        if watched.read_at is None or watched.read_at < found:
            return await self.news(channel)
        verified = self._ingest.cursors[channel].verified
        return not await history.ends_at(self._account, watched.peer, verified) and await self.news(channel)

    async def history(self, channel: int) -> bool:
        """Reads the newest that stands below the floor. Whether there may be more that is not too old."""
        watched, cursor = self._roster[channel], self._ingest.cursors[channel]
        if cursor.history_read:
            return False
        page = await history.below(self._account, watched.peer, cursor.floor + 1, self._ignored)
        found = {sighting.number: sighting.post for sighting in page.sightings}
        dates = {number: post.date if post else None for number, post in found.items()}
        albums = {number: post.album for number, post in found.items() if post and post.album is not None}
        back = history_page_read(dates, watched.since - self.back, albums, full=_may_go_on(page))
        kept = tuple(sighting for sighting in page.sightings if sighting.number > back.floor)
        await self._ingest.store(
            Haul(channel=channel, sightings=kept, read=True, floor=back.floor, history_read=back.history_read)
        )
        return not back.history_read

    async def check(self, channel: int, alerted: Collection[int] = ()) -> None:
        """Compares the newest posts with what is stored: finds edits, deletions, and what came to light late.

        ``alerted``: numbers that are compared too, however far below the newest they stand.
        """
        watched, cursor, asked = self._roster[channel], self._ingest.cursors[channel], self._clock.now()
        watched.stirred = False
        if cursor.floor < cursor.top:
            unreadable = await posts.unreadable(self._database, channel, cursor.top - _WIDE)
            page = await history.below(self._account, watched.peer, 0, self._ignored, unreadable)
            await self._roster.seen(page.peer)
            if page.pts < cursor.pts and not self._went_back(channel, page.pts):
                watched.stirred = True
                if not page.pts:  # nothing on it could be read, which the next will hardly change
                    await self._roster.checked(channel, asked)
                return
            watched.stale = 0
            numbers = {sighting.number for sighting in page.sightings}
            lowest = max(min(numbers, default=0), cursor.floor + 1)
            gone = await posts.numbers(self._database, channel, lowest, cursor.top) - numbers
            fresh = tuple(sighting for sighting in page.sightings if sighting.number > cursor.floor)
            if numbers:
                below, vanished = await self._below(watched, page, alerted)
                fresh, gone = (*below, *fresh), gone | vanished
            haul = Haul(channel=channel, sightings=fresh, read=True, gone=tuple(sorted(gone)), pts=page.pts)
            await self._ingest.store(haul)
        await self._roster.checked(channel, asked)

    async def _below(
        self, watched: Watched, page: Page, alerted: Collection[int]
    ) -> tuple[Sequence[Sighting], frozenset[int]]:
        """What stands now, and what does not, of what is stored below a page. Asked for by number.

        Of what was alerted all; of the rest only where the page is shorter than it might be: what cannot be read has
        cut it, or there is no more, and the oldest posts were deleted.
        """
        channel, lowest = watched.peer.id, page.sightings[0].number
        floor = self._ingest.cursors[channel].floor
        asked = {number for number in alerted if floor < number < lowest}
        if len(page.sightings) < history.PAGE:
            stored = await posts.numbers(self._database, channel, floor + 1, lowest - 1)
            asked.update(sorted(stored)[len(page.sightings) - history.PAGE :])
        if not asked:
            return (), frozenset()
        seen = await history.numbered(self._account, watched.peer, asked, self._ignored)
        if seen.pts < page.pts:
            # From before what the page shows, or nothing of it could be read.
            watched.stirred = True
            return (), frozenset()
        return seen.sightings, seen.gone

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
    """Whether there may be more where a page ends: it holds much, or what cannot be read has made it shorter."""
    return len(page.sightings) >= _MUCH or any(sighting.stands is Stands.UNREADABLE for sighting in page.sightings)
