"""What the program can say, read from its source: the words that are handed to a call, with … for whatever varies.

Followed are literals, f-strings, sums, both sides of a choice, names as they were assigned before, constants (imported
ones too), values of a dictionary, and functions of the same file. Of whatever else an f-string holds nothing is known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
#: What stands for whatever varies.
HOLE = "…"
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


class Said(NamedTuple):
    """A call, where it is (``bot/notify.py:126``), and one of the things that it may say."""

    call: ast.Call
    place: str
    words: str


@dataclass(frozen=True)
class Source:
    """One file; ``others`` are all of them, by their dotted names."""

    path: Path
    tree: ast.Module
    others: dict[str, Source] = field(repr=False)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def functions(self) -> dict[str, _FUNCTION]:
        return {node.name: node for node in self.tree.body if isinstance(node, _FUNCTION)}

    @cached_property
    def imported(self) -> dict[str, tuple[Source, str | None]]:
        """By its name here: a file, or a name in one."""
        found: dict[str, tuple[Source, str | None]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for one in node.names:
                    if (file := self.others.get(f"{node.module}.{one.name}")) is not None:
                        found[one.asname or one.name] = file, None
                    elif (file := self.others.get(node.module)) is not None:
                        found[one.asname or one.name] = file, one.name
        return found

    def calls(self, name: str) -> Iterator[ast.Call]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and _called(node.func) == name:
                yield node

    def place(self, node: ast.expr) -> str:
        return f"{self.path.relative_to(ROOT)}:{node.lineno}"


def read(folder: Path) -> dict[str, Source]:
    """All files of a package, by their dotted names."""
    found: dict[str, Source] = {}
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        found[name] = Source(path, ast.parse(path.read_text("utf-8")), found)
    return found


def said(sources: Iterable[Source], name: str, argument: int = 0) -> Iterator[Said]:
    """All that the calls of this name are handed as this argument, or as ``what``; of what cannot be seen at all, …"""
    for source in sources:
        for call in source.calls(name):
            handed = [*call.args[argument : argument + 1], *(one.value for one in call.keywords if one.arg == "what")]
            for words in sorted(set().union(*(_words(one, source) for one in handed))):
                yield Said(call, source.place(call), words)


def _called(node: ast.expr) -> str | None:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return None


def _words(node: ast.expr, source: Source, *, within: bool = False) -> set[str]:
    """What an expression may say; ``within``: a part of a sentence, for which no other file is looked into.

    Nothing where it may say nothing at all, as None does.
    """
    match node:
        case ast.Constant(value):
            return set() if value is None else {str(value)}
        case ast.JoinedStr(values=parts):
            return _in_a_row([_words(part, source, within=True) for part in parts])
        case ast.FormattedValue(value=part):
            return _words(part, source, within=True)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _in_a_row([_words(one, source, within=True) for one in (left, right)])
        case ast.IfExp(body=one, orelse=other):
            return _words(one, source, within=within) | _words(other, source, within=within)
        case ast.BoolOp(op=ast.Or(), values=several):
            return set().union(*(_words(one, source, within=within) for one in several))
        case ast.NamedExpr(value=one):
            return _words(one, source, within=within)
        case ast.List(elts=several):
            return set().union(*(_words(one, source, within=within) for one in several))
        case ast.Call(func=ast.Attribute(value=of, attr="get"), args=[_, *default]) if them := _table(of, source):
            return them | set().union(*(_words(one, source, within=within) for one in default))
        case ast.Call(func=function):
            return _returned(function, source, within=within)
        case ast.Name():
            return set().union(
                *({HOLE} if one is None else _words(one, where, within=within) for one, where in _meant(node, source))
            )
        case _:
            return {HOLE}


def _in_a_row(parts: list[set[str]]) -> set[str]:
    return {"".join(row) for row in product(*(part or {HOLE} for part in parts))}


def _returned(function: ast.expr, source: Source, *, within: bool) -> set[str]:
    """What a function may return: one of this file, or of any where it makes the whole sentence."""
    file, name = source, None
    match function:
        case ast.Name(id):
            file, name = (source, id) if id in source.functions else source.imported.get(id, (source, None))
        case ast.Attribute(value=ast.Name(id), attr=attr) if source.imported.get(id, (None, ""))[1] is None:
            file, name = source.imported[id][0], attr
    found = file.functions.get(name or "")
    if found is None or (within and file is not source):
        return {HOLE}
    return set().union(*(_words(one, file, within=within) for one in _returns(found)))


def _returns(node: ast.AST) -> Iterator[ast.expr]:
    """What a function returns, and not those that stand in it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return) and child.value is not None:
            yield child.value
        elif not isinstance(child, _FUNCTION | ast.Lambda):
            yield from _returns(child)


