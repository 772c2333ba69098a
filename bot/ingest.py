"""Takes in what was read of the channels: judged as a batch, stored in one transaction, then told on.

A push waits for nothing: it is queued, and when much waits it is judged together. A page of history is stored before
its reader goes on. What is not stored yet is lost with the process, and is read again, since cursors move only with
what they moved over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot import trail
from bot.albums import QUIET, Albums, album_of
from bot.cursor import Cursor, heard, moved
from bot.entries import Also, Entries, entries
from bot.errors import StorageError
from bot.intake import Intake, Overtaken, intake, wanted
from bot.judge import Arrival, Judged, Judgement, judge
from bot.model import Carrier, Channel, ChannelRef, Happening, Haul, Peer, PostId, Reason, Verdict
from bot.ports import Clock
from bot.recording.jsonl import post_of
from bot.retelling import elsewhere
from bot.rules import Rules
from bot.storage import bundles, matches, outbox, posts, stories, tellings
from bot.storage.database import Database
from bot.storage.posts import Message
from bot.stories.stories import MOST, Stories
from bot.telemetry.log import logger
from bot.text.footers import Footers
from bot.triage import Pace

log = logger(__name__)

#: Hauls that are judged together at most, and that may wait. What does not fit is left to the sweep.
_BATCH = 1_000
_MOST_WAITING = 10_000
#: After a batch of so many, more is let gather: a transaction costs the same whatever it holds. In seconds.
_BUSY, _FLOODED = 8, 100
_LINGER, _LINGER_LONGER = 0.025, 0.075
#: Posts of a channel from which its footers are learnt when it is first heard of after a start.
_TAUGHT_BY = 60
_MINUTE = timedelta(minutes=1)
_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Waiting:
    """A haul in the queue; ``stored`` is there when somebody waits for it.

    ``again``: the batch in which it was has failed; ``unjudged``: it alone has, so it is to be stored as it is.
    """

    haul: Haul
    stored: asyncio.Future[Cursor] | None = None
    again: bool = False
    unjudged: bool = False

    def done(self, cursor: Cursor) -> None:
        if self.stored is not None and not self.stored.done():
            self.stored.set_result(cursor)

    def fail(self, error: Exception) -> None:
        if self.stored is not None and not self.stored.done():
            self.stored.set_exception(error)


class Ingest:
    """One batch at a time, in the order of coming; `run` is the loop.

    ``rules`` are those in force, which `obey` swaps between batches. ``behind`` is called with a channel of which
    something above its cursor is known to be missing, ``committed`` after a batch that brought matches or messages to
    be sent or edited. ``stored_at``: when a page of history was last stored.
    """

    def __init__(self, database: Database, clock: Clock, rules: Rules, secret: bytes) -> None:
        """``secret``: from which the random ids of messages are made."""
        self.rules = rules
        self.behind: Callable[[int], None] = _nothing
        self.committed: Callable[[], None] = lambda: None
        self.cursors: dict[int, Cursor] = {}
        self.stored = 0
        self.stored_at: datetime | None = None
        self.matched = 0
        self._database = database
        self._clock = clock
        self._secret = secret
        self._channels: dict[int, Channel] = {}
        #: Numbers above each cursor that are stored.
        self._above: dict[int, set[int]] = {}
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()
        self._albums = Albums()
        self._album_came = asyncio.Event()
        #: The number that was pushed last of each channel.
        self._last: dict[int, int] = {}
        self._stories = Stories(rules.fold_window)
        self._pace = Pace()
        self._footers = Footers()
        self._taught: set[int] = set()
        self._overtaken = Overtaken()

    async def resume(self) -> None:
        """Takes up what was known when the last process ended. Before the first `watch`."""
        now, database = self._clock.now(), self._database
        window = self.rules.fold_window
        # What was missed meanwhile is read now, and is near in time to what came before it.
        since = now - 2 * window
        members = await stories.members(database, since)
        # An edit of a post that is no member any more still belongs to its story.
        told = await stories.told(database, MOST)
        self._stories = Stories.rebuilt(window, members, told)
        folding = {b.destination: b.due for b in await bundles.open_bundles(database) if b.reason is Reason.BURST}
        # What is folded is told in one message, which counts too.
        pace = [*await outbox.told_since(database, now - _MINUTE), *folding.items()]
        by_destination = {place: [at for where, at in pace if where == place] for place, _ in pace}
        self._pace = Pace.resumed(by_destination, folding)
        self._above = await posts.above(database)

    def watch(self, peer: Peer, cursor: Cursor, ref: ChannelRef | None = None) -> None:
        """From now on hauls of this channel are taken. Again, when it is called something else.

        ``ref``: by which reference of the configuration it was found.
        """
        self._channels[peer.id] = peer.channel
        self.cursors.setdefault(peer.id, cursor)
        refs = self.rules.found.get(peer.id, ())
        if ref is not None and ref not in refs:
            self.rules = replace(self.rules, found={**self.rules.found, peer.id: (*refs, ref)})

    def obey(self, rules: Rules) -> None:
        """New rules, from the next batch on. By which references channels were found stays known."""
        self.rules = replace(rules, found={**rules.found, **self.rules.found})

    def heard(self, channel: int, top: int, pts: int | None = None) -> None:
        """Takes note of a channel's newest number; nothing is stored of it until it is read."""
        self.cursors[channel] = heard(self.cursors[channel], top, pts)

    def take(self, haul: Haul) -> bool:
        """Queues a push. When too much waits it is dropped (False), and its channel is behind."""
        if haul.channel not in self.cursors:
            return False
        if self._queue.qsize() >= _MOST_WAITING:
            self.behind(haul.channel)
            return False
        gap = self._leaves_a_gap(haul)
        if not self._albums and album_of(haul) is None:
            self._queue.put_nowait(_Waiting(haul))
            return True
        for ready in self._albums.take(haul, self._clock.now(), gap=gap):
            self._queue.put_nowait(_Waiting(ready))
        if self._albums:
            self._album_came.set()
            if gap:
                self.behind(haul.channel)
        return True

    def highest(self, channel: int) -> int:
        """The highest number of a channel that is stored, or that its cursor has passed."""
        return max(self.cursors[channel].verified, *self._above.get(channel, ()), 0)

    def _leaves_a_gap(self, haul: Haul) -> bool:
        """Whether the number below what was pushed is neither stored nor queued. Takes note of what is."""
        if not haul.sightings:
            return False
        channel, number = haul.channel, haul.sightings[0].number
        cursor, last = self.cursors[channel], self._last.get(channel)
        self._last[channel] = number
        if number <= cursor.verified + 1 or last == number - 1 or number - 1 in self._above.get(channel, ()):
            return False
        self.heard(channel, number)
        return True

    async def store(self, haul: Haul) -> Cursor:
        """Queues a page and returns when it is committed, with the cursor after it."""
        stored: asyncio.Future[Cursor] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(haul, stored))
        return await stored

    async def emptied(self) -> None:
        """Returns when all that waits now is stored."""
        channel = next(iter(self.cursors), None)
        if channel is not None:
            await self.store(Haul(channel=channel))

    async def run(self) -> None:
        """Stores what comes until `stop`. Raises StorageError when the database cannot be used any more."""
        letting_go = asyncio.create_task(self._let_albums_go())
        try:
            while (first := await self._queue.get()) is not None:
                batch = [first, *self._more()]
                await self._store_batch(batch)
                if len(batch) >= _BUSY and self._queue.qsize() < len(batch):
                    # Of the machine's time, whatever the clock says.
                    await asyncio.sleep(_LINGER if len(batch) < _FLOODED else _LINGER_LONGER)
        finally:
            letting_go.cancel()

    def stop(self) -> None:
        """Lets `run` end when all that has come until now is stored."""
        for haul in self._albums.due(_EVER):
            self._queue.put_nowait(_Waiting(haul))
        self._queue.put_nowait(None)

    def _more(self) -> Iterator[_Waiting]:
        """What else waits, as much of it as one batch takes."""
        for _ in range(min(_BATCH - 1, self._queue.qsize())):
            waiting = self._queue.get_nowait()
            if waiting is None:
                self._queue.put_nowait(None)
                return
            yield waiting

    async def _let_albums_go(self) -> None:
        while True:
            moment = self._albums.next_moment()
            if moment is None:
                self._album_came.clear()
                await self._album_came.wait()
                continue
            # Looked at often: what an album waits for may come before.
            await self._clock.sleep(min(moment - self._clock.now(), QUIET))
            for haul in self._albums.due(self._clock.now()):
                self._queue.put_nowait(_Waiting(haul))

    async def _store_batch(self, batch: list[_Waiting]) -> None:
        """One batch, from judging to telling on. Who waits for a part of it is told how it went."""
        try:
            first, *_ = batch
            await self._store([one.haul for one in batch], judged=not first.unjudged, learn=not first.again)
        except Exception as error:  # whatever is wrong with one haul must not stop the others
            if isinstance(error, StorageError) or (len(batch) == 1 and batch[0].unjudged):
                for waiting in batch:
                    waiting.fail(error)
                raise
            log.exception("batch not judged", hauls=len(batch), channel=batch[0].haul.channel)
            for waiting in batch:
                waiting.again, waiting.unjudged = True, len(batch) == 1
                await self._store_batch([waiting])
            return
        for waiting in batch:
            waiting.done(self.cursors[waiting.haul.channel])

    async def _store(self, hauls: list[Haul], *, judged: bool, learn: bool) -> None:
        seen, rules = self._clock.now(), self.rules
        before = {haul.channel: self.cursors[haul.channel] for haul in hauls}
        stored = await self._stored(hauls)
        taken = intake(hauls, seen, stored, before, self._channels.__getitem__, self._overtaken)
        arrivals = await self._informed(taken)
        if learn:
            await self._learn(arrivals)
        result = judge(arrivals if judged else (), rules, self._stories, self._footers, self._pace)
        cursors, above = self._moved(hauls, taken)
        also = await self._also(result, arrivals, rules)
        rows = entries(result, taken, cursors, rules, also, seen=seen, secret=self._secret, stored=stored)
        rows.changed |= _back(arrivals, stored, taken)
        await self._database.write(rows.write)
        if any(haul.read for haul in hauls):
            self.stored_at = self._clock.now()
        self._stories.merge(result.stories)
        self._pace = result.pace
        self._overtaken.take(taken)
        self._above.update(above)
        for channel, cursor in cursors.items():
            now = self.cursors[channel]
            # What was heard while this was being written is not forgotten.
            self.cursors[channel] = cursor if now is before[channel] else heard(cursor, now.top, now.pts)
        trail.came(arrivals)
        trail.judged(result.judgements, self._channels)
        self._tell_on(rows, cursors)

    def _tell_on(self, rows: Entries, cursors: Mapping[int, Cursor]) -> None:
        self.stored += len(rows.taken.messages)
        self.matched += len(rows.matches)
        if rows.matches or rows.messages or rows.changed:
            self.committed()
        for channel in cursors:
            self._albums.read(channel, self.cursors[channel].verified)
            if self.cursors[channel].behind:
                self.behind(channel)

    async def _stored(self, hauls: Iterable[Haul]) -> list[Message]:
        """The stored rows of what these hauls are about. Of a number above the cursor it is known without asking."""
        numbers, albums = wanted(hauls)
        asked: dict[int, set[int]] = {}
        for channel, mine in numbers.items():
            cursor, above = self.cursors[channel], self._above.get(channel, ())
            known = {n for n in mine if cursor.floor < n <= cursor.verified or n in above}
            if known:
                asked[channel] = known
        rows = await posts.known(self._database, asked, albums) if asked or albums else []
        # A deletion does not say of which album it is.
        others: dict[int, set[int]] = {}
        for row in rows:
            if row.album is not None and row.album not in albums.get(row.channel, ()):
                others.setdefault(row.channel, set()).add(row.album)
        return [*rows, *await posts.known(self._database, {}, others)] if others else rows

    async def _informed(self, taken: Intake) -> list[Arrival]:
        """The arrivals, with what the tables know of posts that were stored before."""
        known = taken.known_posts
        if not known:
            return taken.arrivals
        found = await matches.topics(self._database, known)
        return [_informed(arrival, found) for arrival in taken.arrivals]

    async def _learn(self, arrivals: Iterable[Arrival]) -> None:
        """Teaches the footers of channels, of one that was not heard of since the start by what is stored of it."""
        for arrival in arrivals:
            post = arrival.revision.post
            channel = int(post.channel.key)
            if channel not in self._taught:
                self._taught.add(channel)
                for body in await posts.bodies(self._database, channel, _TAUGHT_BY):
                    self._footers.learn(post.channel.key, post_of(body, post.channel).text)
            if arrival.revision.happening is Happening.POSTED:
                self._footers.learn(post.channel.key, post.text)

    def _moved(self, hauls: Iterable[Haul], taken: Intake) -> tuple[dict[int, Cursor], dict[int, set[int]]]:
        """The cursors after these hauls, and what is then stored above them."""
        cursors: dict[int, Cursor] = {}
        above: dict[int, set[int]] = {}
        for channel, number in taken.messages:
            above.setdefault(channel, set(self._above.get(channel, ()))).add(number)
        for haul in _together(hauls):
            channel = haul.channel
            mine = above.setdefault(channel, set(self._above.get(channel, ())))
            cursors[channel] = moved(cursors.get(channel, self.cursors[channel]), haul, mine)
        for channel, cursor in cursors.items():
            above[channel] = {number for number in above[channel] if number > cursor.verified}
        return cursors, above

    async def _also(self, judged: Judged, arrivals: Iterable[Arrival], rules: Rules) -> Also:
        """Where else the stories ran of which something is told now."""
        begun = {j.story for j in judged.judgements if _begins(j)}
        told = {j.story for j in judged.judgements if any(d.reason.verdict is Verdict.ALERT for d in j.decisions)}
        stored = await tellings.members(self._database, told - begun)
        renamed = {arrival.formerly: arrival.revision.post.id for arrival in arrivals}
        members = {
            story: dict.fromkeys([renamed.get(id_, id_) for id_ in stored.get(story, ())])
            | dict.fromkeys(judged.stories.members(story))
            for story in told
        }
        asked = {id_ for ids in members.values() for id_ in ids}
        here = {arrival.revision.post.id: arrival.revision.post for arrival in arrivals} if asked else {}
        here |= await tellings.posts(self._database, asked - here.keys())

        def also(story: PostId, lead: PostId) -> tuple[Carrier, ...]:
            return elsewhere((here[id_] for id_ in members.get(story, ()) if id_ in here and id_ != lead), rules)

        return also


