"""Reads a query: recursive descent over the table of operators. All errors are `QueryError`, with a column and a hint.

The grammar, loosest first; what an operator looks like and does stands in `operators`:

    query  = side { OR side }
    side   = near { [AND] near }
    near   = term [ NEAR/n term ]
    term   = whatever an operator of `TERMS` recognises
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from bot.errors import QueryError
from bot.query import operators
from bot.query.nodes import And, Near, Node, Not, Or, Phrase, Query, Term
from bot.query.scanner import Scanner

#: A query longer than a post, or nested deeper than this, was not written by a person.
MAX_LENGTH = 4096
MAX_DEPTH = 40


@lru_cache(maxsize=1 << 16)
def parse(text: str) -> Query:
    """The query that this text says.

    Raises `QueryError`. Cached: a configuration that is read again costs only what changed in it.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"a query has at most {MAX_LENGTH} characters, this one {len(text)}",
            hint="split it into several keywords",
            query=text[:60] + "…",
            column=0,
        )
    return Query(text, _Parser(Scanner(text)).query())


class _Parser:
    def __init__(self, scanner: Scanner) -> None:
        self.scan = scanner
        self.depth = 0

    def query(self) -> Node:
        self.scan.skip_space()
        if self.scan.at_end():
            raise self.scan.error("the query is empty", "write a word to be found", 0)
        node = self.expression()
        if not self.scan.at_end():
            raise self.scan.error("a closing bracket without an opening one", "remove it, or open it before", None)
        _refuse_mere_not(node, self.scan)
        return node

    def expression(self, binding: int = 0) -> Node:
        """Terms joined by operators that bind at least as tightly as ``binding``."""
        left = self.term()
        before: operators.Joint | None = None
        while (joint := self.joint()) is not None and joint.binding >= binding:
            column = self.scan.position
            number = joint.take(self.scan)
            right = self.expression(joint.binding + 1)
            if isinstance(joint, operators.Close):
                self.check_near(left, right, column, chain=before is joint)
            left = joint.join(left, right, number)
            before = joint
        return left

    def check_near(self, left: Node, right: Node, column: int, *, chain: bool) -> None:
        if chain:
            raise self.scan.error(
                "a chain of NEAR does not say what is near to what", "put one pair in brackets", column
            )
        for side in (left, right):
            if _nears_within(side) > 1:
                raise self.scan.error("NEAR within NEAR within NEAR", "join some of these words with AND", side.column)
            if not _beside_near(side):
                raise self.scan.error(
                    "NEAR stands between words, phrases, or OR-groups of them",
                    "join anything else with AND",
                    side.column,
                )

    def joint(self) -> operators.Joint | None:
        """The operator between the term before and what follows; juxtaposition is AND."""
        self.scan.skip_space()
        if self.scan.at_end() or self.scan.peek() == ")":
            return None
        return next((j for j in operators.JOINTS if j.stands_here(self.scan)), operators.JUXTAPOSITION)

    def term(self) -> Node:
        self.scan.skip_space()
        if self.scan.at_end():
            raise self.scan.error("the query ends where a word should stand", "write the word to be found", None)
        for joint in operators.JOINTS:
            if joint.stands_here(self.scan):
                sign = self.scan.word() or self.scan.peek()
                hint = "write them" if sign == "|" else f'write them; to find the word itself write "{sign}" in quotes'
                raise self.scan.error(f"{sign} needs a word on both sides", hint, None)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.scan.error(f"brackets nested deeper than {MAX_DEPTH}", "split it into several keywords", None)
        node = next(o for o in operators.TERMS if o.stands_here(self.scan)).read(self.scan, self)
        self.depth -= 1
        return node


def _refuse_mere_not(root: Node, scan: Scanner) -> None:
    """A query, or a side of an OR, of nothing but NOT would match nearly every post."""
    for node in (*_sides_of_or(root), root):
        if not _says_something(node):
            raise scan.error(
                "nothing but NOT: this would match nearly every post", "add a word that must be there", node.column
            )


def _sides_of_or(node: Node) -> Iterator[Node]:
    """All of them, the innermost first."""
    match node:
        case Or(parts):
            for part in parts:
                yield from _sides_of_or(part)
            yield from parts
        case And(parts):
            for part in parts:
                yield from _sides_of_or(part)
        case Not(part):
            yield from _sides_of_or(part)
        case _:
            pass


def _says_something(node: Node) -> bool:
    match node:
        case Not():
            return False
        case And(parts):
            return any(map(_says_something, parts))
        case Or(parts):
            return all(map(_says_something, parts))
        case _:
            return True


def _nears_within(node: Node) -> int:
    """How deep NEARs are nested in a node: each level multiplies the places to compare."""
    match node:
        case Near(_, left, right):
            return 1 + max(_nears_within(left), _nears_within(right))
        case Or(parts):
            return max(map(_nears_within, parts))
        case _:
            return 0


def _beside_near(node: Node) -> bool:
    """Whether a node may stand beside NEAR: words, phrases, OR-groups of them, and bracketed NEARs."""
    match node:
        case Term() | Phrase() | Near():
            return True
        case Or(parts):
            return all(map(_beside_near, parts))
        case _:
            return False
