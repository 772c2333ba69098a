"""What a query looks for in a text, one thing each. Leaves are compared by identity: the lexicon makes one of each.

``cost`` guesses how often a leaf is seen, so that of two leaves that must both be there the rarer one is
waited for: the longer a word, the rarer.
"""

from __future__ import annotations

from bot.query.regex import Compiled
from bot.text.normalise import normalise, surface, twin


class Leaf:
    """Root of the kinds below. ``solo`` is a tuple of itself alone."""

    __slots__ = ("cased", "label", "solo")

    def __init__(self, label: str, *, cased: bool = False) -> None:
        self.label = label
        self.cased = cased
        self.solo = (self,)

    def accepts(self, token: str) -> bool:
        """Whether a token that has the right key has the right letter case too."""
        return not self.cased or same_case(self.label, token)

    @property
    def cost(self) -> float:
        return 1.0 / (1 + len(self.label))


Leaves = tuple[Leaf, ...]


class Forms(Leaf):
    """Tokens with one of these keys; when ``cased``, only those in the letter case of the label."""

    __slots__ = ("forms",)

    def __init__(self, label: str, forms: frozenset[str], *, cased: bool = False) -> None:
        super().__init__(label, cased=cased)
        self.forms = tuple(sorted(forms))


class Beginning(Leaf):
    """Tokens whose key begins so."""

    __slots__ = ("prefix",)

    def __init__(self, label: str, prefix: str) -> None:
        super().__init__(label)
        self.prefix = prefix


class Ending(Leaf):
    """Tokens whose key ends with one of these forms."""

    __slots__ = ("forms",)

    def __init__(self, label: str, forms: frozenset[str]) -> None:
        super().__init__(label)
        self.forms = tuple(sorted(forms))


class Tag(Leaf):
    """A hashtag with this key, or that begins with it."""

    __slots__ = ("name", "prefix")

    def __init__(self, label: str, name: str, *, prefix: bool) -> None:
        super().__init__(label)
        self.name, self.prefix = name, prefix


class Name(Leaf):
    """A Telegram name, lower case."""

    __slots__ = ("name",)

    def __init__(self, label: str, name: str) -> None:
        super().__init__(label)
        self.name = name


class Host(Leaf):
    """A link to this host or one below it."""

    __slots__ = ("host",)

    def __init__(self, label: str, host: str) -> None:
        super().__init__(label)
        self.host = host


class Regex(Leaf):
    """A regular expression."""

    __slots__ = ("compiled",)

    def __init__(self, label: str, compiled: Compiled) -> None:
        super().__init__(label)
        self.compiled = compiled


def same_case(typed: str, token: str) -> bool:
    """Whether a token is written in the letter case in which the keyword was typed.

    The letters that both share are compared one by one. What the ending adds is in small letters, unless
    the keyword is all capitals: МИД finds МИДа and МИДА, Мир finds Мира but not МИРА.
    """
    wanted, found = surface(typed), surface(token)
    shared = 0
    while shared < min(len(wanted), len(found)) and _same_letter(wanted[shared], found[shared]):
        shared += 1
    if any(wanted[i].isupper() != found[i].isupper() for i in range(shared)):
        return False
    if shared == 0:
        return False
    rest = found[shared:]
    all_capitals = wanted.isupper() and len(wanted) > 1
    return all_capitals or not any(c.isupper() for c in rest)


def _same_letter(one: str, other: str) -> bool:
    return normalise(one) == normalise(other) or normalise(twin(one) or one) == normalise(other)
