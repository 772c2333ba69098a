"""What queries say: the tree of each, and the message for each that cannot be read."""

from __future__ import annotations

import pytest

from bot.errors import QueryError
from bot.query.nodes import And, Form, Hashtag, Link, Mention, Near, Node, Not, Or, Pattern, Phrase, Term
from bot.query.parser import MAX_DEPTH, MAX_LENGTH, parse

A, B, C, D = (Term(word) for word in ("Асад", "база", "Сирия", "дрон"))


def phrase(*words: str, form: Form = Form.INFLECTED) -> Phrase:
    return Phrase(tuple(Term(word, form) for word in words))


@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("Асад", A),
        ("  Асад\n", A),
        ("Асад база", And((A, B))),
        ("Асад AND база", And((A, B))),
        ("Асад база AND Сирия", And((A, B, C))),
        ("Асад | база", Or((A, B))),
        ("Асад|база", Or((A, B))),
        ("Асад OR база OR Сирия", Or((A, B, C))),
        ("Асад -база", And((A, Not(B)))),
        ("Асад \u2212база", And((A, Not(B)))),
        ("Асад NOT база", And((A, Not(B)))),
        ("-база Асад", And((Not(B), A))),
        ("Асад -(база | Сирия)", And((A, Not(Or((B, C)))))),
        ('Асад -"военная база"', And((A, Not(phrase("военная", "база"))))),
        ("Асад -#база", And((A, Not(Hashtag("база", prefix=False))))),
        ("(Асад)", A),
        ("((Асад) база)", And((A, B))),
        ('"военная база"', phrase("военная", "база")),
        ('"Асад"', A),
        ('"военная, база!"', phrase("военная", "база")),
        ('="военная база"', phrase("военная", "база", form=Form.EXACT)),
        ('case:"военная база"', phrase("военная", "база", form=Form.CASED)),
        ("=база", Term("база", Form.EXACT)),
        ("дрон*", Term("дрон", Form.BEGINS)),
        ("*база", Term("база", Form.ENDS)),
        ("~Сирия", Term("Сирия", Form.FAMILY)),
        ("case:МИД", Term("МИД", Form.CASED)),
        ("#сирия", Hashtag("сирия", prefix=False)),
        ("#Сирия*", Hashtag("сирия", prefix=True)),
        ("@Rybar", Mention("rybar")),
        ("link:Example.ORG", Link("example.org")),
        ("/С-?[34]00/i", Pattern("С-?[34]00", "i")),
        ("/а б|в/si", Pattern("а б|в", "is")),
        (r"/t\.me\/x/", Pattern(r"t\.me\/x", "")),
        ("Асад NEAR/5 база", Near(5, A, B)),
        ("Асад NEAR/0 база", Near(0, A, B)),
        ("Асад NEAR/100 база", Near(100, A, B)),
        ("Асад NEAR/5 (база | Сирия)", Near(5, A, Or((B, C)))),
        ("(Асад NEAR/5 база) NEAR/9 Сирия", Near(9, Near(5, A, B), C)),
    ],
)
def test_a_query_says_this(query: str, node: Node) -> None:
    assert parse(query).node == node


@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("Асад база | Сирия", Or((And((A, B)), C))),
        ("Асад | база Сирия", Or((A, And((B, C))))),
        ("Асад NEAR/5 база Сирия", And((Near(5, A, B), C))),
        ("Сирия Асад NEAR/5 база", And((C, Near(5, A, B)))),
        ("Асад NEAR/5 база | Сирия", Or((Near(5, A, B), C))),
        ("Асад NEAR/5 база Сирия NEAR/2 дрон", And((Near(5, A, B), Near(2, C, D)))),
        ("Асад -база | Сирия", Or((And((A, Not(B))), C))),
        ("NOT Асад база", And((Not(A), B))),
        ("=Асад NEAR/5 ~база", Near(5, Term("Асад", Form.EXACT), Term("база", Form.FAMILY))),
        ("case:Асад | база", Or((Term("Асад", Form.CASED), B))),
        ("Асад (база | Сирия)", And((A, Or((B, C))))),
    ],
)
def test_not_and_marks_bind_before_near_near_before_and_and_before_or(query: str, node: Node) -> None:
    assert parse(query).node == node


