"""Pages of a channel's history, with whatever the Telegram library cannot read told apart from what is not there.

One message of a kind that the library does not know makes the whole answer unreadable, and nothing in it tells which.
So the stretch is asked for by numbers instead, where an answer says "nothing" of each hole: how many of them can be
read is searched for by halves, and the next one is it. What cannot be read alone is an UNREADABLE sighting. A page may
be short then, but what it spans, it holds; about ten calls find one such message, one more each that follows on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from telethon.tl import functions, types

from bot.errors import TelegramError, UnreadableError
from bot.model import Peer, Sighting, Stands
from bot.telegram import convert
from bot.telegram.account import Account
from bot.telegram.peers import address
from bot.telemetry.log import logger

#: The most that Telegram puts on a page. https://core.telegram.org/api/offsets
PAGE = 100
#: How many numbers in a row are tried alone after one that cannot be read: a channel may well go on in that kind.
_RUN = 20
#: In so many calls more than it takes otherwise, what cannot be read is told apart from other numbers at most.
_HALVINGS = 20
#: How many numbers are looked at to see whether anything follows; Telegram counts how many are asked for.
_NEXT = 5
#: Where a readable message is looked for when some of the newest are not: so many places below the newest.
_PLACES = (0, 1, 2, 4, 8, 16, 32, 64)
_log = logger(__name__)


class Page(NamedTuple):
    """What stands in a stretch of a channel, ascending; the channel's count of events; the channel as it is now.

    ``pts`` is 0 where nothing on the page could be read.
    """

    sightings: tuple[Sighting, ...]
    pts: int
    peer: Peer | None


async def above(account: Account, peer: Peer, number: int, ignored: frozenset[int] = frozenset()) -> Page:
    """The oldest above a number, up to `PAGE` of them, give or take some where one cannot be read; none: no more are.

    Raises what `Account.call` raises, but of `UnreadableError` only that of a channel of nothing else.
    """
    reader = _Reader(account, peer, ignored)
    await reader.upwards(number)
    return await reader.page(lambda found: found > number)


async def below(
    account: Account,
    peer: Peer,
    number: int = 0,
    ignored: frozenset[int] = frozenset(),
    unreadable: Collection[int] = (),
) -> Page:
    """The newest below a number, up to `PAGE` of them, 0: the newest of all. Lengths and errors as of `above`.

    ``unreadable``: numbers that could not be read before, and need not be searched for again.
    """
    reader = _Reader(account, peer, ignored, unreadable)
    await reader.downwards(number)
    return await reader.page(lambda found: not number or found < number)


class Numbered(NamedTuple):
    """What stands under numbers that were asked for, ascending; those under which nothing stands; the count of events.

    A number that is in neither was not answered.
    """

    sightings: tuple[Sighting, ...]
    gone: frozenset[int]
    pts: int


async def numbered(
    account: Account, peer: Peer, numbers: Collection[int], ignored: frozenset[int] = frozenset()
) -> Numbered:
    """What stands under these numbers, in a call for each `PAGE` of them, the highest first.

    What cannot be read is found by halves, in `_HALVINGS` calls more at most, beyond which a number is not answered.
    Raises what `Account.call` raises, but no `UnreadableError`.
    """
    reader = _Reader(account, peer, ignored)
    gone = await reader.numbered(sorted(numbers, reverse=True))
    page = await reader.page(lambda _: True)
    return Numbered(page.sightings, gone, page.pts)


async def ends_at(account: Account, peer: Peer, number: int) -> bool:
    """Whether nothing stands under the next few numbers, in one call; for channels of which no page can be read.

    Raises what `Account.call` raises, but no `UnreadableError`: what cannot be read is something.
    """
    wanted = [types.InputMessageID(one) for one in range(number + 1, number + 1 + _NEXT)]
    try:
        answer = await account.call(functions.channels.GetMessagesRequest(address(peer), wanted))
    except UnreadableError:
        return False
    return all(isinstance(one, types.MessageEmpty) for one in answer.messages)


class _Reader:
    """One page while it is read: the messages so far, and the numbers of those that cannot be read."""

    def __init__(self, account: Account, peer: Peer, ignored: frozenset[int], unreadable: Collection[int] = ()) -> None:
        self._account = account
        self._peer = peer
        self._at = address(peer)
        self._ignored = ignored
        self._known = frozenset(unreadable)
        self._messages: dict[int, Any] = {}
        self._unreadable: set[int] = set()
        self._pts = 0
        self._chat: Any = None

    async def upwards(self, number: int) -> None:
        try:
            self._take(await self._history(number + 1, -PAGE, PAGE))
        except UnreadableError:
            await self._by_number(number, 1)

    async def downwards(self, number: int) -> None:
        try:
            self._take(await self._history(number, 0, PAGE))
        except UnreadableError:
            if number:
                await self._by_number(number, -1)
            else:
                await self._from_below_the_newest()

    async def numbered(self, numbers: Sequence[int]) -> frozenset[int]:
        """The numbers under which nothing stands."""
        parts = [numbers[start : start + PAGE] for start in range(0, len(numbers), PAGE)]
        left, gone = len(parts) + _HALVINGS, set[int]()
        while parts and left:
            part, left = parts.pop(0), left - 1
            try:
                answer = await self._numbered(part, len(part))
            except UnreadableError:
                if len(part) == 1:
                    self._unreadable.update(part)
                else:
                    parts += [part[: len(part) // 2], part[len(part) // 2 :]]
            else:
                self._take(answer)
                gone |= {one.id for one in answer.messages if isinstance(one, types.MessageEmpty)}
        return frozenset(gone.intersection(numbers))

    async def page(self, wanted: Callable[[int], bool]) -> Page:
        """What was read of the wanted numbers."""
        now = convert.peer(self._chat)
        channel = (now or self._peer).channel
        protected = (now or self._peer).protected
        seen = [Sighting(number, Stands.UNREADABLE) for number in self._unreadable if wanted(number)]
        for number, message in self._messages.items():
            if wanted(number):
                whole = await self._whole(message)
                sighting = convert.sighting(whole, channel, self._ignored, protected=protected)
                seen += [sighting] if sighting else []
        return Page(tuple(sorted(seen, key=lambda one: one.number)), self._pts, now)

    async def _from_below_the_newest(self) -> None:
        """Where some of the newest cannot be read, there is no number to begin at but that of one that can."""
        for places in _PLACES:
            with suppress(UnreadableError):
                start = top = max(self._take(await self._history(0, places, 1)), default=0)
                while places:
                    await self._by_number(top, 1)
                    before, top = top, max((top, *self._messages, *self._unreadable))
                    if top == before:
                        break
                if start:
                    await self.downwards(start)
                return
        raise UnreadableError(f"none of a channel's newest {_PLACES[-1]} messages can be read; update vedette")

    async def _by_number(self, edge: int, step: int) -> None:
        """Reads on from ``edge``, upwards (1) or downwards (-1): a page, or up to what cannot be read and past it."""
        while numbers := [one for one in range(edge + step, edge + step * (PAGE + 1), step) if one > 0]:
            asked = [one for one in numbers if one not in self._known]
            count, answer = await _most(partial(self._numbered, asked), len(asked))
            found = self._take(answer)
            if count < len(asked):
                await self._run(asked[count], step)
                return
            self._unreadable.update(self._known.intersection(numbers))
            beyond = numbers[-1] if found else await self._beyond(numbers[-1], step)
            if beyond is None or len(self._messages) >= PAGE:
                return
            edge = beyond

    async def _beyond(self, edge: int, step: int) -> int | None:
        """After a stretch of nothing, the number from which on to read: the next there is, if that can be read."""
        with suppress(UnreadableError):
            answer = await (self._history(edge + 1, -1, 1) if step > 0 else self._history(edge, 0, 1))
            found = [number for number in self._take(answer) if (number - edge) * step > 0]
            return found[0] if found else None
        return edge if step < 0 or await self._more_above(edge) else None

    async def _more_above(self, edge: int) -> bool:
        """Whether anything stands above ``edge``, when the answer to just that cannot be read.

        Where nothing does, Telegram may answer with the newest there is, and that may be what cannot be read. Then it
        is compared what stands so many places below ``edge``, and so many below the newest.
        """
        with suppress(UnreadableError):
            answer = await self._history(0, 0, 1)
            return any(one.id > edge for one in answer.messages)
        for places in _PLACES:
            with suppress(UnreadableError):
                below = await self._history(edge + 1, places, 1)
                with suppress(UnreadableError):
                    newest = await self._history(0, places, 1)
                    return [one.id for one in below.messages] != [one.id for one in newest.messages]
                return True
        return False

    async def _run(self, number: int, step: int) -> None:
        """From one that cannot be read to the next number that can, or `_RUN` further."""
        for _ in range(_RUN):
            self._unreadable.add(number)
            number += step
            if number <= 0:
                return
            with suppress(UnreadableError):
                self._take(await self._numbered([number], 1))
                return

    async def _history(self, number: int, skip: int, count: int) -> Any:  # noqa: ANN401 - whatever Telegram has
        """So many messages below a number (0: the newest), from so many places further down; less than 0: up."""
        # Not min_id: Telegram applies it after it has cut the page. https://core.telegram.org/api/offsets
        request = functions.messages.GetHistoryRequest(
            self._at, offset_id=number, offset_date=None, add_offset=skip, limit=count, max_id=0, min_id=0, hash=0
        )
        return await self._account.call(request)

    async def _numbered(self, numbers: Sequence[int], count: int) -> Any:  # noqa: ANN401
        """The first so many of these numbers."""
        wanted = [types.InputMessageID(number) for number in numbers[:count]]
        return await self._account.call(functions.channels.GetMessagesRequest(self._at, wanted))

    def _take(self, answer: Any) -> list[int]:  # noqa: ANN401
        """Keeps what an answer holds; returns the numbers under which something stands."""
        if answer is None:
            return []
        messages = {one.id: one for one in answer.messages if not isinstance(one, types.MessageEmpty)}
        self._messages.update(messages)
        self._pts = max(self._pts, getattr(answer, "pts", 0))
        self._chat = next((chat for chat in answer.chats if chat.id == self._at.channel_id), self._chat)
        return list(messages)

    async def _whole(self, message: Any) -> Any:  # noqa: ANN401
        """The message with the rest of what it says; if that is not to be had, as it is."""
        if not convert.is_partial(message):
            return message
        try:
            answer = await self._account.call(functions.messages.GetRichMessageRequest(self._at, message.id))
        except TelegramError as error:
            _log.warning("the rest of a post was not to be had", channel=self._peer.id, why=str(error))
            return message
        return next((one for one in answer.messages if one.id == message.id), message)


async def _most(read: Callable[[int], Awaitable[Any]], most: int) -> tuple[int, Any]:
    """The largest count up to ``most`` for which reading goes well, and the answer to it (None for 0)."""
    with suppress(UnreadableError):
        return most, await read(most)
    readable, unreadable, best = 0, most, None
    while unreadable - readable > 1:
        count = (readable + unreadable) // 2
        try:
            best = await read(count)
        except UnreadableError:
            unreadable = count
        else:
            readable = count
    return readable, best
