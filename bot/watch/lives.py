"""What becomes of channels while they are watched: left, closed, restricted, gone, and open again.

A refusal to read says little. So Telegram is asked about the channel as such, once for each sign that something has
happened to it, and the operators hear what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.errors import RefusedError, UnreachableError, UnreadableError, WaitError
from bot.model import Notice
from bot.ports import Clock
from bot.telegram import peers, refusals
from bot.telegram.account import Account
from bot.telegram.peers import Look
from bot.telemetry.log import logger
from bot.watch.bell import Bell
from bot.watch.joining import AFTER_KNOCKING
from bot.watch.roster import Roster, Watched, patience

log = logger(__name__)

#: One of which nothing is answered is asked about again after so long, then after twice as long, so many times.
_AFTER_SILENCE, _DOUBLED = timedelta(seconds=30), 7
#: A channel that seems to change again and again is asked about no more often than this.
_APART = timedelta(minutes=1)


class Lives:
    """One loop, `run`. ``opened`` is called when a channel that was refused may be read again.

    ``join``: a channel that the account is not in any more is joined again.
    """

    def __init__(
        self, account: Account, roster: Roster, clock: Clock, opened: Callable[[], None], *, join: bool
    ) -> None:
        self._account = account
        self._roster = roster
        self._clock = clock
        self._opened = opened
        self.join = join
        #: Channels to be asked about, with Telegram's word for why they cannot be read, if there is one.
        self._doubted: dict[int, str | None] = {}
        self._looked: dict[int, datetime] = {}
        #: Those of which nothing was answered: how often, and before when they are not asked about.
        self._silent: dict[int, tuple[int, datetime]] = {}
        self._came = Bell(clock)

    def doubt(self, channel: int) -> None:
        """Something has happened to a channel."""
        if channel in self._roster:
            self._doubted.setdefault(channel, None)
            self._came.ring()

    def refused(self, channel: int, code: str) -> None:
        """A channel was refused when it was to be read; from now on it is not, until it is known to be open again."""
        if channel in self._roster:
            watched = self._roster[channel]
            watched.refused, watched.open_again = watched.refused or refusals.in_words(code), False
            self._doubted[channel] = code
            self._came.ring()

    async def run(self) -> None:
        """Looks after one channel after another, for ever."""
        while True:
            now = self._clock.now()
            due = self._due(now)
            first = min(due, key=lambda one: due[one], default=None)
            if first is None or due[first] > now:
                await self._came.sleep(None if first is None else due[first] - now)
                continue
            try:
                await self._look_after(self._roster[first])
            except WaitError as error:
                await self._clock.sleep(timedelta(seconds=error.seconds))
            except UnreachableError:
                # It may be about that one channel that Telegram's server cannot answer.
                times, _ = self._silent.get(first, (0, now))
                pause = _AFTER_SILENCE * (1 << min(times, _DOUBLED))
                self._silent[first] = times + 1, self._clock.now() + pause

    def _due(self, now: datetime) -> dict[int, datetime]:
        """When to ask about which channel."""
        refused = [one for one in self._roster.all() if one.refused is not None and not one.open_again]
        due = {one.peer.id: one.look_at or now for one in refused}
        for channel, code in self._doubted.items():
            if channel in self._roster:
                due[channel] = now if code or channel not in self._looked else self._looked[channel] + _APART
        silent = {channel: until for channel, (_, until) in self._silent.items() if channel in due}
        return due | {channel: max(due[channel], until) for channel, until in silent.items()}

    async def _look_after(self, watched: Watched) -> None:
        channel = watched.peer.id
        code = self._doubted.get(channel)
        try:
            look = await peers.look(self._account, watched.peer)
        except (RefusedError, UnreadableError) as error:
            log.warning("channel not looked after", channel=channel, error=str(error))
            look = Look(watched.peer, code)
        self._looked[channel] = self._clock.now()
        self._silent.pop(channel, None)
        if self._doubted.get(channel) == code:
            self._doubted.pop(channel, None)
        if channel in self._roster:
            await self._take_note(watched, look, look.code or code)

    async def _take_note(self, watched: Watched, look: Look, code: str | None) -> None:
        """``code``: why it cannot be read, None: it can."""
        channel = watched.peer.id
        if watched.peer.joined and (look.peer is None or not look.peer.joined) and (look.peer or code):
            shown, again = watched.peer.channel.shown, ", and joined again in a day" if self.join else ""
            what = f"This account is not in {shown} any more, though vedette has not left it; it is read without it"
            after = self._clock.now() + AFTER_KNOCKING
            await self._roster.left(channel, after, None if code else Notice(f"{what}, later than others{again}."))
        await self._roster.seen(look.peer)
        if channel not in self._roster:
            return
        await self._restricted(watched, look)
        if code is not None:
            await self._roster.refuse(channel, code, look.until)
        elif watched.refused is not None:
            # Whether that is true, reading shows; if not, it is looked after again later.
            watched.look_at, watched.open_again = self._clock.now() + patience(watched.tries), True
            watched.tries += 1
            self._opened()

    async def _restricted(self, watched: Watched, look: Look) -> None:
        if look.peer is None:
            return
        subject = f"restriction of channel {watched.peer.id}"
        if look.restriction is None:
            await self._roster.settle(subject)
        else:
            what = f"Telegram restricts {watched.peer.channel.shown} ({look.restriction})"
            await self._roster.tell(subject, Notice(f"{what}; it is read as far as that goes."))
