"""What can be read of a page of dialogs on which one thing cannot.

The newest message of any chat may be of a kind that the library does not know, and then it gives up the whole answer.
How long such a message is cannot be known. But each message of a page is one that a dialog names by chat and number,
and behind them come the chats and the persons: so what follows is found by what it has to be.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from telethon import utils
from telethon.errors import TypeNotFoundError
from telethon.tl import functions, types

from bot.errors import UnreadableError
from bot.telegram.account import Account, method_of

_VECTOR = 0x1CB5C415
#: Everything in an answer begins at a multiple of so many bytes. https://core.telegram.org/mtproto/serialize
_STEP = 4
_MESSAGES = frozenset(one.CONSTRUCTOR_ID for one in (types.Message, types.MessageService, types.MessageEmpty))
_CHATS = (types.Channel, types.ChannelForbidden, types.Chat, types.ChatForbidden, types.ChatEmpty)
_USERS = (types.User, types.UserEmpty)


async def dialogs(account: Account, request: functions.messages.GetDialogsRequest) -> Any:  # noqa: ANN401
    """A page of dialogs, with all on it that can be read: messages that cannot are left out.

    Raises what `Account.call` raises; `UnreadableError` only where it is something else that cannot be read.
    """
    try:
        return await account.call(_lenient(request))
    except UnreadableError:
        if not account.client._no_updates:  # noqa: SLF001 - there is nothing else to tell it by
            raise
    # Where nothing is to be pushed, Telethon wraps what is asked, and does not ask what it has wrapped how to read.
    wrapped = _lenient(functions.InvokeWithoutUpdatesRequest(request))
    async with account.answering(method_of(request)):
        return await account.client._sender.send(wrapped)  # noqa: SLF001 - as the client itself does


def _lenient(request: Any) -> Any:  # noqa: ANN401
    request.read_result = _read
    return request


def _read(reader: Any) -> Any:  # noqa: ANN401 - Telethon has no types
    start = reader.tell_position()
    try:
        return reader.tgread_object()
    except TypeNotFoundError:
        found = None
        with suppress(Exception):  # whatever is odd about it, that it cannot be read is what there is to say
            reader.set_position(start)
            found = _page(reader)
        if found is None:
            raise
        return found


def _page(reader: Any) -> Any:  # noqa: ANN401
    """None where it is something else, or not only messages, that cannot be read."""
    kind = reader.read_int(signed=False)
    if kind not in {types.messages.Dialogs.CONSTRUCTOR_ID, types.messages.DialogsSlice.CONSTRUCTOR_ID}:
        return None
    count = reader.read_int() if kind == types.messages.DialogsSlice.CONSTRUCTOR_ID else None
    try:
        dialogs = reader.tgread_vector()
    except TypeNotFoundError:
        return None
    messages = _messages(reader, dialogs)
    chats, users = _list(reader, _CHATS), _list(reader, _USERS)
    named = {utils.resolve_id(utils.get_peer_id(one.peer)) for one in dialogs if isinstance(one, types.Dialog)}
    if not {id_ for id_, kind in named if kind is not types.PeerUser} <= {one.id for one in chats}:
        return None
    if count is None:
        return types.messages.Dialogs(dialogs, messages, chats, users)
    return types.messages.DialogsSlice(count, dialogs, messages, chats, users)


def _messages(reader: Any, dialogs: list[Any]) -> list[Any]:  # noqa: ANN401
    """The newest messages of these dialogs that can be read; the reader stands behind the last of them then."""
    real = [one for one in dialogs if isinstance(one, types.Dialog)]
    wanted = {(utils.get_peer_id(one.peer), one.top_message) for one in real}
    found: list[Any] = []
    at = behind = reader.tell_position() + 2 * _STEP  # what the list begins with, and how long it is
    end = len(reader.get_bytes())
    while at < end and len(found) < len(wanted):
        message = _object(reader, at, _MESSAGES)
        if message is not None and message.peer_id and (utils.get_peer_id(message.peer_id), message.id) in wanted:
            found.append(message)
            at = behind = reader.tell_position()
        else:
            at += _STEP
    reader.set_position(behind)
    return found


def _list(reader: Any, kinds: tuple[Any, ...]) -> list[Any]:  # noqa: ANN401
    """The first list of these kinds that follows; the reader stands behind it then, and where it stood without one."""
    start, end = reader.tell_position(), len(reader.get_bytes())
    for at in range(start, end, _STEP):
        found = _list_at(reader, at, kinds)
        if found:
            return found
    reader.set_position(start)
    return []


def _list_at(reader: Any, at: int, kinds: tuple[Any, ...]) -> list[Any]:  # noqa: ANN401
    reader.set_position(at)
    with suppress(Exception):  # what stands there may be anything
        if reader.read_int(signed=False) != _VECTOR or not reader.read_int():
            return []
        if reader.read_int(signed=False) in {one.CONSTRUCTOR_ID for one in kinds}:
            reader.set_position(at)
            found = reader.tgread_vector()
            return found if all(isinstance(one, kinds) for one in found) else []
    return []


def _object(reader: Any, at: int, kinds: frozenset[int]) -> Any:  # noqa: ANN401
    """The object that begins there, if it is of one of these kinds and can be read."""
    reader.set_position(at)
    with suppress(Exception):  # what stands there may be anything
        if reader.read_int(signed=False) in kinds:
            reader.set_position(at)
            return reader.tgread_object()
    return None