@pytest.mark.parametrize(
    "quoted", ['"военная база"', "«военная база»", "„военная база“", "„военная база”", "“военная база”"]
)
def test_every_kind_of_quotes_makes_a_phrase(quoted: str) -> None:
    assert parse(quoted).node == phrase("военная", "база")


@pytest.mark.parametrize(
    "word", ["or", "and", "not", "near", "или", "и", "не", "ИЛИ", "И", "НЕ", "Or", "And", "ORион", "NOTa", "NEARby"]
)
def test_only_capital_latin_words_are_operators(word: str) -> None:
    assert parse(f"Асад {word} база").node == And((A, Term(word), B))


@pytest.mark.parametrize("word", ["OR", "AND", "NOT", "NEAR"])
def test_an_operator_in_quotes_is_a_word(word: str) -> None:
    assert parse(f'"{word}"').node == Term(word)


@pytest.mark.parametrize("sign", ["&", "!", "+", "|", "(", "-", "=", "~", "/", "from:x "])
def test_signs_in_quotes_are_punctuation(sign: str) -> None:
    assert parse(f'"Асад {sign}"').node in (A, phrase("Асад", "from", "x"))


@pytest.mark.parametrize(
    ("query", "node"),
    [
        ("аль-Асад", phrase("аль", "Асад")),
        ("аль\u2011Асад", phrase("аль", "Асад")),
        ("вице-премьер-министр", phrase("вице", "премьер", "министр")),
        ("С-300", Or((phrase("С", "300"), Term("С300")))),
        ("С300", Term("С300")),
        ("=С-300", Or((phrase("С", "300", form=Form.EXACT), Term("С300", Form.EXACT)))),
        ('"ЗРК С-300"', Or((phrase("ЗРК", "С", "300"), phrase("ЗРК", "С300")))),
        ("С/300", phrase("С", "300")),
        ("мини-дрон*", Phrase((Term("мини"), Term("дрон", Form.BEGINS)))),
        ("*база-склад", Phrase((Term("база", Form.ENDS), Term("склад")))),
        ("12:30", phrase("12", "30")),
        ("Итог:", Term("Итог")),
        ("и/или", phrase("и", "или")),
    ],
)
def test_a_hyphen_separates_words_and_closes_up_beside_a_digit(query: str, node: Node) -> None:
    assert parse(query).node == node


