"""What Russian and Ukrainian share: a pymorphy3 dictionary, and endings for words that it does not know.

A known word becomes every form of the lexemes whose lemma it is; only when it is the lemma of none, the
forms of the lexemes that it is a form of. (Expanding every parse of «Морозов» would bring in «мороз».)
An unknown word gets the endings of its kind, from a table, and the dictionary's own prediction where that
agrees on the lemma and is a noun or an adjective; predicted verbs are nonsense (БПЛА from «бпнуть»). A
wrong form costs next to nothing, since only whole words match: the tables are generous.
Figures: docs/decisions/0001-expand-keywords-not-posts.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from bot.text.morphology.language import How, Language, Reading
from bot.text.normalise import normalise

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer
    from pymorphy3.analyzer import Parse

#: (what the word ends with, letters to cut, endings to put there). Every line that fits adds its forms.
Endings = Sequence[tuple[re.Pattern[str], int, tuple[str, ...]]]

_LETTERS = re.compile("[а-яіїєґ']+").fullmatch
#: Below this share of the running texts behind the dictionary a reading of a typed form is a curiosity.
_LIKELY = 0.1
_SHORTEST_STEM = 3
_NAMES = frozenset({"Surn", "Name", "Patr"})


def endings(table: str) -> Endings:
    """Reads a table of ``pattern cut ending ending …`` lines; ``0`` is the bare stem."""
    rows = [line.split() for line in table.strip().splitlines()]
    return [
        (re.compile(f"(?:{end})$"), int(cut), tuple("" if e == "0" else e for e in rest)) for end, cut, *rest in rows
    ]


class Slavic(Language):
    """A language with a pymorphy3 dictionary; `code` is the dictionary's, `own` and `foreign` its telling letters."""

    code: str
    package: str
    own: frozenset[str]
    foreign: frozenset[str]
    endings: Endings
    stems: Endings
    derivations: tuple[str, ...]
    ethnic: tuple[str, ...]

    @cached_property
    def dictionary(self) -> MorphAnalyzer | None:
        """The dictionary, or None where its package is not installed."""
        import pymorphy3  # the import and the dictionary cost 0.2 s: paid with the first Cyrillic keyword

        try:
            return pymorphy3.MorphAnalyzer(lang=self.code)
        except ValueError:
            return None

    def claims(self, key: str) -> bool:
        return bool(_LETTERS(key)) and self.foreign.isdisjoint(key)

    def known(self, word: str, key: str) -> Iterable[Reading]:
        if self.dictionary is None or not self.dictionary.word_is_known(key):
            return
        parses = [p for p in self.dictionary.parse(key) if p.is_known]
        own = [p for p in parses if normalise(p.normal_form) == key]
        likely = own or [p for p in parses if p.score >= _LIKELY] or parses[:1]
        how = How.DICTIONARY if own else How.TYPED_FORM
        forms: dict[str, set[str]] = {}
        for parse in _distinct(likely):
            forms.setdefault(parse.normal_form, {key}).update(self.lexeme(parse))
        for lemma, of_lemma in forms.items():
            yield Reading(self.name, lemma, how, frozenset(of_lemma | self.left_out(of_lemma)))

    def left_out(self, forms: set[str]) -> set[str]:
        """Forms of a known word that its dictionary does not list."""
        return set()

    def predicted(self, word: str, key: str) -> Iterable[Reading]:
        if self.dictionary is None and self.own.isdisjoint(key):
            return
        forms = {key} | self.guess(key)
        if self.dictionary is not None:
            parses = [p for p in self.dictionary.parse(key) if p.tag.POS in ("NOUN", "ADJF")]
            for parse in _distinct([p for p in parses if normalise(p.normal_form) == key])[:2]:
                forms.update(self.lexeme(parse))
        yield Reading(self.name, key, How.PREDICTED, frozenset(forms))

    def lexeme(self, parse: Parse) -> set[str]:
        """The keys of all forms of a parse's lexeme. A superlative stands for itself, not for its positive."""
        forms = parse.lexeme
        if "Supr" in parse.tag:
            forms = [f for f in forms if "Supr" in f.tag]
        return {normalise(f.word) for f in forms}

    def guess(self, key: str) -> set[str]:
        """Forms of a word that is in no dictionary, by its last letters."""
        return {
            key[: len(key) - cut] + ending
            for pattern, cut, rest in self.endings
            if pattern.search(key)
            for ending in rest
        }

    def family(self, key: str) -> Iterable[Reading]:
        """Roots behind the word by its suffix, then every derivation of those roots that the dictionary knows."""
        if self.dictionary is None:
            return
        derived: dict[str, None] = {}
        for root in (key, *self._roots(key)):
            derived[root] = None
            for stem, suffixes in self._stems(root):
                derived.update((stem + suffix, None) for suffix in suffixes if self._is_lemma(stem + suffix))
        for lemma in derived:
            yield from self.known(lemma, lemma)

    def _roots(self, key: str) -> Iterable[str]:
        """Nouns that this word may be derived from: сирийский, сириец -> Сирия."""
        for suffix in self.derivations:
            stem = key.removesuffix(suffix)
            if stem != key and len(stem) >= _SHORTEST_STEM:
                for ending in ("", "а", "я", "ь", "ия", "ія"):
                    root = stem + ending
                    leads_here = any(stem == other and suffix in suffixes for other, suffixes in self._stems(root))
                    if leads_here and self._is_lemma(root):
                        yield root

    def _stems(self, key: str) -> Iterable[tuple[str, tuple[str, ...]]]:
        """What derived words begin with, and the suffixes that may follow: few where much was cut off."""
        for pattern, cut, rest in self.stems:
            stem = key[: len(key) - cut]
            if pattern.search(key) and len(stem) >= _SHORTEST_STEM:
                for end in rest:
                    if cut < 2:
                        yield stem + end, self.derivations
                    elif len(stem + end) > _SHORTEST_STEM:  # Сирия gives сири-, not сир-; Турция gives турец-
                        yield stem + end, self.ethnic

    def _is_lemma(self, word: str) -> bool:
        """Whether the dictionary knows a word as a lemma that is no surname or given name."""
        dictionary = self.dictionary
        return dictionary is not None and any(
            p.is_known and normalise(p.normal_form) == word and not _NAMES & p.tag.grammemes
            for p in dictionary.parse(word)
        )

    def note(self, key: str) -> str | None:
        if self.dictionary is None and not self.own.isdisjoint(key):
            return f"the {self.name} dictionary is not installed, so endings are guessed; {self.package}"
        return None


def _distinct(parses: Iterable[Parse]) -> list[Parse]:
    """One parse a lexeme: parses of one word differ by case and number, lexemes by lemma and paradigm."""
    seen: dict[tuple[object, ...], Parse] = {}
    for parse in parses:
        paradigm = parse.methods_stack[0][2]
        seen.setdefault((parse.normal_form, paradigm, "Supr" in parse.tag), parse)
    return list(seen.values())
