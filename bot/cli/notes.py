"""What is unwise about a query, told on standard error."""

from __future__ import annotations

import sys

from bot.query.lexicon import Lexicon
from bot.query.nodes import Query
from bot.query.notes import notes
from bot.terminal import harmless


def tell_notes(query: Query, lexicon: Lexicon) -> None:
    for note in notes(query, lexicon):
        sys.stderr.write(f"note: {harmless(note.text)}\n")
