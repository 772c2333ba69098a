"""A query's text and how far it has been read; makes the errors that point into it."""

from __future__ import annotations

from bot.errors import QueryError

#: Opening quotes and what closes each of them.
QUOTES = {'"': '"', "«": "»", "„": "“”", "“": "”"}
_CLOSING = frozenset("»”")
#: Characters that end a word.
_DELIMITERS = frozenset('()|"«»„“”')


class Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def peek(self, ahead: int = 0) -> str:
        """The character here (or ahead); the empty string behind the end."""
        at = self.position + ahead
        return self.text[at] if at < len(self.text) else ""

    def skip_space(self) -> None:
        while not self.at_end() and self.text[self.position].isspace():
            self.position += 1

    def starts(self, sign: str) -> bool:
        return self.text.startswith(sign, self.position)

    def word(self) -> str:
        """The run of characters from here to the next space, bracket, bar or quote, not consumed."""
        end = self.position
        while end < len(self.text) and not (self.text[end].isspace() or self.text[end] in _DELIMITERS):
            end += 1
        return self.text[self.position : end]

    def take_word(self) -> str:
        word = self.word()
        self.position += len(word)
        return word

    def at_quote(self) -> bool:
        return self.peek() in QUOTES

    def at_stray_quote(self) -> bool:
        return self.peek() in _CLOSING

    def take_quoted(self) -> str:
        """What stands between the quote here and the one that closes it."""
        closing = QUOTES[self.peek()]
        start = self.position
        end = start + 1
        while end < len(self.text) and self.text[end] not in closing:
            end += 1
        if end == len(self.text):
            raise self.error("this quote is never closed", f"close it with {closing[0]}", start)
        self.position = end + 1
        return self.text[start + 1 : end]

    def error(self, what: str, hint: str, column: int | None) -> QueryError:
        """An error at a column, or where reading stopped."""
        return QueryError(what, hint=hint, query=self.text, column=self.position if column is None else column)