def _table(node: ast.expr, source: Source) -> set[str]:
    """The values of a dictionary that stands as a constant; nothing where it is none."""
    match node:
        case ast.Name():
            [(value, where), *_] = [*_meant(node, source)]
        case ast.Attribute(value=ast.Name(id), attr=attr) if source.imported.get(id, (None, ""))[1] is None:
            where = source.imported[id][0]
            value = _constant(attr, where)
        case _:
            return set()
    if not isinstance(value, ast.Dict):
        return set()
    return set().union(*(_words(one, where) for key, one in zip(value.keys, value.values, strict=True) if key))


# --- what a name means ------------------------------------------------------------------------------------------


def _meant(name: ast.Name, source: Source) -> list[tuple[ast.expr | None, Source]]:
    """What may have been assigned to a name by then: the last time for sure, or after that perhaps. None: unknown."""
    found: list[tuple[ast.expr | None, Source]] = []
    node: ast.AST = name
    while (parent := source.parents.get(node)) is not None:
        for value, surely in _before(node, parent, name.id):
            found.append((value, source))
            if surely:
                return found
        node = parent
    if name.id in source.imported:
        where, called = source.imported[name.id]
        return [*found, (_constant(called or "", where), where)]
    return found or [(None, source)]


def _before(node: ast.AST, parent: ast.AST, name: str) -> Iterator[tuple[ast.expr | None, bool]]:
    """What the parent assigns before it comes to this child, the last first, and whether it does so for sure."""
    yield from ((value, True) for value in _begun(parent, name))
    for block in ("body", "orelse", "finalbody"):
        steps = getattr(parent, block, None)
        if isinstance(steps, list) and node in steps:
            for step in reversed(steps[: steps.index(node)]):
                yield from _assigned(step, name)
    if isinstance(parent, ast.Try) and node not in parent.body:
        for step in reversed(parent.body):
            yield from ((value, False) for value, _ in _assigned(step, name))
    if isinstance(parent, ast.If | ast.IfExp | ast.While) and node is not parent.test:
        yield from _assigned(parent.test, name)


def _begun(parent: ast.AST, name: str) -> Iterator[ast.expr | None]:
    """What a name is bound to where something begins: a function, a loop, a case."""
    match parent:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if name in _parameters(parent):
            yield None
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for each in parent.generators:
                yield from _bound(each.target, None, name)
        case ast.ExceptHandler(name=caught) if caught == name:
            yield None
        case ast.match_case() if any(isinstance(one, ast.MatchAs) and one.name == name for one in ast.walk(parent)):
            yield None
        case ast.For(target=target, iter=over) | ast.AsyncFor(target=target, iter=over):
            yield from _bound(target, None, name, over)


def _assigned(step: ast.AST, name: str) -> Iterator[tuple[ast.expr | None, bool]]:
    """What a statement assigns to a name, the last first; for sure where it is nothing but that."""
    if isinstance(step, _FUNCTION | ast.ClassDef):
        return
    match step:
        case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
            yield from ((one, True) for one in _bound(target, value, name))
        case ast.NamedExpr(target=ast.Name(id), value=value) if id == name:
            yield value, False
        case ast.AugAssign(target=ast.Name(id)) if id == name:
            yield None, False
    for child in reversed([*ast.iter_child_nodes(step)]):
        yield from ((one, False) for one, _ in _assigned(child, name))


def _bound(
    target: ast.expr, value: ast.expr | None, name: str, over: ast.expr | None = None
) -> Iterator[ast.expr | None]:
    """What a name in a target is bound to; ``over``: what is gone through."""
    match target, value:
        case ast.Name(id), _ if id == name:
            yield value
        case ast.Tuple(elts=several), ast.Tuple(elts=values) if len(several) == len(values):
            for one, its in zip(several, values, strict=True):
                yield from _bound(one, its, name)
        case ast.Tuple(elts=[_, ast.Name(id)]), _ if id == name and over is not None:
            # for key, value in TABLE.items()
            match over:
                case ast.Call(func=ast.Attribute(value=ast.Name() as table, attr="items")):
                    yield ast.Call(ast.Attribute(table, "get", ast.Load()), [ast.Constant(None)], [])
                case _:
                    yield None
        case ast.Tuple(elts=several), _:
            for one in several:
                yield from _bound(one, None, name)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    of = function.args
    every = [*of.posonlyargs, *of.args, *of.kwonlyargs, *([of.vararg] if of.vararg else [])]
    return {one.arg for one in every}


def _constant(name: str, source: Source) -> ast.expr | None:
    """What a name of a file means for good."""
    for step in source.tree.body:
        for value, _ in _assigned(step, name):
            return value
    return None
