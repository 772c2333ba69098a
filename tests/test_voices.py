"""Voices come and go."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Destination
from bot.ports import Later, Outcome, Outgoing, Refused, Sent, Unknown, Voice
from bot.voices import Voices


@dataclass
class Somebody:
    """A sender that takes everything."""

    account: int

    async def chat(self, destination: Destination) -> int | Later | Refused | Unknown:
        return self.account

    async def send(self, outgoing: Outgoing) -> Outcome:
        return Sent(outgoing.id)


def test_nobody_speaks_before_somebody_has_come() -> None:
    voices = Voices(bot=True)

    assert (voices.of(Voice.SPEAKER), voices.of(Voice.READER)) == (None, None)


def test_with_a_bot_each_voice_is_its_own() -> None:
    voices, bot, reader = Voices(bot=True), Somebody(900), Somebody(100)

    voices.speaks(Voice.SPEAKER, bot)
    voices.speaks(Voice.READER, reader)

    assert (voices.of(Voice.SPEAKER), voices.of(Voice.READER)) == (bot, reader)
    voices.speaks(Voice.SPEAKER, None)
    assert (voices.of(Voice.SPEAKER), voices.of(Voice.READER)) == (None, reader)


def test_without_a_bot_the_reader_is_the_speaker_too() -> None:
    voices, reader = Voices(bot=False), Somebody(100)

    voices.speaks(Voice.READER, reader)

    assert (voices.of(Voice.SPEAKER), voices.of(Voice.READER)) == (reader, reader)
    voices.speaks(Voice.READER, None)
    assert (voices.of(Voice.SPEAKER), voices.of(Voice.READER)) == (None, None)


def test_whoever_waits_for_a_voice_hears_of_each_change() -> None:
    voices, heard = Voices(bot=True), list[Voice | None]()
    voices.changed = lambda: heard.append(Voice.SPEAKER if voices.of(Voice.SPEAKER) else None)

    voices.speaks(Voice.SPEAKER, Somebody(900))
    voices.speaks(Voice.SPEAKER, None)

    assert heard == [Voice.SPEAKER, None]
