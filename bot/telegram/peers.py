"""Channels as an account addresses them: found by what people call them, joined, and asked how far they are.

No name that a person wrote is given to Telethon to find out about: it would take a person's display name for an answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, assert_never

from telethon import events, utils
from telethon.tl import functions, types

from bot.errors import NoAccessError, RefusedError, TelegramError, UnreadableError, WaitError
from bot.model import ChannelRef, ChatId, Invite, Peer, Username, marked_id
from bot.telegram import convert
from bot.telegram.account import Account
from bot.telegram.salvage import dialogs as dialogs_of

Mine = Callable[[], Awaitable[Mapping[int, Peer]]]
Sleep = Callable[[timedelta], Awaitable[None]]

#: The most that Telegram takes in one call of messages.getPeerDialogs, and puts on a page of messages.getDialogs.
BATCH = 100
#: Pages of dialogs are dear: faster than this, Telegram asks to wait.
PAUSE = timedelta(seconds=2)
#: As official apps mute for good: the last second that Telegram can name.
_FOR_GOOD = datetime.fromtimestamp(2**31 - 1, UTC)
_ARCHIVE = 1

# What is refused here has codes like Telegram's own.
#: A person, a bot or a basic group.
NOT_A_CHANNEL = "NOT_A_CHANNEL"
#: An id that this account has no dialog with.
NOT_A_MEMBER = "NOT_A_MEMBER"
#: An invite that would have to be accepted, which is not wanted.
JOIN_NEEDED = "JOIN_NEEDED"
#: Somebody has to talk with a bot that guards the channel.
NEEDS_PERSON = "NEEDS_PERSON"
#: The account was thrown out.
FORBIDDEN = "CHANNEL_FORBIDDEN"
#: A small group that has become a supergroup, whose marked id stands behind this.
MOVED = "CHAT_MOVED_TO_"
#: How many channels and supergroups an account may be in, and one with Premium. https://limits.tginfo.me
_MOST, _MOST_WITH_PREMIUM = 500, 1000


class Top(NamedTuple):
    """A channel's newest number, its count of events, and the channel as it is now, where the answer showed it."""

    number: int
    pts: int
    peer: Peer | None


class Tops(NamedTuple):
    """What was answered and what was refused (and why), by marked id. What is in neither was not answered.

    ``unreadable``: those of which the answer is of a kind that the library does not know.
    """

    tops: dict[int, Top]
    refused: dict[int, str]
    unreadable: frozenset[int] = frozenset()


class Look(NamedTuple):
    """What Telegram says of a channel as such.

    ``code``: why it cannot be read, None: nothing speaks against it; ``until``: when a ban ends, if it does.
    ``restriction``: what Telegram shows instead of it to some or all. ``peer``: the channel, where it can be addressed.
    """

    peer: Peer | None
    code: str | None = None
    until: datetime | None = None
    restriction: str | None = None


def address(peer: Peer) -> Any:  # noqa: ANN401 - Telethon has no types
    """A channel as Telegram's methods take it (inputPeerChannel)."""
    return types.InputPeerChannel(utils.resolve_id(peer.id)[0], peer.access_hash)


async def tops(account: Account, peers: Sequence[Peer]) -> Tops:
    """How far these channels are, in one call a hundred. Raises what `Account.call` raises, but of a single channel.

    One channel that cannot be read fails the whole call; it is found by halves, in some 14 calls. One whose newest
    message is of an unknown kind is not answered: its history tells.
    """
    answered: dict[int, Top] = {}
    refused: dict[int, str] = {}
    unreadable: set[int] = set()
    batches = [peers[start : start + BATCH] for start in range(0, len(peers), BATCH)]
    while batches:
        batch = batches.pop()
        wanted = [types.InputDialogPeer(address(peer)) for peer in batch]
        try:
            answer = await account.call(functions.messages.GetPeerDialogsRequest(wanted))
        except (NoAccessError, UnreadableError) as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                batches += [batch[:middle], batch[middle:]]
            elif isinstance(error, NoAccessError):
                refused[batch[0].id] = error.why
            else:
                unreadable.add(batch[0].id)
        else:
            asked = {peer.id for peer in batch}
            answered.update((id_, top) for id_, top in _tops(answer).items() if id_ in asked)
            refused.update((id_, FORBIDDEN) for id_ in _forbidden(answer.chats) & asked)
    return Tops({id_: top for id_, top in answered.items() if id_ not in refused}, refused, frozenset(unreadable))


def _tops(answer: Any) -> dict[int, Top]:  # noqa: ANN401
    """What an answer says of channels, by marked id; of one with no newest message it says nothing."""
    shown = _peers(answer.chats)
    found = {}
    for dialog in answer.dialogs:
        if isinstance(dialog, types.Dialog) and isinstance(dialog.peer, types.PeerChannel) and dialog.top_message:
            id_ = marked_id(dialog.peer.channel_id)
            found[id_] = Top(dialog.top_message, dialog.pts or 0, shown.get(id_))
    return found