def _back(arrivals: Iterable[Arrival], stored: Iterable[Message], taken: Intake) -> set[PostId]:
    """Stories of posts that had seemed to be gone: this is no edit, so nothing is judged, but a message may say it."""
    gone = (row for row in stored if row.deleted is not None)
    back = {(row.channel, row.post) for row in gone if (now := _now(row, taken)) and now.deleted is None}
    known = ((arrival.revision.post.id, arrival.known) for arrival in arrivals) if back else ()
    return {was.story for id_, was in known if was and was.story and (int(id_.channel), id_.number) in back}


def _now(row: Message, taken: Intake) -> Message | None:
    return taken.messages.get((row.channel, row.number))


def _begins(judgement: Judgement) -> bool:
    """Whether this post is the first of its story."""
    return judgement.revision.happening is Happening.POSTED and judgement.story == judgement.revision.post.id


def _together(hauls: Iterable[Haul]) -> Iterator[Haul]:
    """Pages as they are; of all pushes of a channel, what they mean for its cursor."""
    counts: dict[int, int] = {}
    for haul in hauls:
        if haul.verified is haul.floor is haul.top is None and not haul.history_read:
            counts[haul.channel] = max(counts.get(haul.channel, 0), haul.pts or 0)
        else:
            yield haul
    for channel, pts in counts.items():
        yield Haul(channel=channel, pts=pts)


def _informed(arrival: Arrival, found: Mapping[tuple[int, int], tuple[frozenset[str], PostId]]) -> Arrival:
    id_ = arrival.formerly or arrival.revision.post.id
    known = found.get((int(id_.channel), id_.number))
    if arrival.known is None or known is None:
        return arrival
    topics, story = known
    return arrival._replace(known=arrival.known._replace(topics=topics, story=story))


def _nothing(channel: int) -> None:
    """Nobody wants to know yet."""
