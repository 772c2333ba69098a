"""The plug point of the query language: every operator is a class and one line in a table below.

`TERMS` are tried in order where a term may begin; `JOINTS` stand between terms. Help, the table in
docs/query-language.md and the tests of both are made from ``sign``, ``means`` and ``example``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Protocol

from bot.query import nodes, regex, terms
from bot.query.nodes import Form, Node
from bot.query.scanner import Scanner
from bot.text import signs

_DASHES = "\u2012\u2013\u2014\u2015"


class Grammar(Protocol):
    """What an operator may ask of the parser."""

    def expression(self, binding: int = 0) -> Node: ...
    def term(self) -> Node: ...


class Operator(ABC):
    """``example`` is a query, a text that it finds and one that it passes over."""

    sign: str
    means: str
    example: tuple[str, str, str]

    @abstractmethod
    def stands_here(self, scan: Scanner) -> bool:
        """Whether this operator begins at the scanner's position."""


class Opening(Operator):
    """An operator that begins a term."""

    @abstractmethod
    def read(self, scan: Scanner, grammar: Grammar) -> Node: ...


class Joint(Operator):
    """An operator between two terms; a higher ``binding`` holds tighter."""

    binding: int

    def stands_here(self, scan: Scanner) -> bool:
        return scan.word() == self.sign

    def take(self, scan: Scanner) -> int:
        """Reads the sign; the number in it, if it has one."""
        scan.take_word()
        return 0

    @abstractmethod
    def join(self, left: Node, right: Node, number: int) -> Node:
        """Both sides as one node."""


# --- between terms ---------------------------------------------------------------------------------------


class Both(Joint):
    sign = "AND"
    means = "both, anywhere in the post; a space alone means the same"
    example = ("Сирия AND Асад", "Асад покинул Сирию", "Асад прибыл в Москву")
    binding = 2

    def join(self, left: Node, right: Node, number: int) -> Node:
        parts = left.parts if isinstance(left, nodes.And) else (left,)
        return nodes.And((*parts, right), left.column)


class Juxtaposed(Both):
    """Two terms with nothing but space between them. Not in a table: it is what no sign means."""

    def stands_here(self, scan: Scanner) -> bool:
        return True

    def take(self, scan: Scanner) -> int:
        return 0


class Either(Joint):
    sign = "OR"
    means = "either of them; | means the same"
    example = ("Сирия | Ирак", "Новости Ирака", "Новости Ирана")
    binding = 1

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() == "|" or super().stands_here(scan)

    def take(self, scan: Scanner) -> int:
        if scan.peek() != "|":
            return super().take(scan)
        scan.position += 1
        return 0

    def join(self, left: Node, right: Node, number: int) -> Node:
        parts = left.parts if isinstance(left, nodes.Or) else (left,)
        return nodes.Or((*parts, right), left.column)


class Close(Joint):
    sign = "NEAR/5"
    means = "at most so many words between, in either order; words, phrases, or OR-groups of them"
    example = ("база NEAR/5 Сирия", "базы России в Сирии", "база нужна, но пока не в этой далёкой стране Сирии")
    binding = 3
    _written = re.compile(r"NEAR(?:/(.*))?").fullmatch
    _most = 100

    def stands_here(self, scan: Scanner) -> bool:
        return self._written(scan.word()) is not None

    def take(self, scan: Scanner) -> int:
        match = self._written(scan.word())
        number = match[1] if match else None
        if number is None or not re.fullmatch("[0-9]{1,4}", number) or int(number) > self._most:
            raise scan.error(f"NEAR needs a number of words, at most {self._most}", "write it as NEAR/5", None)
        scan.take_word()
        return int(number)

    def join(self, left: Node, right: Node, number: int) -> Node:
        return nodes.Near(number, left, right, left.column)


# --- before a term ---------------------------------------------------------------------------------------


