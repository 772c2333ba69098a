"""One account over one client: every call is paced, bounded in time, and fails with an error of ours."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

from telethon import TelegramClient, errors, utils
from telethon.tl import TLRequest, functions, types

from bot.errors import (
    NoAccessError,
    NotSignedInError,
    RefusedError,
    StorageError,
    UnreachableError,
    UnreadableError,
    VedetteError,
    WaitError,
)
from bot.telegram.session import HeldBackError, SessionFileError

#: How long closing may take: what is not done by then is left.
_GOODBYE = timedelta(seconds=5)
_SIGN_IN = "sign in with vedette login"
#: What Telegram says where the account itself is gone.
_CLOSED = frozenset({"USER_DEACTIVATED", "USER_DEACTIVATED_BAN"})

#: What says that the channel, not the call, is the matter. https://core.telegram.org/api/errors
_NO_ACCESS = frozenset(
    "CHANNEL_PRIVATE CHANNEL_INVALID CHANNEL_PUBLIC_GROUP_NA CHANNEL_BANNED USER_BANNED_IN_CHANNEL"
    " CHAT_FORBIDDEN".split()
)
#: Telegram's own names of errors, by Telethon's classes: an error of a class of its own does not carry its name.
_NAMES: dict[type, str] = {
    **{kind: name for name, kind in reversed(errors.rpc_errors_dict.items())},
    **{kind: pattern.replace(r"(\d+)", "X") for pattern, kind in errors.rpc_errors_re},
}
#: What is the same as no answer: the server is in trouble, the link is, or the clock is too wrong to be understood.
_TROUBLE = (
    *(errors.ServerError, errors.TimedOutError, errors.RpcCallFailError, errors.RpcMcgetFailError),
    *(errors.InterdcCallErrorError, errors.InterdcCallRichErrorError),
    *(errors.BadMessageError, errors.SecurityError, BufferError, OSError, EOFError),
)
#: Waits that are of one chat, or that are known already.
_NOT_OF_THE_METHOD = (errors.SlowModeWaitError, HeldBackError)
#: The session is of no use any more: also when two processes used it at the same time.
_SIGNED_OUT = (errors.UnauthorizedError, errors.AuthKeyDuplicatedError, errors.AuthKeyNotFound)
#: What says that the library still lives, and what it has died of, has no public name. A loop that has ended is said
#: nowhere: the client goes on, without pings or without updates.
_LOOPS = ("_updates_handle", "_keepalive_handle")
_DIED_OF = "_updates_error"


class Account:
    """An account over a client, which it opens and closes: one for each connection's life, closed before the next.

    ``turn`` is awaited before each call with Telegram's own name of its method, but not before a message is sent;
    ``asked`` hears of each call that is made, and ``refused`` of each FLOOD_WAIT: the method, the seconds. ``id`` and
    ``name`` (@name, else the person's) are there once it is open. ``pushed``: whether its client asks for pushes.

    ``heard``, which may be set, is called whenever Telegram has answered, be it with a refusal. ``signed_out`` is
    Telegram's own name for why it does not take the session, once it has said so, as SESSION_REVOKED.
    """

    def __init__(  # noqa: PLR0913 - who has a say, or wants to know
        self,
        client: TelegramClient,
        *,
        turn: Callable[[str], Awaitable[None]] | None = None,
        asked: Callable[[str], None] | None = None,
        refused: Callable[[str, int], None] | None = None,
        timeout: timedelta = timedelta(seconds=30),
        pushed: bool = True,
    ) -> None:
        self.client = client
        self.pushed = pushed
        self.id = 0
        self.name: str | None = None
        self.heard: Callable[[], None] | None = None
        self.signed_out: str | None = None
        self._turn = turn
        self._asked = asked
        self._refused = refused
        self._timeout = timeout
        self._left = False

    async def open(self) -> None:
        """Connects and learns who is signed in. When that fails, the client is closed.

        Raises `NotSignedInError`, `UnreachableError`, another `TelegramError`, `StorageError`.
        """
        signed_in = False
        try:
            signed_in = await self.reach()
        finally:
            if not signed_in:
                await self.close()
        if not signed_in:
            raise _not_signed_in(self.signed_out)

    async def reach(self) -> bool:
        """Connects; whether somebody is signed in. Raises as `open` does, and leaves the client as it is."""
        async with self.answering("users.getUsers"):
            await self.client.connect()
            # Not is_user_authorized(), which takes any refusal, a FLOOD_WAIT too, for a no.
            me = await self.client.get_me()
        if me is None:
            await self._ask_why()
            return False
        self.id = me.id
        self.name = f"@{me.username}" if me.username else utils.get_display_name(me) or None
        return True

    async def _ask_why(self) -> None:
        """What Telethon keeps to itself: which refusal it was that it took for nobody."""
        with contextlib.suppress(VedetteError):
            async with self.answering("users.getUsers"):
                await self.client(functions.users.GetUsersRequest([types.InputUserSelf()]))

    async def probe(self, timeout: timedelta) -> None:  # noqa: ASYNC109
        """Asks something that costs nothing, to see whether there is an answer in time. Raises as `call` does.

        What may not be asked in time, as after a FLOOD_WAIT, is not waited for: then something else is asked.
        """
        usual, other = functions.updates.GetStateRequest(), functions.help.GetConfigRequest()
        for request in (usual, other):
            method = method_of(request)
            if await self._may_ask(method, timeout):
                async with self.answering(method, timeout):
                    await self.client(request)
                return
        raise WaitError(method_of(other), math.ceil(timeout.total_seconds()))

    async def _may_ask(self, method: str, within: timedelta) -> bool:
        try:
            async with asyncio.timeout(within.total_seconds()):
                if self._turn is not None:
                    await self._turn(method)
        except TimeoutError:
            return False
        return True

    async def call(self, request: Any, *, timeout: timedelta | None = None) -> Any:  # noqa: ANN401, ASYNC109
        """The answer to one request, whatever Telegram has.

        Raises `WaitError`, `NoAccessError`, `UnreadableError`, `UnreachableError`, `RefusedError`,
        `NotSignedInError`, `StorageError`.
        """
        method = method_of(request)
        if self._turn is not None:
            await self._turn(method)
        async with self.answering(method, timeout):
            return await self.client(request)

    @contextlib.asynccontextmanager
    async def answering(self, method: str, timeout: timedelta | None = None) -> AsyncIterator[None]:  # noqa: ASYNC109
        """A block that asks Telegram something by this method: it ends in time, and raises as `call` does."""
        task = asyncio.current_task()
        if self._asked is not None:
            self._asked(method)
        try:
            async with asyncio.timeout((timeout or self._timeout).total_seconds()):
                yield
            _heed(task)
            self._answered()
        except asyncio.CancelledError:
            if task is None or task.cancelling():
                raise
            # Telethon cancels what is pending when the link is lost: nobody cancelled us.
            raise UnreachableError(f"the connection to Telegram broke ({method})") from None
        except Exception as error:
            _heed(task)
            ours = _ours(error, method)
            if ours is None:
                raise
            if isinstance(error, (errors.RPCError, errors.TypeNotFoundError)) and not isinstance(error, HeldBackError):
                self._answered()
            if isinstance(ours, NotSignedInError):
                self.signed_out = _code(error)
            if isinstance(ours, WaitError) and self._refused and not isinstance(error, _NOT_OF_THE_METHOD):
                self._refused(ours.method, ours.seconds)
            # Without what it was: an answer that cannot be read is quoted there, and with it somebody's post.
            raise ours from None

    def _answered(self) -> None:
        if self.heard is not None:
            self.heard()

    async def closed(self) -> None:
        """Returns when the client is of no use any more: its link is lost for good, or one of its loops has ended."""
        link = self.client.disconnected
        try:
            await asyncio.wait([link, *self._loops()], return_when=asyncio.FIRST_COMPLETED)
        finally:
            link.cancel()  # not the link, but what stood for it here
            self.ended_by()  # takes note of why it ended, which asyncio would complain of otherwise

    def ended_by(self) -> VedetteError | None:
        """What the client has died of, as far as it says, in the words of `call`'s errors."""
        error: BaseException | None = getattr(self.client, _DIED_OF)
        link = self.client.disconnected
        for end in (link, *self._loops()):
            if end.done() and not end.cancelled():
                error = error or end.exception()
        link.cancel()
        if not isinstance(error, Exception) or isinstance(error, ConnectionError):
            return None
        if isinstance(error, _SIGNED_OUT):
            self.signed_out = _code(error)
        return _ours(error, "updates") or UnreadableError(
            "the Telegram library broke down over an update; update vedette"
        )

    def _loops(self) -> list[asyncio.Task[None]]:
        """The library's own; none before it has connected."""
        return [loop for name in _LOOPS if (loop := getattr(self.client, name)) is not None]

    async def close(self) -> None:
        """Disconnects, within 5 s, and gives the session file up: the next account may have it open already."""
        if self._left:
            return
        self._left = True
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_GOODBYE.total_seconds()):
                await self.client.disconnect()
        self.ended_by()


