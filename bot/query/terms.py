"""Reads the words of a query: bare, in quotes, behind a sign, or open at one end.

What is refused here is refused in each operator alike: signs that other search engines know, words without
a letter, stars where none may stand.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from bot.query import nodes
from bot.query.nodes import Form, Node
from bot.query.scanner import Scanner
from bot.text.normalise import normalise
from bot.text.tokens import tokenise

_HYPHENS = "-\u2010\u2011"
_DIGIT = re.compile(r"\d")

#: Words before a colon that will mean something one day.
LATER = ("from", "fwd", "has", "lang")
_COLON = re.compile(r"([^\W\d_]+):(?=[^\W\d_])")
_SIGNS = {
    "&": 'write AND or just a space; in quotes, as in "AT&T", it is punctuation',
    "!": "for NOT write a hyphen, as in -погода; in quotes it is punctuation",
    "+": "a space alone means both; in quotes it is punctuation",
}


def marked(scan: Scanner, sign: str, form: Form) -> Node:
    """What stands behind ``=``, ``~`` or ``case:``: a word, or a phrase where that makes sense."""
    column = scan.position
    scan.position += len(sign)
    for other in ("=", "~", "case:"):
        if scan.starts(other):
            what = (
                f"{sign}{other} before a phrase" if scan.peek(len(other)) in ('"', "«", "„", "“") else f"{sign}{other}"
            )
            raise scan.error(f"{what}: {sign} and {other} do not go together", f"write {sign} or {other}", column)
    if scan.at_quote():
        if form is Form.FAMILY:
            raise scan.error("~ before a phrase", "write ~ before a single word", column)
        return quoted(scan, form, column)
    if scan.peek() and scan.peek() in "#@/-\u2212":
        raise scan.error(f"{sign} stands before a word or a phrase", f"leave {sign} out before {scan.peek()}", column)
    raw = checked(scan, scan.take_word())
    if not raw:
        raise scan.error(f"{sign} needs a word right behind it", f"write it as {sign}слово", column)
    if "*" in raw:
        raise scan.error(f"{sign} and * do not go together", "write one of them", column)
    return words(raw, form, scan, column)


def quoted(scan: Scanner, form: Form, column: int | None = None) -> Node:
    start = scan.position
    inside = scan.take_quoted()
    if "*" in inside:
        raise scan.error("* does not work inside quotes", "use words there, or a regular expression", start)
    tokens = tokenise(inside)
    if not tokens:
        raise scan.error("there is no word between the quotes", "write words there", start)
    return _joined(inside, tokens, form, start if column is None else column)


def words(raw: str, form: Form, scan: Scanner, column: int) -> Node:
    if "*" in raw:
        raise scan.error("* inside a word", "write it at the end (дрон*) or at the start (*база)", column)
    tokens = tokenise(raw)
    if not tokens:
        raise scan.error(
            f"«{raw}» holds no word", "write a word, or a regular expression such as /⚡/ for a sign", column
        )
    return _joined(raw, tokens, form, column)


def _joined(raw: str, tokens: list[str], form: Form, column: int) -> Node:
    """One word, or the phrase of a hyphenated word's parts; also closed up when it holds a digit (С-300, С300)."""
    terms = tuple(nodes.Term(token, form, column) for token in tokens)
    if len(terms) == 1:
        return terms[0]
    spellings: list[tuple[nodes.Term, ...]] = [()]
    for chunk in raw.split():
        parts = tokenise(chunk)
        open_ = tuple(nodes.Term(p, form, column) for p in parts)
        closable = len(parts) > 1 and _DIGIT.search(chunk) and any(h in chunk for h in _HYPHENS)
        ways = [open_, (nodes.Term("".join(parts), form, column),)] if closable else [open_]
        spellings = [(*before, *way) for before in spellings for way in ways][:16]
    phrases = tuple(nodes.Phrase(s, column) if len(s) > 1 else s[0] for s in spellings)
    return phrases[0] if len(phrases) == 1 else nodes.Or(phrases, column)


def starred(raw: str, form: Form, least: int, scan: Scanner, column: int) -> Node:
    """A word with * at one end; of a hyphenated word only the part at the star is open."""
    bare = raw.strip("*")
    if "*" in bare:
        raise scan.error("* inside a word", "write it at the end (дрон*) or at the start (*база)", column)
    tokens = tokenise(bare)
    at = -1 if form is Form.BEGINS else 0
    letters = sum(c.isalnum() for c in normalise(tokens[at])) if tokens else 0
    if letters < least or raw.count("*") > 1:
        side = "begins" if form is Form.BEGINS else "ends"
        raise scan.error(
            f"a word that {side} so needs {least} letters or more beside one *", "write more of the word", column
        )
    terms = [nodes.Term(token, Form.INFLECTED, column) for token in tokens]
    terms[at] = nodes.Term(tokens[at], form, column)
    return terms[0] if len(terms) == 1 else nodes.Phrase(tuple(terms), column)


def checked(scan: Scanner, raw: str) -> str:
    """The word itself, unless it holds a sign that other search engines know and this one does not."""
    start = scan.position - len(raw)
    for offset, character in enumerate(raw):
        if hint := _SIGNS.get(character):
            raise scan.error(f"{character} is not an operator", hint, start + offset)
    if match := _COLON.match(raw):
        name = match[1]
        if name in LATER:
            raise scan.error(f"{name}: comes later", "it is not there yet; leave it out", start)
        near = get_close_matches(name.lower(), ("case", "link"), n=1)
        hint = f"did you mean {near[0]}:?" if near else f'to find both words write "{raw}" in quotes'
        raise scan.error(f"unknown operator {name}:", hint, start)
    return raw
