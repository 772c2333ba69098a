"""What Telegram says of each configured channel and destination. Nothing is joined, sent or watched for it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from bot.errors import NoAccessError, RefusedError, TelegramError, UnreachableError
from bot.model import ChannelRef, ChatId, Destination, Me, Peer
from bot.storage import addresses
from bot.telegram import chats, folders, history, peers
from bot.telegram.account import Account
from bot.telegram.chats import Chat, Kind
from bot.telegram.peers import Mine, Sleep, Top, Tops
from bot.telegram.refusals import why
from bot.terminal import Progress, one_line

if TYPE_CHECKING:
    from bot.config.settings import Settings
    from bot.storage.database import Database


class Mark(StrEnum):
    """How things stand with a channel or destination."""

    WELL = "✓"
    UNSURE = "?"
    BAD = "✗"


class Finding(NamedTuple):
    """What was found behind what the configuration writes."""

    mark: Mark
    written: str
    said: str

    def __str__(self) -> str:
        return f"{self.mark} {one_line(self.written)}: {one_line(self.said)}"


def told_of(settings: Settings) -> list[Destination]:
    """The destinations of a configuration, each once."""
    return list(dict.fromkeys([settings.digest.chat, *map(settings.destination_of, settings.topics)]))


class Inquiry:
    """``reader`` is asked for channels, ``speaker`` for destinations: the reader itself where there is no bot.

    ``speaker`` None: there is a bot, and it is not signed in. ``mine``: the reader's own channels. What is asked raises
    `UnreachableError`, `NotSignedInError` and `StorageError`; any other refusal is a finding.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is another part of the house
        self, settings: Settings, database: Database, reader: Account, speaker: Account | None, mine: Mine, sleep: Sleep
    ) -> None:
        self._settings = settings
        self._database = database
        self._reader = reader
        self._speaker = speaker
        self._mine = mine
        self._sleep = sleep
        self._watched: dict[int, ChannelRef] = {}

    async def channels(self) -> list[Finding]:
        """One for each of the configuration, in its order."""
        refs = [watched.channel for watched in self._settings.watch.channels]
        known = await addresses.known(self._database, self._reader.id)
        found: dict[ChannelRef, Peer | Finding] = {}
        progress = Progress("channels looked up")
        for done, ref in enumerate(refs):
            progress.update(done, done, len(refs))
            found[ref] = known.get(str(ref)) or await self._resolved(ref)
        tops = await self._tops([peer for peer in found.values() if isinstance(peer, Peer)])
        findings = []
        for done, (ref, one) in enumerate(found.items()):
            progress.update(done, done, len(refs))
            findings.append(await self._channel(ref, one, tops) if isinstance(one, Peer) else one)
        progress.clear()
        return findings

    async def _resolved(self, ref: ChannelRef) -> Peer | Finding:
        try:
            peer = await peers.resolve(self._reader, ref, self._mine, join=False)
        except UnreachableError:
            raise
        except TelegramError as error:
            if isinstance(error, RefusedError) and error.code == peers.JOIN_NEEDED and self._settings.watch.join:
                return Finding(Mark.WELL, str(ref), "private, will be joined by this link")
            return Finding(Mark.BAD, str(ref), why(error))
        await self._database.write(lambda c: addresses.remember(c, self._reader.id, ref, peer))
        return peer

    async def _tops(self, asked: list[Peer]) -> Tops:
        """How far they are; nothing where Telegram does not tell it of all at once."""
        try:
            return await peers.tops(self._reader, asked)
        except UnreachableError:
            raise
        except TelegramError:
            return Tops({}, {})

    async def _channel(self, ref: ChannelRef, peer: Peer, tops: Tops) -> Finding:
        first = self._watched.setdefault(peer.id, ref)
        if first != ref:
            return Finding(Mark.BAD, str(ref), f"it is {first}, which is listed too; remove one of them")
        try:
            if peer.id in tops.refused:
                raise NoAccessError(tops.refused[peer.id])
            top = tops.tops.get(peer.id) or await self._top(peer)
        except UnreachableError:
            raise
        except TelegramError as error:
            return Finding(Mark.BAD, str(ref), why(error))
        return Finding(Mark.WELL, str(ref), self._described(ref, top.peer or peer, top.number))

    async def _top(self, peer: Peer) -> Top:
        page = await history.below(self._reader, peer)
        return Top(max((one.number for one in page.sightings), default=0), page.pts, page.peer)

    def _described(self, ref: ChannelRef, peer: Peer, newest: int) -> str:
        if peer.joined:
            how = "joined"
        else:
            how = "will be joined" if self._settings.watch.join and peer.username else "read without joining"
        name = f"@{peer.username}" if peer.username else ""
        parts = [peer.title, name if name.lower() != str(ref) else "", "" if isinstance(ref, ChatId) else str(peer.id)]
        return ", ".join([part for part in parts if part] + [how, f"newest post {newest}" if newest else "empty"])

    async def folder(self, name: str) -> Finding:
        """What stands in the folder, after `channels`; nothing of it is looked up one by one."""
        try:
            there = await folders.listed(self._reader)
            folder = folders.called(there, name)
            if folder is None:
                others = ", ".join(one.title for one in there) or "none"
                return Finding(Mark.BAD, name, f"this account has no such folder; it has {others}")
            own = await folders.of_kind(self._reader, folder, self._sleep) if folder.broadcasts or folder.groups else {}
            held = {**own, **await folders.shown(self._reader, folder.named)}
        except UnreachableError:
            raise
        except TelegramError as error:
            return Finding(Mark.BAD, name, why(error))
        shown = ", ".join(peer.channel.shown for peer in held.values()) or "no channel or supergroup yet"
        return Finding(Mark.WELL if held else Mark.UNSURE, name, f"a folder that holds {shown}")

    async def destinations(self) -> list[Finding]:
        """One for each of `told_of`, after `channels`."""
        return [await self._destination(one) for one in told_of(self._settings)]

    async def _destination(self, to: Destination) -> Finding:
        try:
            if isinstance(to.chat, Me):
                return await self._me(to)
            with_bot = self._speaker not in (None, self._reader)
            chat = await chats.find(self._speaker or self._reader, to.chat, None if with_bot else self._mine)
        except UnreachableError:
            raise
        except TelegramError as error:
            outside = isinstance(error, RefusedError) and error.code == peers.NOT_A_MEMBER
            mark = Mark.UNSURE if outside and self._speaker is None else Mark.BAD
            return Finding(mark, str(to), why(error))
        if chat is None:
            return Finding(Mark.UNSURE, str(to), "a person by the id, of whom Telegram tells only bots anything")
        wrong = self._wrong(to, chat)
        mark = Mark.BAD if wrong else Mark.UNSURE if self._speaker is None else Mark.WELL
        return Finding(mark, str(to), "; ".join([_shown(to, chat), *wrong]))

    async def _me(self, to: Destination) -> Finding:
        name = self._reader.name or str(self._reader.id)
        if self._speaker is None:
            return Finding(Mark.UNSURE, str(to), f"{name}, in the private chat with the bot")
        if self._speaker is self._reader:
            return Finding(Mark.WELL, str(to), f"{name}, in Saved Messages, where nothing rings")
        await chats.find(self._speaker, ChatId(self._reader.id), None)
        return Finding(Mark.WELL, str(to), f"{name}, in the private chat with {self._speaker.name}")

    def _wrong(self, to: Destination, chat: Chat) -> list[str]:
        """All that speaks against telling this chat; what the reader may not do, a bot may."""
        wrong = []
        if (watched := self._watched.get(chat.id)) is not None:
            wrong.append(f"it is watched as {watched}, and a chat that is told is never watched; remove one of the two")
        if to.thread is not None and not chat.forum:
            wrong.append("it has no topics; write it without the number behind")
        if chat.kind is Kind.BOT and self._speaker is not self._reader:
            wrong.append("a bot does not hear what another bot says")
        if chat.closed and self._speaker is not None:
            wrong.append(chat.closed)
        return wrong


def _shown(to: Destination, chat: Chat) -> str:
    name = f"@{chat.username}" if chat.username else ""
    parts = [chat.title, name if name.lower() != str(to.chat) else "", "" if isinstance(to.chat, ChatId) else chat.id]
    return ", ".join([str(part) for part in parts if part] + [f"a {chat.kind}"])
