"""The languages in force, and the one question that the rest asks: what forms does this word have?"""

from __future__ import annotations

from collections.abc import Sequence

from bot.text.morphology.arabic import Arabic
from bot.text.morphology.english import English
from bot.text.morphology.language import How, Inflection, Language, Reading
from bot.text.morphology.persian import Persian
from bot.text.morphology.russian import Russian
from bot.text.morphology.slavic import Slavic
from bot.text.morphology.ukrainian import Ukrainian
from bot.text.normalise import normalise, twin

#: One line a language. Several may claim a word; each that knows it adds its forms.
LANGUAGES: tuple[type[Language], ...] = (Russian, Ukrainian, English, Arabic, Persian)

_ACRONYM_LENGTH = 6


class Morphology:
    """The languages of one process. Dictionaries are loaded with the first word that needs them."""

    def __init__(self, languages: Sequence[Language] | None = None) -> None:
        self._languages = tuple(language() for language in LANGUAGES) if languages is None else tuple(languages)

    def dictionaries(self) -> list[Slavic]:
        """The languages that have a dictionary, and have it installed."""
        return [one for one in self._languages if isinstance(one, Slavic) and one.dictionary is not None]

    def inflect(self, word: str) -> Inflection:
        """All forms of one typed word (one token), in every language that claims it."""
        key = normalise(word)
        claiming = [language for language in self._languages if language.claims(key)]
        readings = _understand(word, key, claiming, predict=not _is_acronym(word))
        if not readings:
            readings = [Reading("", word, How.ACRONYM if _is_acronym(word) else How.LITERAL, frozenset({key}))]
        notes = tuple(note for language in claiming if (note := language.note(key)))
        return Inflection(word, tuple(readings) + look_alikes(word), notes)

    def family(self, word: str) -> Inflection:
        """The forms of the word and of the words derived from it, or it from them."""
        key = normalise(word)
        own = self.inflect(word)
        lemmas = {r.lemma for r in own.readings if r.how in (How.DICTIONARY, How.TYPED_FORM)} or {key}
        derived = [
            reading
            for language in self._languages
            for lemma in sorted(map(normalise, lemmas))
            if language.claims(lemma)
            for reading in language.family(lemma)
        ]
        readings = tuple(dict.fromkeys((*own.readings, *derived)))
        notes = own.notes or (
            () if len(readings) > len(own.readings) else (f"no words derived from «{word}» are known",)
        )
        return Inflection(word, readings, notes)


def _understand(word: str, key: str, claiming: Sequence[Language], *, predict: bool) -> list[Reading]:
    """Readings in every language that claims the word.

    Where it is a lemma in one language, being some form of another word in the next one does not count
    (Russian представлять is a form of Ukrainian представити). A language that does not know a word predicts
    it, too, where none knows it, and for a name (typed with a capital) that only another dictionary has.
    """
    known = {language: list(language.known(word, key)) for language in claiming}
    lemma = any(r.how is not How.TYPED_FORM for readings in known.values() for r in readings)
    name = word[:1].isupper()
    understood: list[Reading] = []
    for language, readings in known.items():
        if predict and not readings and (name or language.main or not lemma):
            understood.extend(language.predicted(word, key))
        understood.extend(r for r in readings if not (lemma and r.how is How.TYPED_FORM))
    return understood


def look_alikes(word: str) -> tuple[Reading, ...]:
    """The twin in the other script of an acronym or a designation: САА typed as CAA, С300 as C300."""
    if not (word.isupper() or any(c.isdigit() for c in word)):
        return ()
    other = twin(word.upper())
    return (Reading("", other, How.LITERAL, frozenset({normalise(other)})),) if other else ()


def _is_acronym(word: str) -> bool:
    return len(word) <= _ACRONYM_LENGTH and word.isupper() and word.isalpha()
