"""Messages to Telegram's chats, each once: raw requests that carry their own ``random_id``, and what became of them.

Nothing here waits for a wait that Telegram asks for, nor for the budget of methods: it is answered at once when a
message may be tried again, and whoever keeps the outbox remembers that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

from telethon import errors
from telethon.tl import functions, types

from bot.errors import (
    NoAccessError,
    NotSignedInError,
    RefusedError,
    StorageError,
    TelegramError,
    UnreachableError,
    WaitError,
)
from bot.model import Destination
from bot.ports import Forward, Later, Outcome, Outgoing, Refused, Sent, Unknown
from bot.render.richtext import Message
from bot.storage import forms
from bot.storage.database import Database
from bot.telegram import peers, refusals
from bot.telegram.account import Account, method_of
from bot.telegram.addresses import Addresses, LaterError
from bot.telemetry.log import logger

_log = logger(__name__)

#: Telegram has taken the account for one that bothers people; how long that lasts it does not say.
_PEER_FLOOD, _PEER_FLOOD_PAUSE = "PEER_FLOOD", timedelta(hours=24)
#: The topic of a forum in which a message stands that names none. https://core.telegram.org/api/forum
_GENERAL = 1
#: What our messages are made of. https://core.telegram.org/api/entities
_ENTITIES: Mapping[str, type] = {
    "bold": types.MessageEntityBold,
    "italic": types.MessageEntityItalic,
    "underline": types.MessageEntityUnderline,
    "strike": types.MessageEntityStrike,
    "code": types.MessageEntityCode,
    "blockquote": types.MessageEntityBlockquote,
    "text_url": types.MessageEntityTextUrl,
}


class TelegramSender:
    """A `bot.ports.Sender` over an open account, for as long as that lives.

    ``me``: the reader's numeric id, None while it is not known; ``mine``: the reader's own channels, None: this is a
    bot. ``within``: how long a message may take, all its calls together.
    """

    def __init__(
        self,
        account: Account,
        database: Database,
        *,
        me: Callable[[], int | None],
        mine: peers.Mine | None,
        within: timedelta = timedelta(seconds=30),
    ) -> None:
        self._account = account
        self._database = database
        self._within = within
        self._addresses = Addresses(account, database, me=me, mine=mine)
        self._bot = mine is None
        #: Channels whose posts cannot be forwarded, with the code of the refusal.
        self._unforwardable: dict[int, str] = {}

    @property
    def account(self) -> int:
        """The numeric id of the account."""
        return self._account.id

    async def chat(self, destination: Destination) -> int | Later | Refused | Unknown:
        """The marked id of the chat. Raises nothing but StorageError."""
        try:
            return (await self._addresses.of(destination.chat)).chat
        except (TelegramError, NotSignedInError) as error:
            return self._failed(error)

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Sends or edits one message. Raises nothing but StorageError."""
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                return await self._sent(outgoing)
        except TimeoutError:
            return Unknown("Telegram did not answer in time")
        except (TelegramError, NotSignedInError) as error:
            return self._failed(error)

    async def _sent(self, outgoing: Outgoing) -> Sent:
        chat = outgoing.destination.chat
        address = await self._addresses.of(chat)
        try:
            return await self._put(outgoing, self._addresses.peer(address))
        except (RefusedError, NoAccessError) as error:
            if (moved := await self._addresses.moved(address)) is not None:
                raise moved from None
            stale = refusals.code_of(error) in refusals.STALE
            if not stale or (anew := await self._addresses.anew(chat, address)) is None:
                raise
        return await self._put(outgoing, self._addresses.peer(anew))

    async def _put(self, outgoing: Outgoing, peer: Any) -> Sent:  # noqa: ANN401 - Telethon has no types
        if outgoing.edits is not None:
            return await self._edit(outgoing, peer, outgoing.edits)
        if outgoing.forward is not None:
            return await self._forward(outgoing, peer, outgoing.forward)
        return Sent(await self._write(outgoing, peer, outgoing.message))

    # --- requests -----------------------------------------------------------------------------------------

    async def _write(self, outgoing: Outgoing, peer: Any, message: Message) -> int | None:  # noqa: ANN401
        thread = _thread(outgoing.destination)
        request = functions.messages.SendMessageRequest(
            peer,
            message.text,
            no_webpage=True,
            silent=outgoing.silent,
            reply_to=None if thread is None else types.InputReplyToMessage(thread, top_msg_id=thread),
            random_id=outgoing.random_id,
            entities=_entities(message),
        )
        return _number(await self._ask(request), outgoing.random_id)

    async def _edit(self, outgoing: Outgoing, peer: Any, number: int) -> Sent:  # noqa: ANN401
        message = outgoing.message
        request = functions.messages.EditMessageRequest(
            peer, number, no_webpage=True, message=message.text, entities=_entities(message)
        )
        try:
            await self._ask(request)
        except RefusedError as error:
            if error.code in refusals.UNCHANGEABLE:
                _log.info("message stays as it is", outbox=outgoing.id, why=error.code)
            elif error.code != "MESSAGE_NOT_MODIFIED":
                raise
        return Sent(number)

    async def _forward(self, outgoing: Outgoing, peer: Any, forward: Forward) -> Sent:  # noqa: ANN401
        """The post with its header under it; or the excerpt, which takes the header's ``random_id``.

        What may stand there, since it was tried without an answer, is repeated, and the other never sent.
        """
        begun = await forms.begun(self._database, outgoing.id) if outgoing.repeated else None
        code = forms.refusal(begun)
        if code is None and begun != forms.HEADER:
            known = None if begun else self._unforwardable.get(forward.channel)
            code = known or await self._refusal(outgoing, peer, forward, begun)
            if code is None:
                # In a chat with slow mode it may have to wait, and another look at the post might make it wait again.
                await self._begin(outgoing, forms.HEADER)
            elif begun == forms.POST:
                code = None  # that the repeat is refused does not say that the post stands nowhere
        if code is None:
            return Sent(await self._write(outgoing, peer, outgoing.message))
        async with self._beginning(outgoing, forms.excerpt(code), begun):
            number = await self._write(outgoing, peer, forward.excerpt)
        # Only now is it known that it was not the chat that refused.
        if code in refusals.UNFORWARDABLE:
            self._unforwardable[forward.channel] = code
        return Sent(number, instead=refusals.unforwarded(code, bot=self._bot))

    @contextlib.asynccontextmanager
    async def _beginning(self, outgoing: Outgoing, form: str, before: str | None) -> AsyncIterator[None]:
        """A block that asks for this form. Where it is refused, nothing stands there but what may have before."""
        if form != before:
            await self._begin(outgoing, form)
        try:
            yield
        except (RefusedError, NoAccessError, WaitError, LaterError):
            if form != before:
                await self._begin(outgoing, before)
            raise

    async def _begin(self, outgoing: Outgoing, form: str | None) -> None:
        await self._database.write(lambda c: forms.begin(c, outgoing.id, form))

    async def _refusal(self, outgoing: Outgoing, peer: Any, forward: Forward, begun: str | None) -> str | None:  # noqa: ANN401
        """Forwards a post. The code with which that is refused; None: it stands there."""
        try:
            request = functions.messages.ForwardMessagesRequest(
                await self._addresses.source(forward),
                list(forward.numbers),
                peer,
                silent=outgoing.silent,
                random_id=list(forward.random_ids),
                top_msg_id=_thread(outgoing.destination),
            )
            async with self._beginning(outgoing, forms.POST, begun):
                await self._ask(request)
        except (RefusedError, NoAccessError) as error:
            code = refusals.code_of(error)
            if code == _PEER_FLOOD:
                raise
            if code in refusals.STALE:
                await self._addresses.forget_source(forward)
            return code
        return None

    async def _ask(self, request: Any) -> Any:  # noqa: ANN401
        """The answer to a request that sends. Raises as `Account.call` does, and `LaterError`.

        It takes no turn in the budget of methods: that would be waited for, after a FLOOD_WAIT for hours.
        """
        try:
            async with self._account.answering(method_of(request)):
                try:
                    return await self._account.client(request)
                except errors.SlowModeWaitError as error:
                    slow = LaterError(error.seconds, "slow mode")
        except StorageError as error:  # the session file; whoever keeps the account up sees to it
            raise UnreachableError(str(error)) from None
        raise slow

    # --- outcomes -----------------------------------------------------------------------------------------

    def _failed(self, error: TelegramError | NotSignedInError) -> Later | Refused | Unknown:
        match error:
            case LaterError():
                return error.later
            case WaitError():
                return Later(timedelta(seconds=error.seconds + 1), "Telegram asks to wait", everywhere=True)
            case RefusedError(code=code) if code == _PEER_FLOOD:
                why = "Telegram limits this account, as one that bothers people; t.me/SpamBot says more"
                return Later(_PEER_FLOOD_PAUSE, why, everywhere=True)
            case RefusedError() | NoAccessError():
                code = refusals.code_of(error)
                why = refusals.unsent(code, bot=self._bot)
                return Refused(why, of_message=code in refusals.OF_MESSAGE)
            case _:
                return Unknown(str(error))


def _thread(destination: Destination) -> int | None:
    return None if destination.thread == _GENERAL else destination.thread


def _entities(message: Message) -> list[Any]:
    return [
        _ENTITIES[type_](offset, length, *(() if url is None else (url,)))
        for type_, offset, length, url in message.entities
        if type_ in _ENTITIES
    ]


def _number(answer: Any, random_id: int) -> int | None:  # noqa: ANN401
    """The number under which a message stands, as the answer tells; to a repeat it is the first one's."""
    if isinstance(answer, types.UpdateShortSentMessage):
        return int(answer.id)
    for update in getattr(answer, "updates", ()):
        if isinstance(update, types.UpdateMessageID) and update.random_id == random_id:
            return int(update.id)
    return None
