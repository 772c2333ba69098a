"""Folders of the account's chats: which there are, and which channels and supergroups are in one.

Telegram calls them dialog filters: https://core.telegram.org/api/folders
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telethon import events
from telethon.tl import functions, types

from bot.errors import NoAccessError, UnreadableError
from bot.model import Peer, marked_id
from bot.telegram import convert, peers
from bot.telegram.account import Account

_ARCHIVE = 1
_CHANGES = [types.UpdateDialogFilter, types.UpdateDialogFilters]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFolder:
    """A folder as it is set up.

    ``named``: the access hashes of the channels that stand in it by themselves, by marked id; ``excluded``: those that
    it never holds. ``broadcasts`` and ``groups``: it holds all of the account's own channels, or supergroups, too;
    ``archived``: even those in the archive. What is left out while it is muted or has been read is in it all the same:
    that is about what an app shows at the moment.
    """

    title: str
    named: Mapping[int, int]
    excluded: frozenset[int] = frozenset()
    broadcasts: bool = False
    groups: bool = False
    archived: bool = True


async def listed(account: Account) -> list[ChatFolder]:
    """The account's folders, in one call. Raises what `Account.call` raises."""
    answer = await account.call(functions.messages.GetDialogFiltersRequest())
    # What is neither is the list of all chats.
    kinds = types.DialogFilter | types.DialogFilterChatlist
    return [_folder(one) for one in answer.filters if isinstance(one, kinds)]


def _folder(sent: Any) -> ChatFolder:  # noqa: ANN401 - Telethon has no types
    excluded = frozenset(_channels(getattr(sent, "exclude_peers", ())))
    named = _channels([*sent.pinned_peers, *sent.include_peers])
    return ChatFolder(
        title=sent.title.text,
        named={id_: access_hash for id_, access_hash in named.items() if id_ not in excluded},
        excluded=excluded,
        broadcasts=bool(getattr(sent, "broadcasts", None)),
        groups=bool(getattr(sent, "groups", None)),
        archived=not getattr(sent, "exclude_archived", None),
    )


def _channels(found: Sequence[Any]) -> dict[int, int]:
    """Access hashes by marked ids; people, bots and small groups have none of these."""
    return {marked_id(one.channel_id): one.access_hash for one in found if isinstance(one, types.InputPeerChannel)}


def called(folders: Sequence[ChatFolder], title: str) -> ChatFolder | None:
    """The folder of this title, else the first whose title differs by letter case and surrounding spaces only."""
    exact = [folder for folder in folders if folder.title == title]
    alike = [folder for folder in folders if plain(folder.title) == plain(title)]
    return next(iter(exact + alike), None)


def plain(title: str) -> str:
    """What titles are compared by, if they are not the same."""
    return title.strip().casefold()


async def shown(account: Account, wanted: Mapping[int, int]) -> dict[int, Peer]:
    """Channels by access hashes and marked ids, with their names; a hundred a call, none for none.

    One of which Telegram shows nothing, as when the account was thrown out, has no names: whoever asks how far it is
    learns why. What is a channel to Telegram only, a channel's private messages, is left out. Raises what
    `Account.call` raises, but of a single channel.
    """
    found = {id_: Peer(id=id_, access_hash=access_hash) for id_, access_hash in wanted.items()}
    asked = [peers.address(peer) for peer in found.values()]
    for answer in await _answers(account, asked, functions.channels.GetChannelsRequest):
        for chat in answer.chats:
            peer = convert.peer(chat)
            if _is_private_messages(chat):
                found.pop(marked_id(chat.id), None)
            elif peer is not None and peer.id in found:
                found[peer.id] = peer
    return found


async def of_kind(
    account: Account, folder: ChatFolder, sleep: peers.Sleep, keep: Collection[int] = ()
) -> dict[int, Peer]:
    """The account's own channels and supergroups of the kinds that a folder holds, by marked id.

    Dear: it lists all that the account is in. ``keep``: those that stay when they are not answered. Raises what
    `Account.call` raises.
    """
    own = {id_: peer for id_, peer in (await peers.mine(account, sleep)).items() if id_ not in folder.excluded}
    asked = [types.InputDialogPeer(peers.address(peer)) for peer in own.values()]
    held: dict[int, bool] = {}
    for answer in await _answers(account, asked, functions.messages.GetPeerDialogsRequest):
        archived = {
            getattr(dialog.peer, "channel_id", None)
            for dialog in answer.dialogs
            if isinstance(dialog, types.Dialog) and dialog.folder_id == _ARCHIVE
        }
        for chat in answer.chats:
            if isinstance(chat, types.Channel):
                held[marked_id(chat.id)] = _is_of_kind(folder, chat) and (folder.archived or chat.id not in archived)
    return {id_: peer for id_, peer in own.items() if held.get(id_, id_ in keep)}


def _is_of_kind(folder: ChatFolder, chat: types.Channel) -> bool:
    return not _is_private_messages(chat) and (folder.broadcasts if chat.broadcast else folder.groups)


def _is_private_messages(chat: Any) -> bool:  # noqa: ANN401
    """https://core.telegram.org/api/monoforum"""
    return bool(getattr(chat, "monoforum", None))


async def _answers(account: Account, asked: Sequence[Any], request: Callable[[Sequence[Any]], Any]) -> list[Any]:
    """What a request that takes many channels is answered, a hundred at once.

    One that cannot be read fails the whole call; it is found by halves, and left out.
    """
    answers = []
    batches = [asked[start : start + peers.BATCH] for start in range(0, len(asked), peers.BATCH)]
    while batches:
        batch = batches.pop()
        try:
            answers.append(await account.call(request(batch)))
        except (NoAccessError, UnreadableError):
            if len(batch) > 1:
                middle = len(batch) // 2
                batches += [batch[:middle], batch[middle:]]
    return answers


def listen(account: Account, changed: Callable[[], None]) -> None:
    """Says, for as long as the client lives, that folders were changed, in whichever app. ``changed`` may not wait."""

    async def heard(_update: Any) -> None:  # noqa: ANN401 - Telethon has no types, and awaits its handlers
        changed()

    account.client.add_event_handler(heard, events.Raw(types=_CHANGES))
