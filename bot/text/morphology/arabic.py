"""Arabic: the article and the particles written in one word with it, and pronouns written behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.text.morphology.language import How, Language, Reading
from bot.text.normalise import normalise

LETTERS = re.compile("[\u0621-\u064a\u067e\u0686\u0698\u06a9\u06af\u06cc]+").fullmatch
_PERSIAN_ONLY = frozenset("پچژگ")
#: and, so; in, by, to, for, like; the. As they are written before a noun, alone and together.
_PARTICLES = ("", *"و ف ب ل ك ال وال فال بال كال لل ولل وبال وكال فلل فبال وب ول وك فب فل".split())
#: his, her, their, our, your, my … behind a noun.
_PRONOUNS = ("", *map(normalise, "ه ها هم هما هن نا كم ك ي".split()))


class Arabic(Language):
    name = "Arabic"

    def claims(self, key: str) -> bool:
        return bool(LETTERS(key)) and _PERSIAN_ONLY.isdisjoint(key)

    def known(self, word: str, key: str) -> Iterable[Reading]:
        bare = key[2:] if key.startswith("ال") and len(key) > 4 else key
        # Before an alef ف and ك would make other words (الأسد, the lion; فاسد, corrupt): not taken there.
        collides = {"ف", "ك"} if bare.startswith("ا") else set()
        forms = {particle + bare for particle in _PARTICLES if particle not in collides}
        if len(bare) > 2:
            behind = [bare] + ([bare[:-1] + "ت"] if bare.endswith("ه") else [])  # قاعدة, قاعدتهم
            forms |= {
                particle + stem + pronoun
                for particle in ("", "و", "ف", "ب", "ل", "ك", "وب", "ول")
                if particle not in collides
                for stem in behind
                for pronoun in _PRONOUNS
            }
        yield Reading(self.name, key, How.RULES, frozenset(map(normalise, forms)) | {key})
