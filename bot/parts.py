"""What each new connection and each loop needs of what stays: made of the configuration that is in force."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from bot.config.settings import Settings
from bot.folder import READER, SPEAKER
from bot.ingest import Ingest
from bot.model import ChannelRef, Me
from bot.ports import Clock, Sender, Voice
from bot.quota import Quota
from bot.rules import Rules
from bot.speaker import Speaker
from bot.storage import facts
from bot.storage.database import Database
from bot.supervise import Supervise, last_reader
from bot.tally import Tally
from bot.telegram.account import Account
from bot.telegram.sender import TelegramSender
from bot.telegram.session import ByItself, client_for
from bot.telegram.signin import sign_in_bot
from bot.vitals import Vitals, patience
from bot.voices import Voices
from bot.watch.own import Own
from bot.watch.watch import Watch


@dataclass(slots=True, kw_only=True)
class Parts:
    """All that stays while connections come and go.

    ``settings`` are those in force: a reload replaces them, and whatever asks next gets the new ones.

    ``reader``: the numeric id of the account that reads, once it is known; ``instead``: who sends in Telegram's place.
    """

    settings: Settings
    database: Database
    clock: Clock
    ingest: Ingest
    quota: Quota
    chance: Random
    voices: Voices
    secret: bytes
    tally: Tally
    reader: int | None
    instead: Sender | None

    @classmethod
    async def made(  # noqa: PLR0913, PLR0917 - what an earlier process left, and what there is now
        cls,
        settings: Settings,
        rules: Rules,
        database: Database,
        clock: Clock,
        chance: Random,
        instead: Sender | None = None,
    ) -> Parts:
        """Takes up what an earlier process has left. Raises StorageError."""
        secret = await database.write(lambda c: facts.secret(c, secrets.token_bytes(32)))
        ingest = Ingest(database, clock, rules, secret)
        await ingest.resume()
        return cls(
            settings=settings,
            database=database,
            clock=clock,
            ingest=ingest,
            quota=await Quota.opened(database, clock, chance),
            chance=chance,
            voices=Voices(bot=settings.telegram.bot_token is not None),
            secret=secret,
            tally=Tally(),
            reader=await last_reader(database, settings.data_dir / READER),
            instead=instead,
        )

    def account(self, connected: Callable[[], None], *, pushed: bool) -> Account:
        """The reader's, for one connection."""
        session = self.settings.data_dir / READER
        tally = self.tally.reader
        refused = tally.waiting(self.quota.refused)
        by_itself, connected = ByItself(self.quota.unasked, refused), tally.connecting(connected)
        client = client_for(self.settings.telegram, session, on_connect=connected, by_itself=by_itself, updates=pushed)
        return Account(client, turn=self.quota.turn, asked=tally.asked, refused=refused, pushed=pushed)

    def bot(self) -> Account:
        """The bot's. Nothing is pushed to it, and what it may call has nothing to do with what the reader may."""
        session, tally = self.settings.data_dir / SPEAKER, self.tally.bot
        client = client_for(
            self.settings.telegram,
            session,
            on_connect=tally.connecting(),
            updates=False,
            by_token=True,
        )
        return Account(client, asked=tally.asked, refused=tally.waiting())

    def speaker(self) -> Speaker | None:
        """What keeps the bot up; None where there is none."""
        token = self.settings.telegram.bot_token
        if token is None or self.instead is not None:
            return None
        return Speaker(
            account_for=self.bot,
            sign_in=lambda account: sign_in_bot(account.client, token.get_secret_value()),
            sender_for=self.sender,
            voices=self.voices,
            database=self.database,
            clock=self.clock,
            random=self.chance,
        )

    def speaks(self, account: Account | None) -> None:
        """The reader can speak from now on, or not any more."""
        if account is not None:
            self.reader = account.id
        if self.instead is None:
            sender = None if account is None else self.sender(account, Own(account, self.clock))
            self.voices.speaks(Voice.READER, sender)

    def sender(self, account: Account, mine: Own | None = None) -> TelegramSender:
        return TelegramSender(account, self.database, me=lambda: self.reader, mine=mine)

    def watch(self, account: Account) -> Watch:
        token = self.settings.telegram.bot_token
        bot = set() if token is None else {int(token.get_secret_value().partition(":")[0])}
        return Watch(
            account=account,
            ingest=self.ingest,
            database=self.database,
            clock=self.clock,
            ignored=frozenset({account.id} | bot),
            random=self.chance,
            swept=self.tally.sweep,
            **self.watched(),
        )

    def watched(self) -> dict[str, Any]:
        """What a watch is told of the configuration."""
        watch = self.settings.watch
        return {
            "refs": [watched.channel for watched in watch.channels],
            "join": watch.join,
            "history": watch.history,
            "sweep_every": watch.sweep_every,
            "destinations": self._destinations(),
            "folder": watch.folder,
        }

    def _destinations(self) -> frozenset[ChannelRef]:
        """The chats that are told, but for the reader's own, which is no channel."""
        settings = self.settings
        told = [settings.digest.chat, *map(settings.destination_of, settings.topics)]
        return frozenset(one.chat for one in told if not isinstance(one.chat, Me))

    def look(self, supervise: Supervise, speaker: Speaker | None) -> Callable[[], Vitals]:
        """How things stand, whenever it is asked."""
        started = self.clock.now()

        def look() -> Vitals:
            now, watch, every = self.clock.now(), supervise.watch, self.settings.watch.sweep_every
            return Vitals(
                started=started,
                written=now,
                link=supervise.link,
                answered=supervise.answered,
                passed=watch.last_pass if watch else None,
                behind=len(watch.behind(now - patience(every))) if watch else 0,
                waiting=watch.waiting if watch else 0,
                skew=supervise.skew,
                sweep_every=every,
                stored_at=self.ingest.stored_at,
                speaker=None if speaker is None else speaker.link,
                speaker_answered=None if speaker is None else speaker.answered,
            )

        return look
