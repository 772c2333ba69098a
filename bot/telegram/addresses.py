"""How an account that sends addresses its chats: each is asked of Telegram once, and remembered."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from telethon.tl import types

from bot.errors import RefusedError, TelegramError, WaitError
from bot.model import ChatId, Me, Username
from bot.ports import Forward, Later
from bot.storage import chats as stored
from bot.storage.chats import Address
from bot.storage.database import Database
from bot.telegram import chats, peers, refusals
from bot.telegram.account import Account

#: For how long a name is looked up, its turn among other look-ups included; and when it is tried again, in seconds.
_LOOKING_UP, _LOOKED_UP_AGAIN = timedelta(seconds=20), 60
#: For how long a chat that refuses is looked at once more.
_LOOKING_AGAIN = timedelta(seconds=5)
#: When it is asked again who the reader is, in seconds.
_ASKED_AGAIN = 30


class LaterError(TelegramError):
    """What was asked for was not done, and can be done in so many seconds, and one more to be sure."""

    def __init__(self, seconds: int, why: str) -> None:
        super().__init__(why)
        self.later = Later(timedelta(seconds=seconds + 1), why)


class Addresses:
    """Chats as one account addresses them. ``me`` and ``mine`` as `bot.telegram.sender.TelegramSender` has them."""

    def __init__(
        self, account: Account, database: Database, *, me: Callable[[], int | None], mine: peers.Mine | None
    ) -> None:
        self._account = account
        self._database = database
        self._me = me
        self._mine = mine
        self._known: dict[str, Address] = {}
        self._looking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: What was looked up anew, which is done once.
        self._renewed: set[str] = set()

    async def of(self, chat: Me | Username | ChatId) -> Address:
        """What a destination calls so. Raises as `Account.call` does, and `LaterError`."""
        if isinstance(chat, Me):
            me = self._me() if self._mine is None else self._account.id
            if me is None:
                raise LaterError(_ASKED_AGAIN, "it is not known yet who the reader is")
            return Address(me)
        written = str(chat)
        async with self._looking[written]:
            return self._known.get(written) or await self._found(chat)

    def peer(self, address: Address) -> Any:  # noqa: ANN401 - Telethon has no types
        """A chat as Telegram's methods take it."""
        return types.InputPeerSelf() if address.chat == self._account.id else chats.peer(address)

    async def source(self, forward: Forward) -> Any:  # noqa: ANN401
        """The channel of a post to be forwarded, likewise. Raises `RefusedError` where it cannot be addressed."""
        if self._mine is not None:
            watched = await stored.watched(self._database, self._account.id, forward.channel)
            if watched is not None:
                return chats.peer(watched)
        if forward.username is None:
            raise RefusedError(refusals.NAMELESS)
        try:
            found = await self.of(_named(forward.username))
        except LaterError:
            raise RefusedError(refusals.NOT_NOW) from None
        if found.chat != forward.channel:
            raise RefusedError(refusals.RENAMED)
        return chats.peer(found)

    async def anew(self, chat: Me | Username | ChatId, refused: Address) -> Address | None:
        """Another address of a chat whose own is not good any more; None where there is none. Once for each chat.

        Raises `RefusedError` where its name is another chat's by now: what may stand here is not said there once more.
        """
        written = str(chat)
        if isinstance(chat, Me) or written not in self._known or written in self._renewed:
            return None
        self._renewed.add(written)
        async with self._looking[written]:
            found = await self._asked_for(chat)
            if found.chat != refused.chat:
                raise RefusedError(refusals.MOVED)
            await self._keep(written, found)
            return None if found == refused else found

    async def moved(self, refused: Address) -> RefusedError | None:
        """What Telegram says of a small group that has become a supergroup; None: it is none, or nothing is known."""
        if not chats.is_small(refused):
            return None
        try:
            async with asyncio.timeout(_LOOKING_AGAIN.total_seconds()):
                await chats.find(self._account, ChatId(refused.chat), self._mine)
        except RefusedError as error:
            return error if error.code.startswith(peers.MOVED) else None
        except (TimeoutError, TelegramError):
            return None
        return None

    async def forget_source(self, forward: Forward) -> None:
        """The address of a post's channel is not good any more."""
        if forward.username is not None:
            await self._forget(str(_named(forward.username)))

    async def _forget(self, written: str) -> None:
        self._known.pop(written, None)
        await self._database.write(lambda c: stored.forget(c, self._account.id, written))

    async def _found(self, chat: Username | ChatId) -> Address:
        account, written = self._account.id, str(chat)
        if isinstance(chat, ChatId) and chat.id == account:
            return Address(account)
        kept = await stored.address(self._database, account, written)
        if kept is None:
            kept = await self._asked_for(chat)
            await self._keep(written, kept)
        self._known[written] = kept
        return kept

    async def _keep(self, written: str, found: Address) -> None:
        await self._database.write(lambda c: stored.put(c, self._account.id, written, found))
        self._known[written] = found

    async def _asked_for(self, chat: Username | ChatId) -> Address:
        # The listing of one's own channels is not limited: broken off it would only begin anew.
        limit = _LOOKING_UP.total_seconds() if isinstance(chat, Username) else None
        try:
            async with asyncio.timeout(limit):
                return await chats.address(self._account, chat, self._mine)
        except TimeoutError:
            raise LaterError(_LOOKED_UP_AGAIN, "looking up its name takes long") from None
        except WaitError as error:
            raise LaterError(error.seconds, "looking up its name") from None


def _named(username: str) -> Username:
    return Username(username.lower())
