"""From words to leaves: what each form of a term stands for, and that no word is paid for twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from bot.model import Post
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.nodes import And, Form, Near, Term
from bot.query.parser import parse
from bot.text.morphology.language import How, Inflection
from bot.text.morphology.languages import Morphology
from tests.query.conftest import NEEDS_UKRAINIAN


class Counting(Morphology):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def inflect(self, word: str) -> Inflection:
        self.asked[word] += 1
        return super().inflect(word)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.mark.parametrize(
    ("term", "forms", "others"),
    [
        (Term("Сирия"), "сирия сирии сирию сирией", "сирийский сирийцы сириус"),
        (Term("Сирія"), "сирія сирії сирію сирією", "сирійський сирі"),
        (Term("база"), "база базы базе базу базой баз базам базами базах базою", "базар базис базовый"),
        pytest.param(Term("база"), "бази базі базою", "базар базувати", marks=NEEDS_UKRAINIAN),
        (Term("базы"), "база базы баз базами", "базис"),
        (Term("Київ"), "київ києва києву", "киев киевы"),
        (Term("выборы"), "выборы выборов выборам", "выбори"),
        (Term("base"), "base bases base's", "based baseless"),
        (Term("Хмеймим"), "хмеймим хмеймима хмеймимом", "хмейм"),
        (Term("САА"), "саа caa", "сааа"),
        (Term("С300"), "с300 c300", "с-300"),
        (Term("база", Form.EXACT), "база", "базы бази"),
        (Term("Ёлка", Form.EXACT), "елка", "ёлка елки"),
        (Term("Сирия", Form.FAMILY), "сирия сирии сирийский сирийских сириец сирийцами", "сириус ассирия"),
        (Term("МИД", Form.CASED), "мид мида миду", "мида-то"),
        (Term("база", Form.ENDS), "база базы баз базами", "базис"),
        (Term("дрон", Form.BEGINS), "дрон", "дрона"),
    ],
)
def test_a_term_stands_for_these_forms_and_not_for_those(term: Term, forms: str, others: str, lexicon: Lexicon) -> None:
    known = lexicon.inflection(term).forms
    assert known.issuperset(forms.split())
    assert known.isdisjoint(others.split())


@NEEDS_UKRAINIAN
def test_a_word_of_either_language_has_the_forms_of_both(lexicon: Lexicon) -> None:
    languages = {reading.language for reading in lexicon.inflection(Term("база")).readings}
    assert languages == {"Russian", "Ukrainian"}
    assert {r.language for r in lexicon.inflection(Term("выборы")).readings} == {"Russian"}
    assert {r.language for r in lexicon.inflection(Term("вибори")).readings} >= {"Ukrainian"}


def test_an_exact_term_is_literal(lexicon: Lexicon) -> None:
    assert [reading.how for reading in lexicon.inflection(Term("базы", Form.EXACT)).readings] == [How.LITERAL]


def test_each_word_is_expanded_once_however_many_queries_hold_it(counting: Counting) -> None:
    lexicon = Lexicon(counting)
    queries = ["Сирия", "Сирия | Асад", '"Сирия сегодня"', "Асад NEAR/3 Сирия", "Сирия", "  Сирия"]
    for query in queries:
        lexicon.plan(parse(query))
    assert counting.asked == {"Сирия": 1, "Асад": 1, "сегодня": 1}


def test_a_changed_configuration_expands_only_what_changed(counting: Counting) -> None:
    lexicon = Lexicon(counting)
    before = [parse(f"слово{number} Сирия") for number in range(200)]
    Matcher([Topic(name="а", keywords=tuple(before))], lexicon)
    counting.asked.clear()
    after = [*before[10:], parse("Тартус"), parse("Сирия Тартус")]
    Matcher([Topic(name="б", keywords=tuple(after), exclude=(parse("погода"),))], lexicon)
    assert counting.asked == {"Тартус": 1, "погода": 1}


def test_keep_forgets_what_is_no_longer_needed_and_only_that(counting: Counting) -> None:
    lexicon = Lexicon(counting)
    queries = [parse(text) for text in ("Сирия Асад", "Сирия база", "#сирия", "/Сири./", "=Хомс")]
    for query in queries:
        lexicon.plan(query)
    kept = lexicon.plan(queries[1])
    lexicon.keep([queries[1]])
    counting.asked.clear()
    assert lexicon.plan(queries[1]) is kept
    lexicon.plan(parse("Сирия | база"))
    assert not counting.asked
    lexicon.plan(queries[0])
    assert counting.asked == {"Асад": 1}
    assert len(lexicon._leaves) == 3
    lexicon.keep([])
    assert not lexicon._leaves
    assert not lexicon._plans


def test_a_matcher_made_before_keep_still_matches(counting: Counting, post: Callable[..., Post]) -> None:
    lexicon = Lexicon(counting)
    matcher = Matcher([Topic(name="а", keywords=(parse("Сирия -погода"),))], lexicon)
    lexicon.keep([])
    assert matcher.match(post("в Сирии"))
    assert not matcher.match(post("погода в Сирии"))


def test_a_near_of_what_cannot_stand_there_is_a_defect_of_ours(lexicon: Lexicon) -> None:
    with pytest.raises(TypeError, match="cannot stand beside NEAR"):
        lexicon.plan_of(Near(1, Term("а"), And((Term("б"), Term("в")))))