def _heed(task: asyncio.Task[Any] | None) -> None:
    """Telethon takes a cancellation for its own that comes at the moment in which what it waits for is over."""
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def method_of(request: Any) -> str:  # noqa: ANN401 - Telethon has no types
    """Telegram's own name of a request's method, as ``messages.getHistory``."""
    kind = type(request)
    space = kind.__module__.rpartition(".")[2]
    name = kind.__name__.removesuffix("Request")
    name = name[:1].lower() + name[1:]
    return name if space == "functions" else f"{space}.{name}"


def _ours(error: Exception, method: str) -> VedetteError | None:
    """What an error of Telethon's is in our words; None for a defect."""
    seconds = getattr(error, "seconds", None)
    if isinstance(error, errors.FloodError) and seconds is not None:
        return WaitError(_refused_of(error) or method, seconds)
    if isinstance(error, errors.SessionPasswordNeededError):
        return RefusedError(_code(error))  # a step of signing in, though Telegram's number for it is that of the others
    if isinstance(error, _SIGNED_OUT):
        return _not_signed_in(_code(error))
    if isinstance(error, TimeoutError):
        return UnreachableError(f"Telegram did not answer in time ({method})")
    if isinstance(error, errors.TypeNotFoundError):
        return UnreadableError(f"the answer to {method} is of a kind that this version does not know; update vedette")
    if isinstance(error, _TROUBLE):
        return UnreachableError(f"Telegram cannot be reached ({method}: {_code(error)})")
    if isinstance(error, errors.RPCError):
        code = _code(error)
        return NoAccessError(code) if code in _NO_ACCESS else RefusedError(code)
    if isinstance(error, SessionFileError):
        return StorageError(f"the session file cannot be used: {error}")
    return None


def _refused_of(error: Exception) -> str | None:
    """The method that was refused, where the library says so: within a block that connects it makes several calls."""
    request = getattr(error, "request", None)
    while isinstance(inner := getattr(request, "query", None), TLRequest):
        request = inner
    return None if request is None else method_of(request)


def _code(error: Exception) -> str:
    """Telegram's own name of a refusal, X for a number in it; of any other error what it is called here."""
    if not isinstance(error, errors.RPCError):
        return type(error).__name__
    return _NAMES.get(type(error)) or str(error.message)


def _not_signed_in(why: str | None) -> NotSignedInError:
    told = "" if why is None else f" ({why})"
    if why in _CLOSED:
        return NotSignedInError(f"Telegram has closed this account, or its owner has{told}; {_SIGN_IN} as another one")
    return NotSignedInError(f"Telegram does not accept the session{told}; {_SIGN_IN}")