async def look(account: Account, peer: Peer) -> Look:
    """How it stands with one channel, in one call. Raises what `Account.call` raises, but that it has no access."""
    channel = types.InputChannel(utils.resolve_id(peer.id)[0], peer.access_hash)
    try:
        answer = await account.call(functions.channels.GetChannelsRequest([channel]))
    except NoAccessError as error:
        return Look(None, error.why)
    match next((chat for chat in answer.chats if chat.id == channel.channel_id), None):
        case types.ChannelForbidden(until_date=until):
            # As with muting, the last second that Telegram can name means for good; and so does the first.
            ends = until is not None and datetime.fromtimestamp(0, UTC) < until < _FOR_GOOD
            return Look(None, FORBIDDEN, until if ends else None)
        case types.Channel() as chat:
            seen = convert.peer(chat)
            closed = seen is None or not (seen.joined or seen.username)
            return Look(seen, "CHANNEL_PRIVATE" if closed else None, restriction=_restriction(chat))
        case _:
            return Look(None, "CHANNEL_INVALID")


def _restriction(chat: types.Channel) -> str | None:
    reasons = [one.text or one.reason for one in chat.restriction_reason or ()] if chat.restricted else []
    return "; ".join(dict.fromkeys(reasons)) or ("no reason given" if chat.restricted else None)


def listen(account: Account, changed: Callable[[int], None]) -> None:
    """Has ``changed`` told of each channel (marked id) to which Telegram says that something happened, but not what."""

    async def heard(update: Any) -> None:  # noqa: ANN401 - Telethon has no types, and awaits its handlers
        changed(marked_id(update.channel_id))

    account.client.add_event_handler(heard, events.Raw(types=[types.UpdateChannel]))


async def limit(account: Account) -> int:
    """How many channels and supergroups this account may be in. Raises what `Account.call` raises."""
    [me] = await account.call(functions.users.GetUsersRequest([types.InputUserSelf()]))
    return _MOST_WITH_PREMIUM if me.premium else _MOST


async def resolve(account: Account, ref: ChannelRef, mine: Mine, *, join: bool = True) -> Peer:
    """The channel that a person means: one call for a name; an invite is accepted where ``join``; an id is in ``mine``.

    Raises what `Account.call` raises. A `RefusedError` has Telegram's code, as USERNAME_NOT_OCCUPIED,
    INVITE_HASH_EXPIRED, INVITE_REQUEST_SENT (somebody has to approve), or one of ours; `MOVED` ends with an id.
    """
    match ref:
        case Username():
            answer = await account.call(functions.contacts.ResolveUsernameRequest(ref.name))
            number = getattr(answer.peer, "channel_id", None)
            return _only([chat for chat in answer.chats if chat.id == number])
        case Invite():
            return await _invited(account, ref.code, join=join)
        case ChatId():
            known = (await mine()).get(ref.id)
            if known is None:
                raise RefusedError(await _of_a_stranger(account, ref.id))
            return known
        case _:
            assert_never(ref)


async def _of_a_stranger(account: Account, id_: int) -> str:
    """Why a channel is not among one's own. Some write -100 before the number of a small group."""
    number = utils.resolve_id(id_)[0]
    try:
        chats = (await account.call(functions.messages.GetChatsRequest([number]))).chats
    except RefusedError:
        return NOT_A_MEMBER
    small = next((chat for chat in chats if isinstance(chat, types.Chat) and chat.id == number), None)
    return NOT_A_MEMBER if small is None else _code_of_a_group(small)


def _code_of_a_group(chat: types.Chat) -> str:
    if isinstance(chat.migrated_to, types.InputChannel):
        return f"{MOVED}{marked_id(chat.migrated_to.channel_id)}"
    return NOT_A_CHANNEL


async def _invited(account: Account, code: str, *, join: bool) -> Peer:
    """Behind an invite link. Asking first costs little, and repeating it after a crash does no harm."""
    invite = await account.call(functions.messages.CheckChatInviteRequest(code))
    if isinstance(invite, types.ChatInviteAlready):
        return _only([invite.chat])
    if isinstance(invite, types.ChatInvitePeek) and not join:
        return _only([invite.chat])
    if isinstance(invite, types.ChatInvite):
        if not (invite.channel or invite.broadcast or invite.megagroup):
            raise RefusedError(NOT_A_CHANNEL)
        if not join:
            raise RefusedError(JOIN_NEEDED)
    peer = _joined(await account.call(functions.messages.ImportChatInviteRequest(code)))
    await _put_away(account, peer)
    return peer


