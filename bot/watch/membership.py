"""Taking up the channels that a configuration names: found once, watched from then on, joined where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.cursor import began_at
from bot.errors import NoAccessError, RefusedError, UnreachableError, UnreadableError, WaitError
from bot.model import ChannelRef, ChatId, Peer
from bot.ports import Clock
from bot.telegram import history, peers
from bot.telegram.account import Account
from bot.telemetry.log import logger
from bot.watch.bell import Bell
from bot.watch.roster import Roster

log = logger(__name__)

#: When something is tried again that was refused, or that brought no answer.
_AFTER_REFUSAL = timedelta(hours=1)
_AFTER_SILENCE = timedelta(seconds=30)
#: A channel that does not let the account in, or throws it out again, is polled and asked again so much later.
_AFTER_KNOCKING = timedelta(hours=24)
#: How often it is looked whether the account has left a channel, if no new one comes.
_LOOK = timedelta(hours=1)


class Membership:
    """Two loops that hold nobody up: `resolve` and `join`. ``begun`` is told of each channel that is taken up.

    ``untried``: those that are to be resolved and were not asked for yet.
    """

    def __init__(  # noqa: PLR0913 - each is another part of the house
        self,
        account: Account,
        roster: Roster,
        clock: Clock,
        begun: Callable[[int], None],
        *,
        join: bool,
        history: timedelta,
    ) -> None:
        self._account = account
        self._roster = roster
        self._clock = clock
        self._begun = begun
        self._join = join
        self._history = history
        self._arrived = Bell(clock)
        self._mine: Mapping[int, Peer] = {}
        self._listed: datetime | None = None
        self.untried: set[ChannelRef] = set()

    async def resolve(self, refs: Sequence[ChannelRef]) -> None:
        """Takes up channels one after another, those that fail again later, until all are watched."""
        # One listing finds all that are named by their ids.
        due = dict.fromkeys(sorted(refs, key=lambda ref: not isinstance(ref, ChatId)), self._clock.now())
        while due:
            ref = min(due, key=lambda one: due[one])
            await self._clock.sleep(due[ref] - self._clock.now())
            pause = await self._try_to_resolve(ref)
            self.untried.discard(ref)
            if pause is None:
                del due[ref]
            else:
                due[ref] = self._clock.now() + pause

    async def _try_to_resolve(self, ref: ChannelRef) -> timedelta | None:
        """When to try again, or None if the channel is watched now."""
        try:
            await self._take_up(ref, await peers.resolve(self._account, ref, self._own, join=self._join))
        except WaitError as error:
            return timedelta(seconds=error.seconds)
        except UnreachableError:
            return _AFTER_SILENCE
        except (RefusedError, NoAccessError, UnreadableError) as error:
            await self._roster.tell(f"channel {ref}", f"{ref} cannot be watched: {error}")
            log.warning("channel not resolved", ref=str(ref), error=str(error))
            return _AFTER_REFUSAL
        return None

    async def _take_up(self, ref: ChannelRef, peer: Peer) -> None:
        asked, cursor = self._clock.now(), None
        if await self._roster.known_cursor(peer.id) is None:
            top, pts = await self._top(peer)
            cursor = replace(began_at(top, pts), history_read=self._history <= timedelta())
        await self._roster.begin(ref, peer, cursor, asked)
        self._begun(peer.id)
        self._arrived.ring()

    async def _top(self, peer: Peer) -> tuple[int, int]:
        """A channel's newest number and its count of events."""
        answer = await peers.tops(self._account, [peer])
        if peer.id in answer.refused:
            raise NoAccessError(answer.refused[peer.id])
        if top := answer.tops.get(peer.id):
            return top.number, top.pts
        page = await history.below(self._account, peer)
        return max((sighting.number for sighting in page.sightings), default=0), page.pts

    async def _own(self) -> Mapping[int, Peer]:
        """The account's own channels, listed rarely, since that is dear."""
        now = self._clock.now()
        if self._listed is None or now - self._listed >= _AFTER_REFUSAL:
            self._mine = await peers.mine(self._account, self._clock.sleep)
            self._listed = now
        return self._mine

    async def join(self) -> None:
        """Joins the public channels that are watched, one after another, for ever. Those that refuse stay polled."""
        due: dict[int, datetime] = {}
        while True:
            now = self._clock.now()
            first = min(self._outside(), key=lambda one: due.get(one, now), default=None)
            if first is None or due.get(first, now) > now:
                await self._arrived.sleep(_LOOK if first is None else min(due[first] - now, _LOOK))
                continue
            pause = await self._try_to_join(first)
            due[first] = self._clock.now() + pause

    def _outside(self) -> list[int]:
        if not self._join:
            return []
        watched = self._roster.all()
        return [one.peer.id for one in watched if one.peer.username and not one.peer.joined and one.refused is None]

    async def _try_to_join(self, channel: int) -> timedelta:
        """When to try again, should the account be outside then."""
        peer = self._roster[channel].peer
        try:
            await self._roster.seen(await peers.join(self._account, peer))
        except WaitError as error:
            return timedelta(seconds=error.seconds)
        except UnreachableError:
            return _AFTER_SILENCE
        except (RefusedError, NoAccessError, UnreadableError) as error:
            what = f"{peer.channel.shown} could not be joined, and is read without it, later than others: {error}"
            await self._roster.tell(f"joining channel {channel}", what)
        return _AFTER_KNOCKING
