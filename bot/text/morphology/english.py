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
_PERSON = re.compile("(?:wo)?man$")


class English(Language):
    name = "English"

    def claims(self, key: str) -> bool:
        return bool(_LETTERS(key))

    def known(self, word: str, key: str) -> Iterable[Reading]:
        forms = {key}
        if len(key) > 2:
            forms |= {_plural(key), key + "'s", key + "s'"}
            forms.add(_plural(key) + "'")
        yield Reading(self.name, key, How.RULES, frozenset(f.removesuffix("'") for f in forms))


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