async def join(account: Account, peer: Peer) -> Peer:
    """Joins a channel, then mutes and archives it; that it is joined counts even if the rest fails.

    Raises what `Account.call` raises. A `RefusedError` has Telegram's code, as CHANNELS_TOO_MUCH or
    INVITE_REQUEST_SENT, or NEEDS_PERSON.
    """
    try:
        joined = _joined(await account.call(functions.channels.JoinChannelRequest(address(peer))), peer)
    except RefusedError as error:
        # As when the answer to the first try was lost.
        if error.code != "USER_ALREADY_PARTICIPANT":
            raise
        joined = replace(peer, joined=True)
    await _put_away(account, joined)
    return joined


def _joined(result: Any, asked: Peer | None = None) -> Peer:  # noqa: ANN401
    """The channel that was asked for, or the only one there is, as the result of joining shows it."""
    if isinstance(result, types.messages.ChatInviteJoinResultWebView):
        raise RefusedError(NEEDS_PERSON)
    chats = getattr(result.updates, "chats", ())
    shown = _only(chats) if asked is None else _peers(chats).get(asked.id, asked)
    return replace(shown, joined=True)


async def _put_away(account: Account, peer: Peer) -> None:
    """Mutes and archives a channel, if that can be done."""
    with suppress(TelegramError):
        settings = types.InputPeerNotifySettings(mute_until=_FOR_GOOD)
        whom = types.InputNotifyPeer(address(peer))
        await account.call(functions.account.UpdateNotifySettingsRequest(whom, settings))
    with suppress(TelegramError):
        archived = types.InputFolderPeer(address(peer), folder_id=_ARCHIVE)
        await account.call(functions.folders.EditPeerFoldersRequest([archived]))


async def mine(account: Account, sleep: Sleep) -> dict[int, Peer]:
    """The account's own channels and supergroups by marked id, archived ones too, `PAUSE` between two pages.

    A wait that Telegram asks for is waited for, and the same page asked for again: begun anew it would never end.
    A newest message that cannot be read hides no chat. Raises what else `Account.call` raises.
    """
    found: dict[int, Peer] = {}
    seen: set[int] = set()
    offset: _Offset | None = _Offset(None, 0, types.InputPeerEmpty())
    while offset is not None:
        request = functions.messages.GetDialogsRequest(
            *(offset.date, offset.number, offset.peer), limit=BATCH, hash=0, exclude_pinned=bool(seen)
        )
        try:
            page = await dialogs_of(account, request)
        except WaitError as error:
            await sleep(timedelta(seconds=error.seconds))
            continue
        # A dialog of a kind that is no chat (dialogCommunity) has no peer.
        dialogs = [one for one in page.dialogs if isinstance(one, types.Dialog)]
        new = {utils.get_peer_id(one.peer) for one in dialogs} - seen
        seen |= new
        found.update((id_, peer) for id_, peer in _peers(page.chats).items() if id_ in new)
        # Not how full a page is: Telegram leaves out of one what it pleases.
        more = new and isinstance(page, types.messages.DialogsSlice) and len(seen) < page.count
        offset = _next(page, dialogs) if more else None
        if offset is not None:
            await sleep(PAUSE)
    return found


class _Offset(NamedTuple):
    """Where a page of dialogs begins: after the one with this chat, whose newest message has this date and number."""

    date: datetime | None
    number: int
    peer: Any


def _next(page: Any, dialogs: Sequence[Any]) -> _Offset | None:  # noqa: ANN401
    """Where the next page begins: after the last dialog of which the answer shows the newest message."""
    chats = {utils.get_peer_id(one): one for one in (*page.chats, *page.users)}
    messages = {(utils.get_peer_id(one.peer_id), one.id): one for one in page.messages if one.peer_id is not None}
    for dialog in reversed(dialogs):
        id_ = utils.get_peer_id(dialog.peer)
        chat, message = chats.get(id_), messages.get((id_, dialog.top_message))
        if chat is not None and message is not None and message.date is not None and not dialog.pinned:
            return _Offset(message.date, message.id, utils.get_input_peer(chat, check_hash=False))
    return None


def _peers(chats: Sequence[Any]) -> dict[int, Peer]:
    """The channels among chats that can be addressed, by marked id."""
    return {peer.id: peer for peer in map(convert.peer, chats) if peer is not None}


def _forbidden(chats: Sequence[Any]) -> set[int]:
    return {marked_id(chat.id) for chat in chats if isinstance(chat, types.ChannelForbidden)}


def _only(chats: Sequence[Any]) -> Peer:
    """The one channel that an answer is about."""
    if chats and isinstance(chats[0], types.ChannelForbidden):
        raise NoAccessError(FORBIDDEN)
    if chats and isinstance(chats[0], types.Chat):
        raise RefusedError(_code_of_a_group(chats[0]))
    peer = convert.peer(chats[0]) if chats else None
    if peer is None:
        raise RefusedError(NOT_A_CHANNEL)
    return peer
