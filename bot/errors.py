"""Everything that can go wrong in a way that a person can mend.

    VedetteError
    ├── QueryError        a keyword that cannot be read: what, at which column, what would be right
    └── RecordingError    a recording that cannot be opened or read on

Anything else that escapes is a defect of ours. A bad line *inside* a recording is not an error but a
value (`bot.recording.Problem`): it is reported, counted and skipped.
"""


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


class RecordingError(VedetteError):
    """A file that cannot be opened, or that breaks off in a way that no later line can mend."""
