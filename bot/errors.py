"""Everything that can go wrong in a way that a person can mend.

    VedetteError
    ├── ConfigError       a configuration that cannot be used: every error of the file
    │   └── NoConfigError there is none: no file, or nothing in it
    ├── QueryError        a keyword that cannot be read: what, at which column, what would be right
    ├── RecordingError    a recording that cannot be opened or read on
    ├── StorageError      the database or its folder cannot be used: what is wrong with it, and what to do
    ├── ListenError       nobody can listen where the metrics are to be read
    ├── HeldError         another process holds the data directory
    ├── NotSignedInError  there is no session, or Telegram refuses it
    └── TelegramError     a call that did not bring what was asked for
        ├── UnreachableError  no answer: whether the call was carried out is unknown
        ├── WaitError         Telegram asks to wait for ``seconds`` before this method is called again
        ├── NoAccessError     this channel cannot be read, now or ever: ``why``
        ├── UnreadableError   the answer holds something that this version of the library cannot read
        └── RefusedError      any other refusal, by Telegram's own name for it (``code``)

Anything else that escapes is a defect of ours. A bad line *inside* a recording is not an error but a
value (`bot.recording.Problem`): it is reported, counted and skipped.
"""

from __future__ import annotations

from collections.abc import Sequence


class VedetteError(Exception):
    """Root of the tree; its text is one complete sentence for the person who runs the program."""


class QueryError(VedetteError):
    """A query that cannot be read.

    ``column`` is the 0-based code point in ``query`` where it went wrong, ``what`` says what is wrong
    there and ``hint`` what would be right.
    """

    def __init__(self, what: str, *, hint: str, query: str, column: int) -> None:
        super().__init__(f"column {column + 1}: {what}; {hint}")
        self.what = what
        self.hint = hint
        self.query = query
        self.column = column


class ConfigError(VedetteError):
    """A configuration that cannot be used.

    ``errors`` are all of them in the order of the file, at least one. Each begins with a line
    ``config.toml:LINE: key.path: what is wrong; what would be right``; a source line and a caret may follow.
    """

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


class NoConfigError(ConfigError):
    """There is no configuration: the file is absent or empty."""


class RecordingError(VedetteError):
    """A file that cannot be opened, or that breaks off in a way that no later line can mend."""


class StorageError(VedetteError):
    """The database or its folder cannot be used; nothing was harmed."""


class ListenError(VedetteError):
    """Nobody can listen at an address: it is taken, or none of this machine. ``run`` ends with 1."""


class HeldError(VedetteError):
    """Another process holds the data directory."""


class NotSignedInError(VedetteError):
    """There is no session, or Telegram refuses the one there is. ``run`` and others end with 3."""


class TelegramError(VedetteError):
    """A call to Telegram that did not bring what was asked for. No message of these names a person or a text."""


class UnreachableError(TelegramError):
    """No answer in time, or the connection broke. Whether the call was carried out is unknown."""


class WaitError(TelegramError):
    """Telegram asks to wait. ``seconds`` from now on, for every call of ``method``."""

    def __init__(self, method: str, seconds: int) -> None:
        super().__init__(f"Telegram asks to wait {seconds} s before the next {method}.")
        self.method = method
        self.seconds = seconds


class NoAccessError(TelegramError):
    """A channel cannot be read: private, banned, gone. ``why`` is Telegram's own name for it, as CHANNEL_PRIVATE."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Telegram does not let this account read the channel ({why}).")
        self.why = why


class UnreadableError(TelegramError):
    """The answer holds a kind of thing that this version of the Telegram library does not know."""


class RefusedError(TelegramError):
    """Any other refusal; ``code`` is Telegram's own name for it, as USERNAME_NOT_OCCUPIED."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Telegram refused a call ({code}).")
        self.code = code
