"""Chats that are told: who or what is there, and whether this account may write to it, as far as an answer shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from bot.errors import RefusedError
from bot.model import ChatId, Username, marked_id
from bot.storage.chats import Address
from bot.telegram import peers
from bot.telegram.account import Account

# As in `peers`, codes of ours.
#: A small group that has become a supergroup, with another id.
MIGRATED = "CHAT_MIGRATED"
#: A person by the id, whom a user account cannot find by it.
NAME_NEEDED = "NAME_NEEDED"


class Kind(StrEnum):
    """What a chat is, as people call it."""

    PERSON = "person"
    BOT = "bot"
    GROUP = "group"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat as one account sees it; ``id`` is marked.

    ``closed``: why this account may not write there, as the rest of a sentence; None: nothing speaks against it.
    ``forum``: whether it has topics of its own.
    """

    id: int
    kind: Kind
    title: str
    username: str | None = None
    forum: bool = False
    closed: str | None = None


async def find(account: Account, chat: Username | ChatId, mine: peers.Mine | None) -> Chat | None:
    """The chat that a destination names, in one call; channels by their ids are in ``mine``, None: asked by a bot.

    None: a person by the id, about whom Telegram tells only bots. Raises as `peers.resolve` does.
    """
    if isinstance(chat, Username):
        return _only(await _named(account, chat))
    number, kind = utils.resolve_id(chat.id)
    if kind is types.PeerChat:
        return _only((await account.call(functions.messages.GetChatsRequest([number]))).chats)
    if kind is types.PeerUser:
        # Bots need no access hash for those whom they have met.
        person = types.InputUser(number, 0)
        return None if mine else _only(await account.call(functions.users.GetUsersRequest([person])))
    asked = types.InputChannel(number, await _access_hash(chat.id, mine) if mine else 0)
    return _only((await account.call(functions.channels.GetChannelsRequest([asked]))).chats)


async def address(account: Account, chat: Username | ChatId, mine: peers.Mine | None) -> Address:
    """How this account addresses a chat; ids of channels cost a look at ``mine``, names a call, all else nothing.

    Raises as `find` does.
    """
    if isinstance(chat, Username):
        found = await _named(account, chat)
        return Address(_only(found).id, found[0].access_hash or 0)
    kind = utils.resolve_id(chat.id)[1]
    # Bots need no access hash where they may write, and small groups have none.
    if mine is None or kind is types.PeerChat:
        return Address(chat.id)
    if kind is types.PeerUser:
        raise RefusedError(NAME_NEEDED)
    return Address(chat.id, await _access_hash(chat.id, mine))


def peer(address: Address) -> Any:  # noqa: ANN401 - Telethon has no types
    """A chat as Telegram's methods take it (inputPeerUser, inputPeerChat, inputPeerChannel)."""
    number, kind = utils.resolve_id(address.chat)
    if kind is types.PeerChat:
        return types.InputPeerChat(number)
    made = types.InputPeerUser if kind is types.PeerUser else types.InputPeerChannel
    return made(number, address.access_hash)


def is_small(address: Address) -> bool:
    """Whether it is a small group, which may become a supergroup with an id of its own."""
    return utils.resolve_id(address.chat)[1] is types.PeerChat


async def _named(account: Account, chat: Username) -> list[Any]:
    """The User or Channel of this name."""
    answer = await account.call(functions.contacts.ResolveUsernameRequest(chat.name))
    wanted = utils.get_peer_id(answer.peer)
    return [one for one in (*answer.users, *answer.chats) if utils.get_peer_id(one) == wanted]


async def _access_hash(channel: int, mine: peers.Mine) -> int:
    known = (await mine()).get(channel)
    if known is None:
        raise RefusedError(peers.NOT_A_MEMBER)
    return known.access_hash


def _only(found: Sequence[Any]) -> Chat:
    chat = seen(found[0]) if found else None
    if chat is None:
        raise RefusedError("PEER_ID_INVALID")
    return chat


def seen(chat: Any) -> Chat | None:  # noqa: ANN401 - Telethon has no types
    """A User, Chat or Channel of an answer; None for what is none of them, or empty. Raises `RefusedError`."""
    match chat:
        case types.User(deleted=True):
            raise RefusedError("INPUT_USER_DEACTIVATED")
        case types.User():
            kind = Kind.BOT if chat.bot else Kind.PERSON
            return Chat(id=chat.id, kind=kind, title=utils.get_display_name(chat), username=_username(chat))
        case types.Channel():
            kind = Kind.CHANNEL if chat.broadcast else Kind.GROUP
            return Chat(
                id=marked_id(chat.id),
                kind=kind,
                title=chat.title,
                username=_username(chat),
                forum=bool(chat.forum),
                closed=_closed_channel(chat) if chat.broadcast else _closed_group(chat),
            )
        case types.Chat(migrated_to=None):
            return Chat(id=-chat.id, kind=Kind.GROUP, title=chat.title, closed=_closed_group(chat))
        case types.Chat(migrated_to=types.InputChannel(channel_id=number)):
            raise RefusedError(f"{peers.MOVED}{marked_id(number)}")
        case types.Chat():
            raise RefusedError(MIGRATED)
        case types.ChatForbidden() | types.ChannelForbidden():
            raise RefusedError(peers.FORBIDDEN)
    return None


def _username(chat: Any) -> str | None:  # noqa: ANN401
    return chat.username or next((name.username for name in chat.usernames or () if name.active), None)


def _closed_channel(chat: types.Channel) -> str | None:
    """In a channel those administrators write who have that right."""
    if chat.creator or (chat.admin_rights and chat.admin_rights.post_messages):
        return None
    return "only its administrators write there, and this account is none who may"


def _closed_group(chat: types.Channel | types.Chat) -> str | None:
    """In a group all members may write, unless they or all were forbidden to."""
    if chat.creator or chat.admin_rights:
        return None
    if chat.left:
        return "this account is not in it"
    own, everybody = getattr(chat, "banned_rights", None), chat.default_banned_rights
    if any(rights and (rights.send_messages or rights.send_plain) for rights in (own, everybody)):
        return "this account is not allowed to write there"
    return None
