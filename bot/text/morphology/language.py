"""The plug point: what Vedette asks of a language, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How sure the forms of a reading are."""

    DICTIONARY = "in the dictionary"
    TYPED_FORM = "a form of"
    RULES = "by rule"
    PREDICTED = "not in the dictionary, endings predicted"
    ACRONYM = "an acronym, as typed"
    LITERAL = "as typed"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a word: its lemma in a language, and the keys of all its forms."""

    language: str
    lemma: str
    how: How
    forms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Inflection:
    """All readings of a word, and what the person who typed it should know."""

    word: str
    readings: tuple[Reading, ...]
    notes: tuple[str, ...] = ()

    @property
    def forms(self) -> frozenset[str]:
        return frozenset().union(*(r.forms for r in self.readings))


class Language(ABC):
    """One class a language; stateless but for a dictionary that it loads when first asked.

    ``key`` is always `bot.text.normalise.normalise` of what was typed.
    """

    name: str
    #: What most watched channels are written in: it predicts whatever it does not know, names or not.
    main: bool = False

    @abstractmethod
    def claims(self, key: str) -> bool:
        """Whether the letters of this key allow this language."""

    @abstractmethod
    def known(self, word: str, key: str) -> Iterable[Reading]:
        """Readings that this language is sure of; none for a word that it does not know."""

    def predicted(self, word: str, key: str) -> Iterable[Reading]:
        """Readings of a word that no language knows."""
        return ()

    def family(self, key: str) -> Iterable[Reading]:
        """This lemma, the words behind it and those derived from it, as far as the dictionary knows them."""
        return ()

    def note(self, key: str) -> str | None:
        """What the person should know who typed a word that this language claims."""
        return None