class Without(Opening):
    sign = "-погода"
    means = "not in the post; NOT means the same; not alone"
    example = ("Сирия -погода", "Сирия сегодня", "Погода: Сирия")
    _signs = ("-", "\u2212")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() in self._signs or scan.word() == "NOT" or scan.peek() in tuple(_DASHES)

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        if scan.peek() in _DASHES:
            raise scan.error("a dash is not an operator", "for NOT write a hyphen at the word, as in -погода", column)
        if scan.peek() in self._signs:
            scan.position += 1
            if scan.at_end() or scan.peek().isspace() or scan.peek() in ")|":
                raise scan.error("- stands alone", "for NOT write it at the word, as in -погода", column)
        else:
            scan.take_word()
            scan.skip_space()
            if scan.at_end() or scan.peek() in ")|":
                raise scan.error("NOT needs a word behind it", 'to find the word itself write "NOT" in quotes', column)
        if self.stands_here(scan):
            raise scan.error("NOT of a NOT", "write the word without either", column)
        return nodes.Not(grammar.term(), column)


class Group(Opening):
    sign = "( … )"
    means = "a group"
    example = ("(Сирия | Ирак) база", "база в Ираке", "армия Ирака")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() in ("(", ")")

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        if scan.peek() == ")":
            raise scan.error("a closing bracket where a word should stand", "write the word before it", column)
        scan.position += 1
        scan.skip_space()
        if scan.peek() == ")":
            raise scan.error("there is nothing in the brackets", "write a word in them, or remove them", column)
        if scan.at_end():
            raise scan.error("this bracket is never closed", "close it with )", column)
        node = grammar.expression()
        if scan.peek() != ")":
            raise scan.error("this bracket is never closed", "close it with )", column)
        scan.position += 1
        return node


class Quoted(Opening):
    sign = '"военная база"'
    means = "these words in this order, each inflected, next to each other; «…», „…“ and “…” are quotes too"
    example = ('"военная база"', "на военной базе", "база военная")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.at_quote() or scan.at_stray_quote()

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        if scan.at_stray_quote():
            raise scan.error("a closing quote without an opening one", "remove it, or open it before", None)
        return terms.quoted(scan, Form.INFLECTED)


class Exactly(Opening):
    sign = "=база"
    means = "exactly this form; also of a phrase"
    example = ("=база", "База открыта", "на базе")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() == "="

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        return terms.marked(scan, self.sign[0], Form.EXACT)


class Family(Opening):
    sign = "~Сирия"
    means = "the word family: also the derived words that the dictionary knows"
    example = ("~Сирия", "сирийские войска", "Ассирия")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() == "~"

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        return terms.marked(scan, self.sign[0], Form.FAMILY)


class Cased(Opening):
    sign = "case:МИД"
    means = "letter case as typed; inflected"
    example = ("case:МИД", "в МИДе", "мидии")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.starts("case:")

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        return terms.marked(scan, "case:", Form.CASED)


class Pattern(Opening):
    sign = "/С-?[34]00/i"
    means = r"RE2 regular expression over the text, flags i and s; \w \d \s \b know every script"
    example = ("/С-?[34]00/i", "комплекс с400", "С-500")
    _body = re.compile(r"/((?:[^/\\]|\\.)*)/", re.DOTALL)

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() == "/"

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        match = self._body.match(scan.text, column)
        if match is None:
            raise scan.error("this regular expression is never closed", r"close it with /, and write \/ inside", column)
        scan.position = match.end()
        flags = scan.take_word()
        if not match[1]:
            raise scan.error("the regular expression is empty", "write it between the slashes", column)
        if wrong := set(flags) - set("is"):
            raise scan.error(
                f"unknown flag {min(wrong)!r} of a regular expression", "the flags are i and s", match.end()
            )
        try:
            regex.compile_pattern(match[1], flags)
        except regex.Refused as refused:
            raise scan.error(refused.what, refused.hint, column + 1 + refused.offset) from None
        return nodes.Pattern(match[1], "".join(sorted(set(flags))), column)


