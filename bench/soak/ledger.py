"""Holds the service to its promises day by day: what is stored, what was told, and when; then forgets what was held."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bench.soak.world import BOT, DAY, NUMBER, SEND, Item, Outside
from bot.storage.archive import Selection, readings
from bot.storage.database import Database
from tests.telegram_server.writes import busiest

#: What is so old stands as it will for good, and was told wherever it is to be.
SETTLED = 2 * DAY
#: A digest waits until a sweep has passed its moment and what that has found is read: two or three minutes where nobody
#: is told to wait, and ten at most (contract, promise 5). Where nobody was there, or the bot was told to wait, these
#: count from the end of that.
AT_ONCE, AT_MOST = timedelta(seconds=150), timedelta(minutes=11)
#: So many of a channel's newest numbers stay, whatever their age (docs/data.md), and some that nobody counts.
_STAY = 130


class Span(NamedTuple):
    """A time in which something could not be done."""

    since: datetime
    until: datetime


class Kept(NamedTuple):
    """What is remembered of a message that was checked, until it is removed; ``says``: the hash of its text."""

    at: datetime
    channel: int
    number: int
    says: int


@dataclass(slots=True)
class Ledger:
    """``wrong``: what promises were not kept, and where. ``notes``: what was measured, for a person.

    ``late``: by how much each digest came after its moment that nothing had held up; ``absent``: when nobody was there.
    """

    outside: Outside
    folder: Path
    keep: timedelta
    moments: tuple[timedelta, ...]
    wrong: dict[str, list[object]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    absent: list[Span] = field(default_factory=list)
    late: list[timedelta] = field(default_factory=list)
    busiest: int = 0
    _kept: deque[Kept] = field(default_factory=deque)
    _told: dict[int, Counter[str]] = field(default_factory=dict)
    _digests: dict[int, list[datetime]] = field(default_factory=dict)
    _heard: set[int] = field(default_factory=set)
    _settled: datetime | None = None
    _digested: datetime | None = None

    def __len__(self) -> int:
        return len(self._kept) + len(self._told)

    # --- what was sent ------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Reads what the bot has sent since it was last asked."""
        server, began = self.outside.server, self.outside.clock.began
        for sent in server.sent:
            if sent.person != BOT or sent.random_id in self._heard:
                continue
            kind = "digest" if _is_of_digest(sent.text) else "alert"
            for number in NUMBER.findall(sent.text):
                self._told.setdefault(int(number), Counter())[kind] += 1
            if sent.text.startswith("Digest: "):
                self._digests.setdefault(sent.peer, []).append(began + timedelta(seconds=sent.at))
        self._heard = {sent.random_id for sent in server.sent}
        self.busiest = max([self.busiest, *busiest(server.writes).values()])
        now = self.outside.clock.seconds()
        server.writes[:] = [write for write in server.writes if write.at > now - 120]

    # --- day by day ---------------------------------------------------------------------------------------

    async def check_day(self, *, last: bool = False) -> None:
        """Checks what is old enough, or, at the ``last``, all that there is; of that only a hash is kept."""
        self.listen()
        now = self.outside.clock.now().replace(microsecond=0)
        before = now + DAY if last else now - SETTLED
        items = self.outside.traffic.settled(before)
        since, self._settled = self._settled, before
        stored = await self._stored(since, before)
        for item in items:
            self._check_stored(item, stored.pop((item.channel, item.number), None))
            self._check_told(item)
        self._say("stored, but not there", [*stored])
        self._check_digests(min(before, now - AT_MOST))
        while self._kept and self._kept[0].at < now - self.keep:
            self._kept.popleft()

    async def check_all(self) -> int:
        """All that is not older than ``keep`` has to be stored as it was, and what is older not. How many there are."""
        # Telegram's dates are whole seconds.
        since = (self.outside.clock.now() - self.keep).replace(microsecond=0)
        wanted = {(one.channel, one.number): one.says for one in self._kept if one.at >= since}
        stored = {place: hash(text) for place, text in (await self._stored(since)).items()}
        self._say("within keep, and not stored", sorted(wanted.keys() - stored.keys()))
        self._say("stored, and it should not", sorted(stored.keys() - wanted.keys()))
        self._say("stored otherwise", [place for place in wanted if stored.get(place, wanted[place]) != wanted[place]])
        # Retention looks each hour, and waits up to another one.
        old = await self._stored(None, since - DAY / 4)
        tops = {channel.marked: channel.top for channel in self.outside.traffic.channels}
        self._say("older than keep, and still stored", [place for place in old if place[1] <= tops[place[0]] - _STAY])
        return len(stored)

    async def _stored(self, since: datetime | None, until: datetime | None = None) -> dict[tuple[int, int], str]:
        """What stands of posts of these dates, by channel and number, as the service's own tables say."""
        texts: dict[tuple[int, int], str] = {}
        # Not up to a date: then what happened to posts afterwards would be left out.
        selection = Selection(None, since, None)
        with self.outside.clock.working():
            async with Database.opened(self.folder, writable=False) as database, readings(database, selection) as found:
                async for post in found:
                    place = (post.channel.id or 0, post.number)
                    if until is not None and post.date >= until:
                        continue
                    if post.deleted is None:
                        texts[place] = post.text
                    else:
                        texts.pop(place, None)
        return texts

    def _check_stored(self, item: Item, text: str | None) -> None:
        self.checked["posts"] += 1
        if text != item.text:
            what = "lost" if text is None else "not seen to be deleted" if item.text is None else "not as edited"
            self._say(what, [(item.channel, item.number, str(item.at))])
        if item.text is not None:
            self._kept.append(Kept(item.at, item.channel, item.number, hash(item.text)))

    def _check_told(self, item: Item) -> None:
        """Once at once, where its topic is told so, and once in a digest."""
        if item.told is None:
            return
        self.checked["matches"] += 1
        told = self._told.pop(item.told, Counter[str]())
        # What the first reading brings is told by its digest alone; what was gone before it was seen, nowhere.
        first = item.at < self.outside.clock.began + DAY / 2
        alerts = {int(item.topic == "syria")} | ({0} if first or item.text is None else set())
        digests = {1} | ({0} if item.text is None else set())
        if told["alert"] not in alerts or told["digest"] not in digests:
            self._say("not told once", [(item.told, item.topic, str(item.at), dict(told))])

    # --- digests ------------------------------------------------------------------------------------------

    def _check_digests(self, before: datetime) -> None:
        """Each chat gets one for each moment up to a time, and none besides."""
        for chat in self.outside.chats:
            made = self._digests.setdefault(chat.marked, [])
            for moment in self._due(before):
                at = next((at for at in made if at >= moment), None)
                if at is None or at - moment > DAY / 2:
                    self._say("no digest", [(chat.username, str(moment))])
                    continue
                made.remove(at)
                self._check_moment(chat.username, moment, at)
            extra = [str(at) for at in made if at < before]
            self._say("a digest too many", [(chat.username, at) for at in extra])
            made[:] = [at for at in made if at >= before]
        self._digested = before

    def _due(self, before: datetime) -> Iterator[datetime]:
        began = self.outside.clock.began
        since = self._digested or began
        day = since.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < before:
            yield from (day + at for at in self.moments if since <= day + at < before)
            day += DAY

    def _check_moment(self, chat: str | None, moment: datetime, at: datetime) -> None:
        self.checked["digests"] += 1
        began = self.outside.clock.began
        waits = [
            (method, Span(began + timedelta(seconds=since), began + timedelta(seconds=since + 1.1 * wait + 2)))
            for since, method, wait in self.outside.faults.waits
        ]
        overlapping = [(what, span) for what, span in waits if span.since <= at and span.until >= moment]
        held = [span.until for what, span in overlapping if what == SEND]
        held += [span.until for span in self.absent if span.since <= at and span.until >= moment]
        from_then = at - max([moment, *held])
        if held or overlapping:
            self.checked["digests held up"] += 1
        else:
            self.late.append(from_then)
        if from_then > AT_MOST:
            self._say("a late digest", [(chat, str(moment), str(at - moment))])

    def _say(self, what: str, those: Sequence[object]) -> None:
        if those:
            self.wrong.setdefault(what, []).extend(those)


def _is_of_digest(text: str) -> bool:
    return text.startswith(("Digest: ", "First reading: ", "• ")) or "\n• " in text
