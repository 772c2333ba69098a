"""Persian: plural, indefinite and ezafe, possessive endings. The joiner before an ending is ignored with all others."""

from __future__ import annotations

from collections.abc import Iterable

from bot.text.morphology.arabic import LETTERS
from bot.text.morphology.language import How, Language, Reading
from bot.text.normalise import normalise

_ARABIC_ONLY = frozenset("ةإأؤ")
_ENDINGS = ("", *map(normalise, "ی ها های هایی هایش هایم هایت هایشان هایمان هایتان ای ام ات اش مان تان شان ش".split()))


class Persian(Language):
    name = "Persian"

    def claims(self, key: str) -> bool:
        return bool(LETTERS(key))

    def known(self, word: str, key: str) -> Iterable[Reading]:
        if _ARABIC_ONLY.isdisjoint(word) and not key.startswith("ال"):
            yield Reading(self.name, key, How.RULES, frozenset(key + ending for ending in _ENDINGS))