class Hashtag(Opening):
    sign = "#сирия"
    means = "the hashtag as a whole, not inflected; #сирия* is a prefix"
    example = ("#сирия", "#Сирия", "#сирия_сегодня")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() in ("#", "\uff03")

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        raw = terms.checked(scan, scan.take_word())[1:]
        prefix = raw.endswith("*")
        name = raw.removesuffix("*")
        key = signs.hashtag_key(name)
        if not key or "*" in name or "#" in name:
            raise scan.error(
                "a hashtag is letters, digits and underscores", "write it as #сирия, or #сирия* for a prefix", column
            )
        return nodes.Hashtag(key, prefix, column)


class Mention(Opening):
    sign = "@rybar"
    means = "a mention, hidden mention or t.me link to this name"
    example = ("@rybar", "по данным @Rybar", "рыбарь rybar")
    _name = re.compile("[A-Za-z][A-Za-z0-9_]{1,31}").fullmatch

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() == "@"

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        name = scan.take_word()[1:]
        if not self._name(name):
            raise scan.error(
                "this is not a Telegram name", "a name is Latin letters, digits and _, as in @rybar", column
            )
        return nodes.Mention(name.lower(), column)


class Link(Opening):
    sign = "link:example.org"
    means = "a link, also a hidden one, to this host or its subdomains"
    example = ("link:example.org", "https://www.example.org/news", "https://example.com/")

    def stands_here(self, scan: Scanner) -> bool:
        return scan.starts("link:")

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        host = signs.host_key(scan.take_word().removeprefix("link:"))
        if host is None:
            raise scan.error("link: needs a host and nothing else", "write it as link:example.org", column)
        return nodes.Link(host, column)


class Ending(Opening):
    sign = "*база"
    means = "ends with any form of the word (4 letters or more): авиабазы, and базы itself"
    example = ("*база", "удар по авиабазам", "базар")
    least = 4

    def stands_here(self, scan: Scanner) -> bool:
        return scan.peek() == "*"

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        raw = terms.checked(scan, scan.take_word())
        if raw.endswith("*") and len(raw) > 1:
            raise scan.error("* on both sides of a word", "write it on one side, or use a regular expression", column)
        return terms.starred(raw, Form.ENDS, self.least, scan, column)


class Beginning(Opening):
    sign = "дрон*"
    means = "begins with (3 letters or more)"
    example = ("дрон*", "дроноводы", "аэродром")
    least = 3

    def stands_here(self, scan: Scanner) -> bool:
        return scan.word().endswith("*")

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        return terms.starred(terms.checked(scan, scan.take_word()), Form.BEGINS, self.least, scan, column)


class Plain(Opening):
    sign = "Сирия"
    means = "all its inflected forms, in any letter case; a hyphen separates words"
    example = ("Сирия", "⚡️СИРИЮ и #Сирия_сегодня", "Ассирия и Сириус")

    def stands_here(self, scan: Scanner) -> bool:
        return True

    def read(self, scan: Scanner, grammar: Grammar) -> Node:
        column = scan.position
        return terms.words(terms.checked(scan, scan.take_word()), Form.INFLECTED, scan, column)


#: Tried in this order where a term may begin; the last one takes what is left.
TERMS: tuple[Opening, ...] = (
    Without(),
    Group(),
    Quoted(),
    Exactly(),
    Family(),
    Cased(),
    Link(),
    Pattern(),
    Hashtag(),
    Mention(),
    Ending(),
    Beginning(),
    Plain(),
)
JOINTS: tuple[Joint, ...] = (Both(), Either(), Close())
JUXTAPOSITION = Juxtaposed()


def table() -> list[Operator]:
    """Every operator once, for help and documentation."""
    plain = [o for o in TERMS if isinstance(o, Plain)]
    return [*plain, *JOINTS, *(o for o in TERMS if not isinstance(o, Plain))]
