"""What a query says, as frozen values. Made by `parser`, read by `lexicon`, `notes` and `explanation`.

``column`` is the 0-based code point of the query at which a node begins; it is for messages and does not
take part in equality, so that equal terms share their forms wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Form(StrEnum):
    """How a term compares one word of a text with the word that was typed."""

    INFLECTED = "all forms"
    EXACT = "exactly this form"
    CASED = "all forms, letter case as typed"
    FAMILY = "all forms of the word family"
    BEGINS = "words that begin with this"
    ENDS = "words that end with a form of this"


@dataclass(frozen=True, slots=True)
class Term:
    """One word, and how it is compared."""

    word: str
    form: Form = Form.INFLECTED
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Terms next to each other, in this order."""

    terms: tuple[Term, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """Two operands with at most ``gap`` words between them, in either order."""

    gap: int
    left: Node
    right: Node
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    part: Node
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression as typed, between the slashes, and its flags."""

    source: str
    flags: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Hashtag:
    """A hashtag's key; ``prefix`` when only its beginning was given."""

    name: str
    prefix: bool
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Mention:
    """A Telegram name, lower case, without @."""

    name: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A host, lower case; its subdomains count."""

    host: str
    column: int = field(default=0, compare=False)


Node = Term | Phrase | Near | And | Or | Not | Pattern | Hashtag | Mention | Link


@dataclass(frozen=True, slots=True)
class Query:
    """A query that can be run: its text as typed, and what it says."""

    text: str
    node: Node
