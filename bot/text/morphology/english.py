"""English, and any other Latin script: plural and possessive, no verb forms (bases, not based)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.text.morphology.language import How, Language, Reading

_LETTERS = re.compile("[a-z]+").fullmatch
_IRREGULAR = {
    "child": "children",
    "foot": "feet",
    "half": "halves",
    "knife": "knives",
    "leaf": "leaves",
    "life": "lives",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "thief": "thieves",
    "tooth": "teeth",
    "wife": "wives",
    "wolf": "wolves",
    "woman": "women",
}
_PLURALS = {plural: noun for noun, plural in _IRREGULAR.items()}
#: Ends with -s and is a plural, but for words whose singular means something else.
_PLURAL = re.compile("...[^aiosuw]s$")
_NO_PLURALS = frozenset("always arms customs goods headquarters means series species towards".split())
_PERSON = re.compile("(?:wo)?man$")


class English(Language):
    name = "English"

    def claims(self, key: str) -> bool:
        return bool(_LETTERS(key))

    def known(self, word: str, key: str) -> Iterable[Reading]:
        """A plural as it is typed (small letters: Hamas is none) stands for its singular as well."""
        noun = _singular(key) if word.islower() else key
        plural = _plural(noun) if len(noun) > 2 else noun
        forms = {key, noun, plural, noun + "'s", plural + "'s"} if len(noun) > 2 else {key}
        yield Reading(self.name, noun, How.RULES, frozenset(forms))


def _singular(word: str) -> str:
    """The noun of which a word is the plural, or the word itself where that is not sure."""
    if word in _PLURALS:
        return _PLURALS[word]
    if word in _NO_PLURALS or not _PLURAL.search(word):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("ches", "shes", "sses", "xes")) else word[:-1]


def _plural(noun: str) -> str:
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if _PERSON.search(noun) and len(noun) > 5:  # airman, servicewoman; not human
        return noun[:-2] + "en"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"
