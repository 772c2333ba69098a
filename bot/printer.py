"""Notices where the service was started, as lines for whoever runs it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime

from bot.render.richtext import Message
from bot.telemetry.log import Stream
from bot.terminal import Style, shown


def print_notice(message: Message, stream: Stream, style: Style) -> None:
    """What the operators are told, for standard error. Where nobody reads it, it is still in ``vedette status``."""
    with suppress(OSError, ValueError):
        stream.write(f"{shown(message.text, message.entities, style)}\n")
        stream.flush()


def log_notice(message: Message, stream: Stream, now: datetime) -> None:
    """The same among lines of JSON, of whatever level they are."""
    line = {"event": "notice", "what": message.text, "timestamp": now.isoformat()}
    with suppress(OSError, ValueError):
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        stream.flush()
