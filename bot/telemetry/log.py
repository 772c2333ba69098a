"""The log: an event and its keys, one line each, for a person or as JSON.

What never stands in it: credentials, and what was posted. Three walls see to that.

1. A library's record loses its text, which may be a whole request with the post in it (Telethon's warnings), SQL
   with its values (aiosqlite's) or an exception's words (asyncio's). What is left is who spoke, how loudly, and where.
2. An exception is told by its kind and where it came from; its text only if it is a `VedetteError`, and so ours.
3. A value that is no plain one is told by its kind; keys that name a credential, and whatever in a finished line looks
   like one, are withheld.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import Any, Protocol

import structlog

from bot.config.settings import LogFormat, LogLevel
from bot.errors import VedetteError
from bot.model import ChatId, Destination, PostId, Username

_WITHHELD = "[withheld]"
_LIBRARY = "a library has something to say; its text is withheld, since it may hold what was posted"
_LEVELS = logging.getLevelNamesMapping()
_SECRET_KEY = re.compile("token|hash|session|phone|passw|secret|auth_key|proxy", re.IGNORECASE)
_SECRETS = (
    # A bot's token: its id and 35 characters. https://core.telegram.org/bots/api#authorizing-your-bot
    (re.compile(r"\d{5,}:[\w-]{20,}", re.ASCII), _WITHHELD),
    # An api_hash or an mtproto proxy's secret in hexadecimal digits; a session string or a key in base64.
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{32,}(?![0-9a-f])", re.IGNORECASE), _WITHHELD),
    (re.compile(r"[\w+/-]{100,}=*", re.ASCII), _WITHHELD),
    # A phone number as people write it.
    (re.compile(r"\+\d[\d ().-]{5,}\d"), _WITHHELD),
    # What stands before the host of an address, and a token or a secret that is handed over in one.
    (re.compile(r"(?<=//)[^/\s@'\"]+(?=@)"), _WITHHELD),
    (re.compile(r"(?<=token=|ecret=)[^&\s'\"]+"), _WITHHELD),
)

#: Of how many calls it is said where an exception passed, the innermost first.
_PLACES = 8

# Before `configure` nobody listens; without this, Python would print what is loud enough.
logging.getLogger("bot").addHandler(logging.NullHandler())


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module (its ``__name__``). An event is a fixed text, what varies are its keys."""
    log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name), processors=_OURS, wrapper_class=structlog.stdlib.BoundLogger
    )
    return log


class Stream(Protocol):
    """Where lines go: a file, or whoever takes them in its place."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...
    def isatty(self) -> bool: ...


def configure(level: LogLevel, form: LogFormat, stream: Stream) -> None:
    """From now on the log goes to this stream: ours from ``level`` up, that of libraries from warnings up."""
    asked = _LEVELS[level.upper()]
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, _Handler):
            root.removeHandler(handler)
    root.addHandler(_Handler(stream, form))
    root.setLevel(max(asked, logging.WARNING))
    logging.getLogger("bot").setLevel(asked)


#: A place in a library is heard once in so long.
_AGAIN = timedelta(minutes=1)


class _Handler(logging.StreamHandler[Stream]):
    def __init__(self, stream: Stream, form: LogFormat) -> None:
        super().__init__(stream)
        #: When something was last said at a place in a library.
        self._said: dict[tuple[str, int], float] = {}
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
        if form is LogFormat.CONSOLE:
            colours = stream.isatty() and not os.environ.get("NO_COLOR")
            renderer = structlog.dev.ConsoleRenderer(colors=colours, repr_native_str=True, pad_event_to=0)
        remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                processors=[remove, _plain, renderer], foreign_pre_chain=[*_COMMON, _placed]
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "_logger"):  # put there by structlog
            super().emit(record)
        elif record.levelno >= logging.WARNING and self._is_news(record):
            super().emit(_withheld(record))

    def _is_news(self, record: logging.LogRecord) -> bool:
        """Without its words what a library says again and again, as while a server is down, is the same line."""
        place = record.pathname, record.lineno
        if record.created - self._said.get(place, 0) < _AGAIN.total_seconds():
            return False
        self._said[place] = record.created
        return True

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for pattern, instead in _SECRETS:
            line = pattern.sub(instead, line)
        return line

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """A line that cannot be written is lost. Python's own way is to print it, text and all, somewhere else."""


def _withheld(record: logging.LogRecord) -> logging.LogRecord:
    """The record without a word of its own, but for the kind of its exception."""
    return logging.LogRecord(
        record.name, record.levelno, record.pathname, record.lineno, _LIBRARY, None, record.exc_info, record.funcName
    )


def _placed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where in a library a record was made."""
    record = event["_record"]
    event["at"] = f"{PurePath(record.pathname).name}:{record.lineno}"
    return event


def _plain(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leaves nothing but plain values; an exception that was logged stands under ``error``."""
    event.pop("stack_info", None)
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = error
    return {key: _value(key, value) for key, value in event.items()}


def _value(key: str, value: object) -> object:
    if _SECRET_KEY.search(key):
        return _WITHHELD
    if value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, _SAYABLE):
        return str(value)
    if isinstance(value, BaseException):
        return _kind(value)
    if isinstance(value, Mapping):
        return {str(inner): _value(str(inner), one) for inner, one in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return [_value(key, one) for one in value]  # type: ignore[attr-defined]
    return f"<{type(value).__name__}>"


#: What else is told in its own words. A post, or a whole request, is not.
_SAYABLE = (datetime, timedelta, PurePath, Enum, PostId, Destination, Username, ChatId)


def _kind(error: BaseException) -> str:
    """``StorageError: the disk is full…``; ``ValueError at outbox.py:80 claim < deliver.py:120 run``."""
    if isinstance(error, VedetteError):
        return f"{type(error).__name__}: {error}"
    frames = reversed([(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)])
    places = [f"{PurePath(code.co_filename).name}:{line} {code.co_name}" for code, line in islice(frames, _PLACES)]
    told = f"{type(error).__name__} at {' < '.join(places)}" if places else type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        told += f" ({'; '.join(map(_kind, error.exceptions))})"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{told}, after {_kind(cause)}" if cause is not None else told


_COMMON: tuple[structlog.typing.Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_OURS = [structlog.stdlib.filter_by_level, *_COMMON, structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
