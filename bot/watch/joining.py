"""The queue of channels to be joined: one after another, at the pace that `bot.budget` sets, and read meanwhile.

What waits is found anew from the tables at each start: what is watched and not joined, and may be tried by now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bot.errors import NoAccessError, RefusedError, UnreachableError, UnreadableError, WaitError
from bot.model import Invite, Notice, Peer
from bot.ports import Clock
from bot.standing import Standing
from bot.telegram import peers, refusals
from bot.telegram.account import Account
from bot.telemetry.log import logger
from bot.watch.bell import Bell
from bot.watch.door import Door
from bot.watch.own import Own
from bot.watch.roster import Roster, Watched

log = logger(__name__)

_AFTER_SILENCE = timedelta(seconds=30)
#: A channel that does not let the account in, or that it left, is polled and asked again so much later.
AFTER_KNOCKING = timedelta(hours=24)
#: Who was asked to let the account in is asked again so much later, if it has not been let in by then.
_AFTER_ASKING = timedelta(days=7)
#: How often it is looked whether the account has left a channel, if no new one comes.
_LOOK = timedelta(hours=1)


class Joiner:
    """One loop, `run`. ``let_in`` is told of each channel that was closed to the account and has been joined.

    ``join``: without it nothing is joined.
    """

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        account: Account,
        roster: Roster,
        clock: Clock,
        *,
        own: Own,
        door: Door,
        let_in: Callable[[int], None],
        join: bool,
    ) -> None:
        self._account = account
        self._roster = roster
        self._clock = clock
        self._own = own
        self._door = door
        self._let_in = let_in
        self._join = join
        self._arrived = Bell(clock)

    def arrived(self) -> None:
        """A channel was taken up."""
        self._arrived.ring()

    def follow(self, *, join: bool) -> None:
        """Whether channels are joined from now on."""
        self._join = join
        self._arrived.ring()

    async def run(self) -> None:
        """Joins the channels that are watched, one after another, for ever. Those that refuse stay polled."""
        while True:
            now, opens_at = self._clock.now(), self._door.opens_at
            waiting = self._outside() if self._join else []
            first = min(waiting, key=lambda one: one.join_after or now, default=None)
            due = now if first is None else max(first.join_after or now, opens_at or now)
            if first is None or due > now:
                await self._arrived.sleep(_LOOK if first is None else min(due - now, _LOOK))
                continue
            self._door.waiting = sum((one.join_after or now) <= now for one in waiting)
            await self._door.count_places()
            await self._try_to_join(first)

    def _outside(self) -> list[Watched]:
        """What can be joined: by its public name, or by the invite by which it was found."""
        return [
            one
            for one in self._roster.all()
            if not one.peer.joined
            and (_invite(one) is not None or (one.peer.username and one.refused is None))
            and one.standing not in (Standing.BANNED, Standing.GONE)
        ]

    async def _try_to_join(self, watched: Watched) -> None:
        peer, now = watched.peer, self._clock.now()
        try:
            joined = await self._joined(watched)
        except WaitError as error:
            watched.join_after = now + timedelta(seconds=error.seconds)
        except UnreachableError:
            watched.join_after = now + _AFTER_SILENCE
        except (RefusedError, NoAccessError, UnreadableError) as error:
            code = refusals.code_of(error)
            if refusals.of_the_account(code):
                await self._door.shut(code)
            else:
                await self._not_joined(watched, code, refusals.why(error))
        else:
            watched.join_after = now + AFTER_KNOCKING
            await self._roster.seen(joined)
            await self._door.opened()
            if watched.refused is not None:
                self._let_in(peer.id)
            log.info("channel joined", channel=peer.id)

    async def _joined(self, watched: Watched) -> Peer:
        invite = _invite(watched)
        if watched.peer.username or invite is None:
            return await peers.join(self._account, watched.peer)
        return await peers.resolve(self._account, invite, self._own)

    async def _not_joined(self, watched: Watched, code: str, why: str) -> None:
        if watched.peer.id not in self._roster:
            return
        standing = refusals.standing(code)
        asked = standing is Standing.ASKED
        if not asked and standing is not Standing.NEEDS_PERSON:
            standing = watched.standing
        after = self._clock.now() + (_AFTER_ASKING if asked else AFTER_KNOCKING)
        what = f"{watched.peer.channel.shown} could not be joined"
        if watched.refused is None:
            what = f"{what}, and is read without it, later than others"
        await self._roster.not_joined(watched.peer.id, standing, after, Notice(f"{what}: {why}"))


def _invite(watched: Watched) -> Invite | None:
    return next((ref for ref in watched.refs if isinstance(ref, Invite)), None)
