"""Who can speak just now: the bot and the reader come and go with their connections."""

from __future__ import annotations

from collections.abc import Callable

from bot.ports import Sender, Voice


def _nothing() -> None:
    """Nobody waits for a change."""


class Voices:
    """Who can speak just now. ``changed``, which may be set, is called when somebody comes or goes."""

    def __init__(self, *, bot: bool) -> None:
        """``bot``: a bot speaks; else the reader is the speaker too."""
        self._bot = bot
        self.speaker: Sender | None = None
        self.reader: Sender | None = None
        self.changed: Callable[[], None] = _nothing

    def speaks(self, voice: Voice, sender: Sender | None) -> None:
        """From now on this voice is that of ``sender``; None: nobody, for now. Without a bot both are the reader's."""
        if voice is Voice.READER or not self._bot:
            self.reader = sender
        if voice is Voice.SPEAKER or not self._bot:
            self.speaker = sender
        self.changed()

    def is_bot(self, voice: Voice) -> bool:
        """Whether a bot has this voice, be it there just now or not."""
        return self._bot and voice is Voice.SPEAKER

    def of(self, voice: Voice) -> Sender | None:
        """Who sends for this voice; None: nobody just now."""
        return self.speaker if voice is Voice.SPEAKER else self.reader
