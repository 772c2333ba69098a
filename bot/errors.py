"""Everything that can go wrong in a way that a person can mend.

    VedetteError
    ├── ConfigError       a configuration that cannot be used: every error of the file
    │   └── NoConfigError there is none: no file, or nothing in it
    ├── QueryError        a keyword that cannot be read: what, at which column, what would be right
    └── RecordingError    a recording that cannot be opened or read on

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