ERRORS = [
    ("", 0, "is empty", "write a word"),
    ("  ", 0, "is empty", "write a word"),
    ("()", 0, "nothing in the brackets", "remove them"),
    ("(Асад", 0, "never closed", "close it with )"),
    ("(", 0, "never closed", "close it with )"),
    ("Асад)", 4, "closing bracket without", "remove it"),
    (")", 0, "closing bracket where a word", "write the word"),
    ('Асад "база', 5, "quote is never closed", 'close it with "'),
    ("«база", 0, "quote is never closed", "close it with »"),
    ("Асад»", 4, "closing quote without", "remove it"),
    ('""', 0, "no word between the quotes", "write words"),
    ('"…!"', 0, "no word between the quotes", "write words"),
    ("|", 0, "| needs a word on both sides", "write them"),
    ("Асад |", 6, "ends where a word should stand", "write the word"),
    ("Асад | | база", 7, "| needs a word on both sides", "write them"),
    ("NEAR/3 база", 0, "NEAR/3 needs a word on both sides", "in quotes"),
    ("=-база", 0, "= stands before a word or a phrase", "leave = out before -"),
    ("=#сирия", 0, "= stands before a word or a phrase", "leave = out before #"),
    ("AND Асад", 0, "AND needs a word on both sides", 'write "AND" in quotes'),
    ("Асад AND", 8, "ends where a word should stand", "write the word"),
    ("Асад NEAR/5", 11, "ends where a word should stand", "write the word"),
    ("NEAR/5 Асад", 0, "NEAR/5 needs a word on both sides", "in quotes"),
    ("Асад NEAR база", 5, "NEAR needs a number of words, at most 100", "NEAR/5"),
    ("Асад NEAR/ база", 5, "NEAR needs a number", "NEAR/5"),
    ("Асад NEAR/x база", 5, "NEAR needs a number", "NEAR/5"),
    ("Асад NEAR/101 база", 5, "at most 100", "NEAR/5"),
    ("Асад NEAR/-1 база", 5, "NEAR needs a number", "NEAR/5"),
    ("Асад NEAR/٣ база", 5, "NEAR needs a number", "NEAR/5"),
    ("Асад NEAR/5 база NEAR/5 Сирия", 17, "chain of NEAR", "one pair in brackets"),
    ("Асад NEAR/5 -база", 12, "NEAR stands between", "join anything else with AND"),
    ("Асад NEAR/5 (база Сирия)", 13, "NEAR stands between", "join anything else with AND"),
    ("#база NEAR/5 Асад", 0, "NEAR stands between", "join anything else with AND"),
    ("Асад NEAR/5 (база | /x/)", 13, "NEAR stands between", "join anything else with AND"),
    ("((а NEAR/1 б) NEAR/1 в) NEAR/1 г", 2, "NEAR within NEAR within NEAR", "AND"),
    ("-погода", 0, "nothing but NOT", "add a word"),
    ("NOT погода", 0, "nothing but NOT", "add a word"),
    ("-погода -футбол", 0, "nothing but NOT", "add a word"),
    ("Асад | -погода", 7, "nothing but NOT", "add a word"),
    ("Сирия (Асад | -погода)", 14, "nothing but NOT", "add a word"),
    ("Сирия -(Асад | -погода)", 15, "nothing but NOT", "add a word"),
    ("-(-погода)", 0, "nothing but NOT", "add a word"),
    ("Асад - погода", 5, "- stands alone", "write it at the word, as in -погода"),
    ("Асад -", 5, "- stands alone", "write it at the word"),
    ("Асад \u2212 погода", 5, "- stands alone", "write it at the word"),
    ("Асад \u2014 погода", 5, "a dash is not an operator", "hyphen"),
    ("Асад \u2013погода", 5, "a dash is not an operator", "hyphen"),
    ("Асад NOT", 5, "NOT needs a word behind it", 'write "NOT" in quotes'),
    ("Асад --погода", 5, "NOT of a NOT", "without either"),
    ("Асад NOT -погода", 5, "NOT of a NOT", "without either"),
    ("*база*", 0, "* on both sides", "one side"),
    ("ба*за", 0, "* inside a word", "(дрон*)"),
    ("ба*за*", 0, "* inside a word", "(дрон*)"),
    ("=ба*за", 0, "= and * do not go together", "one of them"),
    ("др*", 0, "begins so needs 3 letters", "write more"),
    ("дрон**", 0, "beside one *", "write more"),
    ("Асад | (база | -погода)", 15, "nothing but NOT", "add a word"),
    ("*баз", 0, "ends so needs 4 letters", "write more"),
    ("*", 0, "4 letters", "write more"),
    ('"дрон*"', 0, "* does not work inside quotes", "regular expression"),
    ("=дрон*", 0, "= and * do not go together", "one of them"),
    ("~дрон*", 0, "~ and * do not go together", "one of them"),
    ("case:ДРОН*", 0, "case: and * do not go together", "one of them"),
    ("=*база", 0, "= and * do not go together", "one of them"),
    ('~"военная база"', 0, "~ before a phrase", "single word"),
    ("~«военная база»", 0, "~ before a phrase", "single word"),
    ('=~"военная база"', 0, "=~ before a phrase", "write = or ~"),
    ("=~база", 0, "do not go together", "write = or ~"),
    ("~=база", 0, "do not go together", "write ~ or ="),
    ("case:=МИД", 0, "case: and = do not go together", "write case: or ="),
    ("=case:МИД", 0, "= and case: do not go together", "write = or case:"),
    ("case:~МИД", 0, "do not go together", "write case: or ~"),
    ("=", 0, "= needs a word right behind it", "=слово"),
    ("= база", 0, "= needs a word right behind it", "=слово"),
    ("~", 0, "~ needs a word right behind it", "~слово"),
    ("case: МИД", 0, "case: needs a word right behind it", "case:слово"),
    ("Асад & база", 5, "& is not an operator", "AND"),
    ("AT&T", 2, "& is not an operator", '"AT&T"'),
    ("!Асад", 0, "! is not an operator", "hyphen"),
    ("Сирия !Асад", 6, "! is not an operator", "hyphen"),
    ("+Асад", 0, "+ is not an operator", "a space alone"),
    ("=C++", 2, "+ is not an operator", "a space alone"),
    ("from:rybar", 0, "from: comes later", "leave it out"),
    ("Асад -fwd:rybar", 6, "fwd: comes later", "leave it out"),
    ("has:photo", 0, "has: comes later", "leave it out"),
    ("lang:ru", 0, "lang: comes later", "leave it out"),
    ("foo:bar", 0, "unknown operator foo:", "in quotes"),
    ("автор:Асад", 0, "unknown operator автор:", "in quotes"),
    ("Case:МИД", 0, "unknown operator Case:", "did you mean case:?"),
    ("links:example.org", 0, "unknown operator links:", "did you mean link:?"),
    ("Асад /база", 5, "never closed", r"write \/ inside"),
    ("//", 0, "regular expression is empty", "between the slashes"),
    ("/база/x", 6, "unknown flag 'x'", "i and s"),
    ("/база/ig", 6, "unknown flag 'g'", "i and s"),
    ("Асад /(?=база)/", 6, "(?= in a regular expression: look-around", "RE2 has none"),
    (r"/(б)аза\1/", 7, r"\1 in a regular expression", "RE2 has none"),
    ("/а{1001}/", 1, "RE2 refuses", "docs/query-language.md"),
    ("/(а/", 1, "RE2 refuses", "docs/query-language.md"),
    ("#", 0, "a hashtag is letters", "#сирия"),
    ("#2024", 0, "a hashtag is letters", "#сирия"),
    ("#си*рия", 0, "a hashtag is letters", "#сирия"),
    ("#сирия#асад", 0, "a hashtag is letters", "#сирия"),
    ("@", 0, "not a Telegram name", "@rybar"),
    ("@рыбарь", 0, "not a Telegram name", "@rybar"),
    ("@1rybar", 0, "not a Telegram name", "@rybar"),
    ("link:", 0, "needs a host and nothing else", "link:example.org"),
    ("link:https://example.org", 0, "needs a host and nothing else", "link:example.org"),
    ("link:example.org/news", 0, "needs a host and nothing else", "link:example.org"),
    ("link:localhost", 0, "needs a host and nothing else", "link:example.org"),
    ("⚡", 0, "«⚡» holds no word", "/⚡/"),
    ("=⚡", 0, "«⚡» holds no word", "/⚡/"),
    ("(" * (MAX_DEPTH + 1) + "а" + ")" * (MAX_DEPTH + 1), MAX_DEPTH, "nested deeper", "split it"),
    ("а " * MAX_LENGTH, 0, f"at most {MAX_LENGTH} characters", "split it"),
]


@pytest.mark.parametrize(("query", "column", "what", "hint"), ERRORS)
def test_a_query_that_cannot_be_read_is_told_where_why_and_what_would_be_right(
    query: str, column: int, what: str, hint: str
) -> None:
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column + 1}: ")


def test_a_query_may_be_as_long_and_as_deep_as_the_limits() -> None:
    assert len(parse(("а" * 63 + " ") * (MAX_LENGTH // 64)).text) == MAX_LENGTH
    deep = MAX_DEPTH - 1
    assert parse("(" * deep + "Асад" + ")" * deep).node == A


def test_a_node_knows_its_column_but_equals_the_same_words_elsewhere() -> None:
    first, second = parse("Асад | Асад").node, parse("  Асад|Асад").node
    assert isinstance(first, Or)
    assert isinstance(second, Or)
    assert [part.column for part in first.parts] == [0, 7]
    assert [part.column for part in second.parts] == [2, 7]
    assert first == second


@pytest.mark.parametrize("query", ["б-погода", "а–б", "1/2/3", "2-погода"])
def test_signs_inside_a_word_are_no_operators(query: str) -> None:
    assert isinstance(parse(query).node, Phrase | Or)
