"""What a word is equal to: one token in, its key out. Pure; meant to be paid once per distinct token.

Two tokens are the same word when their keys are equal. The key forgets letter case, ё against е, stress
marks, zero-width characters, soft hyphens, tatweel and vowel signs, compatibility forms (full width,
mathematical letters), variants of one Arabic letter, and letters borrowed from the other script to look
alike (Cирия with a Latin C). It keeps what a writer means: АтомID and ШтормZ stay mixed.
"""

from __future__ import annotations

import re
import unicodedata

#: Characters that may stand inside a word without being part of it, as the inside of a character class:
#: soft hyphen, joiners, direction marks, zero-width characters, tatweel, stress and vowel marks.
#: U+FE0F is not among them: it ends an emoji, and an emoji such as U+2139 counts as a letter.
INVISIBLE = (
    "\u00ad\u034f\u061c\u0640\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
    "\u0300-\u034e\u0350-\u036f\u0483-\u0489"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
)
#: Apostrophes as people type them; one of them joins a word only between two Cyrillic letters (м'ята).
APOSTROPHES = "'\u2019\u02bc\u02b9`\u2032"

_PLAIN = re.compile(r"[а-яёіїєґ]+|[a-z0-9]+").fullmatch
_DROPPED = re.compile(f"[{INVISIBLE}]")
_COMPLEX = re.compile(f"[^a-zA-Z0-9{APOSTROPHES}\u0400-\u045f\u0490\u0491]")
_LATIN = re.compile("[A-Za-z]")
_CYRILLIC = re.compile("[\u0400-\u052f]")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f]")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")

# One letter that is drawn as another. Capitals and small letters apart: «т» is no Latin t, «Т» is a T.
_LATIN_TWINS = "aceopxyiABCEHIKMOPTXY"
_CYRILLIC_TWINS = "асеорхуіАВСЕНІКМОРТХУ"
_TO_CYRILLIC = str.maketrans(_LATIN_TWINS, _CYRILLIC_TWINS)
_TO_LATIN = str.maketrans(_CYRILLIC_TWINS, _LATIN_TWINS)
_IS_LATIN_TWIN = frozenset(_LATIN_TWINS)
_IS_CYRILLIC_TWIN = frozenset(_CYRILLIC_TWINS)
# Letters of neither script that stand in for a Cyrillic one: U+0138, Latin ë, and Greek.
_STRAYS = str.maketrans(
    {"\u0138": "к", "ë": "е", "Ë": "Е", "\u03bf": "о", "\u03c1": "р", "\u1fe4": "р", "\u03ba": "к", "\u03c7": "х"}
    | dict(zip("ΑΒΕΗΙΚΜΟΡΤΥΧ", "АВЕНІКМОРТУХ", strict=True))
)
_SHARP_S = str.maketrans({"ß": "ss", "ẞ": "SS"})
_ONE_LETTER = str.maketrans(
    dict.fromkeys(APOSTROPHES, "'")
    | {"ё": "е", "Ё": "Е", "ѐ": "е", "ѝ": "и", "Ѐ": "Е", "Ѝ": "И"}
    | {rounded: rounded.casefold() for rounded in map(chr, range(0x1C80, 0x1C89))}
)
# Letters of the Arabic script that writers and keyboards exchange freely.
_ARABIC_LETTERS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ئ": "ي"}
    | {"ؤ": "و", "ة": "ه", "ۀ": "ه", "ہ": "ه", "ھ": "ه", "ک": "ك"}
)


def normalise(token: str) -> str:
    """The key of one token. Total: any string has one; idempotent on its own result."""
    low = token.lower()
    if _PLAIN(low):
        return low.replace("ё", "е")
    return _DROPPED.sub("", surface(token).casefold())


def surface(token: str) -> str:
    """The key with the letter case as it was typed, for ``case:``."""
    if token.isascii():
        return token.strip("'`")
    word = token
    if _COMPLEX.search(word):
        word = _DROPPED.sub("", unicodedata.normalize("NFC", unicodedata.normalize("NFKC", word)))
        word = _decimal(word).translate(_SHARP_S)
        if _ARABIC.search(word):
            word = word.translate(_ARABIC_LETTERS)
    word = word.translate(_ONE_LETTER)
    if _CYRILLIC.search(word):
        word = _one_script(word)
    return word.strip("'")


def twin(word: str) -> str | None:
    """The same signs in the other script, when every letter has its look-alike there (САА, С-300)."""
    letters = {c for c in word if c.isalpha()}
    if not letters:
        return None
    if letters <= _IS_CYRILLIC_TWIN:
        return word.translate(_TO_LATIN)
    if letters <= _IS_LATIN_TWIN:
        return word.translate(_TO_CYRILLIC)
    return None


def _one_script(word: str) -> str:
    """Gives look-alikes back to the script of the letters that have none; leaves a real mix alone."""
    word = word.translate(_STRAYS)
    if _ACCENTED.search(word):  # бóльшем with a Latin ó
        word = "".join(unicodedata.normalize("NFD", c)[0] if _ACCENTED.match(c) else c for c in word)
    if not _LATIN.search(word):
        return word
    latin, cyrillic = _LATIN.findall(word), _CYRILLIC.findall(word)
    telling_latin = any(c not in _IS_LATIN_TWIN for c in latin)
    telling_cyrillic = any(c not in _IS_CYRILLIC_TWIN for c in cyrillic)
    if telling_latin and telling_cyrillic:
        return word
    if telling_latin or (not telling_cyrillic and not word.isupper() and len(latin) > len(cyrillic)):  # сopy
        return word.translate(_TO_LATIN)
    return word.translate(_TO_CYRILLIC)


def _decimal(word: str) -> str:
    """Digits of any script as 0 to 9."""
    if word.isascii() or not any(c.isdecimal() for c in word):
        return word
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in word)
