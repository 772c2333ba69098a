"""A terminal where messages are read: what `bot.ports.Sender` asks for, and lines for the operators."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.ports import Clock, Lane, Outcome, Outgoing, Sent, Unknown
from bot.render.richtext import Message
from bot.render.times import Times
from bot.terminal import Style, headed, in_thread, one_line, shown

_WHAT = {
    Lane.URGENT: "urgent alert",
    Lane.ALERT: "alert",
    Lane.NOTICE: "notice",
    Lane.DIGEST: "digest",
    Lane.EDIT: "edit",
}


class TerminalSender:
    """Prints each message under the time at which it goes out and the place to which it would go.

    A terminal knows no ``random_id``: what is sent twice is read twice.
    """

    def __init__(self, stream: TextIO, zone: ZoneInfo, style: Style, clock: Clock) -> None:
        self._stream = stream
        self._zone = zone
        self._style = style
        self._clock = clock

    async def send(self, outgoing: Outgoing) -> Outcome:
        now = self._clock.now()
        at = Times(self._zone, now, now).whole(now)
        heading = f"{at} · {_WHAT[outgoing.lane]} to {one_line(str(outgoing.destination))}"
        try:
            await in_thread(self._print, headed(heading, outgoing.message.text, outgoing.message.entities, self._style))
        except (OSError, ValueError):  # nobody reads on, or it was closed
            return Unknown("the terminal cannot be written to")
        return Sent(None)

    def _print(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def print_notice(message: Message, stream: TextIO, style: Style) -> None:
    """What the operators are told, for standard error. Where nobody reads it, it is still in ``vedette status``."""
    with suppress(OSError, ValueError):
        stream.write(f"{shown(message.text, message.entities, style)}\n")
        stream.flush()


def log_notice(message: Message, stream: TextIO, now: datetime) -> None:
    """The same among lines of JSON, of whatever level they are."""
    line = {"event": "notice", "what": message.text, "timestamp": now.isoformat()}
    with suppress(OSError, ValueError):
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        stream.flush()
