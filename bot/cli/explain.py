"""``vedette explain QUERY [TEXT]``: what a query says, the forms it finds, and why a text matches or not."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from bot.model import Part, PartKind
from bot.query import operators
from bot.query.explanation import Explainer, Finding, children, label
from bot.query.lexicon import Lexicon
from bot.query.nodes import Node, Query, Term
from bot.query.notes import notes
from bot.query.parser import parse
from bot.terminal import Style, as_typed, harmless, json_line, one_line, wants_colour
from bot.text.footers import line_key, start_of
from bot.text.morphology.language import How, Reading
from bot.text.morphology.languages import Morphology

#: \b keeps the help from filling the lines up.
EPILOG = "\b\nOperators:\n" + "\n".join(f"  {o.sign:18} {o.means.split(';')[0]}" for o in operators.table())


def explain(
    query: Annotated[str, typer.Argument(help="The keyword to explain.")],
    text: Annotated[
        str | None, typer.Argument(help="A post's text: say what in it hits, what does not, and why.")
    ] = None,
    *,
    footer: Annotated[
        list[str] | None,
        typer.Option("--footer", help="A line that the channel repeats under its posts; no hits there."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    colour: Annotated[str, typer.Option("--colour", help="auto, always or never.")] = "auto",
) -> None:
    """The forms a query expands to, how it is read, and on a text what hit, what did not, and why."""
    style = Style(colour=wants_colour(colour, sys.stdout))
    lexicon = Lexicon(Morphology())
    parsed = parse(as_typed(query))
    text = None if text is None else as_typed(text)
    found = None
    if text is not None:
        start = start_of({line_key(line) for line in footer or ()}, text) if footer else None
        found = Explainer(parsed, [Part(PartKind.TEXT, text)], lexicon, start).explain()
    if as_json:
        sys.stdout.write(json_line(_as_json(parsed, lexicon, found)) + "\n")
        return
    lines = [*_query_lines(parsed, lexicon, style)]
    if text is not None and found is not None:
        lines += ["", *_text_lines(text, found, style)]
    sys.stdout.write("\n".join(lines) + "\n")


def _query_lines(query: Query, lexicon: Lexicon, style: Style) -> list[str]:
    lines = [style.head("Reads as"), *_tree(query.node, 1)]
    for term in _distinct_terms(query.node):
        lines += ["", style.head(harmless(term.word)) + f", {term.form.value}"]
        for reading in lexicon.inflection(term).readings:
            lines.append(f"  {_how(reading)}")
            lines.append(f"    {harmless(', '.join(_ordered(reading)))}")
    said = notes(query, lexicon)
    return lines + ([""] + [f"note: {harmless(note.text)}" for note in said] if said else [])


def _tree(node: Node, depth: int) -> list[str]:
    below = children(node) if not hasattr(node, "terms") else ()
    return ["  " * depth + one_line(label(node)), *(line for child in below for line in _tree(child, depth + 1))]


def _how(reading: Reading) -> str:
    language = f"{reading.language}, " if reading.language else ""
    lemma = f" {harmless(reading.lemma)}" if reading.how is How.TYPED_FORM else ""
    count = len(reading.forms)
    named = f" {harmless(reading.lemma)}:" if reading.how is How.DICTIONARY else ":"
    return f"{language}{reading.how.value}{lemma}{named} {count} {'form' if count == 1 else 'forms'}"


def _ordered(reading: Reading) -> list[str]:
    """The lemma first, then by the alphabet."""
    return sorted(reading.forms, key=lambda form: (form != reading.lemma.lower(), form))


def _distinct_terms(node: Node) -> list[Term]:
    below = [term for child in children(node) for term in _distinct_terms(child)]
    return list(dict.fromkeys([node, *below] if isinstance(node, Term) else below))


def _text_lines(text: str, found: Finding, style: Style) -> list[str]:
    spans = [(hit.start, hit.end) for hit in found.hits]
    shown = style.highlight(text, spans).split("\n")
    verdict = "matches" if found.satisfied else "does not match"
    return [style.head(f"The text {verdict}"), *(f"  {line}" for line in shown), "", *_findings(found, 1, style)]


def _findings(found: Finding, depth: int, style: Style) -> list[str]:
    where = ", ".join(dict.fromkeys(f"«{harmless(hit.text)}»" for hit in found.hits))
    mark = "✓" if found.satisfied else "✗"
    why = style.hit(where) if where else harmless(found.why)
    line = "  " * depth + f"{mark} {one_line(found.label)}" + (f" — {why}" if why else "")
    return [line, *(below for part in found.parts for below in _findings(part, depth + 1, style))]


def _as_json(query: Query, lexicon: Lexicon, found: Finding | None) -> dict[str, Any]:
    terms = [
        {
            "word": term.word,
            "compared": term.form.value,
            "readings": [
                {"language": r.language or None, "lemma": r.lemma, "how": r.how.value, "forms": _ordered(r)}
                for r in lexicon.inflection(term).readings
            ],
        }
        for term in _distinct_terms(query.node)
    ]
    explained: dict[str, Any] = {"query": query.text, "parse": _parse_json(query.node), "terms": terms}
    explained["notes"] = [{"column": note.column + 1, "text": note.text} for note in notes(query, lexicon)]
    if found is not None:
        explained["matches"] = found.satisfied
        explained["hits"] = [hit.as_json() for hit in found.hits]
        explained["findings"] = _finding_json(found)
    return explained


def _parse_json(node: Node) -> dict[str, Any]:
    below = [_parse_json(child) for child in children(node)]
    return {"says": label(node)} | ({"parts": below} if below else {})


def _finding_json(found: Finding) -> dict[str, Any]:
    parts = [_finding_json(part) for part in found.parts]
    return {
        "says": found.label,
        "satisfied": found.satisfied,
        "why": found.why,
        "hits": [hit.as_json() for hit in found.hits],
    } | ({"parts": parts} if parts else {})
