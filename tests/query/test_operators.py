"""The table of operators, and what each of them finds and passes over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.model import Media, Post
from bot.query import operators
from bot.query.operators import Operator

Found = Callable[..., list[str] | None]


@pytest.mark.parametrize("operator", operators.table(), ids=lambda one: type(one).__name__)
def test_an_example_finds_its_second_member_and_passes_over_its_third(operator: Operator, found: Found) -> None:
    assert operator.sign
    assert operator.means
    query, text, other = operator.example
    assert found(query, text)
    assert found(query, other) is None


def test_the_table_holds_every_operator_once() -> None:
    table = operators.table()
    assert set(table) == {*operators.TERMS, *operators.JOINTS}
    assert len(table) == len({operator.sign for operator in table})


@pytest.mark.parametrize(
    ("query", "text", "hits"),
    [
        # Joints.
        ("Сирия Асад", "Асад покинул Сирию", ["Асад", "Сирию"]),
        ("Сирия AND Асад", "Сирия\n\nАсад", ["Сирия", "Асад"]),
        ("Сирия Асад", "Асад в Москве", None),
        ("Сирия | Асад", "Асад в Москве", ["Асад"]),
        ("Сирия OR Асад", "Асад в Сирии", ["Асад", "Сирии"]),
        ("Сирия | Асад", "Москва", None),
        ("Сирия -погода", "Сирия сегодня", ["Сирия"]),
        ("Сирия -погода", "Сирия: прогноз погоды", None),
        ("Сирия NOT погода", "Сирия: погоды нет", None),
        ("Сирия \u2212погода", "Сирия: погоды нет", None),
        ("Сирия -(погода футбол)", "Сирия: погода", ["Сирия"]),
        ("Сирия -(погода футбол)", "Сирия: погода, футбол", None),
        ("Сирия -(погода -футбол)", "Сирия: погода, футбол", ["Сирия"]),
        ("Сирия -(-погода)", "Сирия: погода", ["Сирия"]),
        ("Сирия -(-погода)", "Сирия", None),
        # Phrases.
        ('"военная база"', "на военной базе", ["военной базе"]),
        ('"военная база"', "военные, базы", ["военные, базы"]),
        ('"военная база"', "военные\nбазы", ["военные\nбазы"]),
        ('"военная база"', "военные\n\nбазы", None),
        ('"военная база"', "военные\n \t\nбазы", None),
        ('"военная база"', "военные\r\n\r\nбазы", None),
        ('"военная база"', "база военная", None),
        ('"военная база"', "военная морская база", None),
        ('"военная база"', "военная военная база", ["военная база"]),
        ('"база база"', "база базы базе", ["база базы", "базы базе"]),
        ('="военная база"', "Военная база", ["Военная база"]),
        ('="военная база"', "военной базе", None),
        ('case:"МИД России"', "МИДу России", ["МИДу России"]),
        ('case:"МИД России"', "мида России", None),
        # One form, beginnings, endings, families, letter case.
        ("=база", "БАЗА", ["БАЗА"]),
        ("=база", "базы", None),
        ("=САА", "CAA", ["CAA"]),
        ("дрон*", "дроноводы", ["дроноводы"]),
        ("дрон*", "ДРОН", ["ДРОН"]),
        ("дрон*", "аэродром, дро", None),
        ("*база", "авиабазы", ["авиабазы"]),
        ("*база", "нефтебаз", ["нефтебаз"]),
        ("*база", "базы", ["базы"]),
        ("*база", "базис и базар", None),
        ("~Сирия", "сирийский", ["сирийский"]),
        ("~Сирия", "сирийцами", ["сирийцами"]),
        ("~Сирия", "Сирии", ["Сирии"]),
        ("~Сирия", "Сириус", None),
        ("case:МИД", "МИД", ["МИД"]),
        ("case:МИД", "МИДа", ["МИДа"]),
        ("case:МИД", "МИДА", ["МИДА"]),
        ("case:МИД", "мид", None),
        ("case:МИД", "Мид", None),
        ("case:МИД", "мИД", None),
        ("case:Мир", "Мира", ["Мира"]),
        ("case:Мир", "мира", None),
        ("case:Мир", "МИРА", None),
        ("case:мир", "миру", ["миру"]),
        ("case:мир", "Миру", None),
        ("case:Алёна", "Алене", ["Алене"]),
        ("case:Сирия", "Cирия", ["Cирия"]),
        ("МИД", "мид", ["мид"]),
        # NEAR.
        ("база NEAR/2 Сирия", "базы там и Сирия", ["базы", "Сирия"]),
        ("база NEAR/2 Сирия", "Сирия там и базы", ["Сирия", "базы"]),
        ("база NEAR/2 Сирия", "базы там и в Сирии", None),
        ("база NEAR/0 Сирия", "Сирия, базы", ["Сирия", "базы"]),
        ("база NEAR/0 Сирия", "Сирия и базы", None),
        ("база NEAR/5 база", "база", None),
        ("база NEAR/5 база", "база базы", ["база", "базы"]),
        ('"военная база" NEAR/1 Сирия', "военные базы в Сирии", ["военные базы", "Сирии"]),
        ('"военная база" NEAR/1 база', "военная база", None),
        ("база NEAR/1 (Сирия | Ирак)", "Ирак: базы", ["Ирак", "базы"]),
        ("база NEAR/1 (Сирия | Ирак)", "Иран: базы", None),
        ("(база NEAR/1 Сирия) NEAR/1 Асад", "база Сирия Асад", ["база", "Сирия", "Асад"]),
        ("(база NEAR/1 Сирия) NEAR/1 Асад", "база Асад и тут Сирия", None),
        ("(база NEAR/0 база) NEAR/5 Сирия", "база, Сирия", None),  # a word is not near itself
        # A base that stands alone is no hit of NEAR.
        ("база NEAR/1 Сирия", "база в Сирии, а та другая далёкая база", ["база", "Сирии"]),
        # Hashtags, names, links.
        ("#сирия", "#Сирия", ["#Сирия"]),
        ("#сирия", "#Сирия_сегодня", None),
        ("#сирия", "Сирия", None),
        ("#сирия", "#сирии", None),
        ("#сирия*", "#Сирия_сегодня и #сирия", ["#Сирия_сегодня", "#сирия"]),
        ("#сирия*", "#Ассирия", None),
        ("Сирия", "#Сирия_сегодня", ["Сирия"]),
        ("@rybar", "по данным @Rybar.", ["@Rybar"]),
        ("@rybar", "https://t.me/rybar/123", ["https://t.me/rybar"]),
        ("@rybar", "t.me/s/rybar", ["t.me/s/rybar"]),
        ("@rybar", "post@rybar.ru", None),
        ("@rybar", "rybar@example.org", None),
        ("@rybar", "@rybar_in_english", None),
        ("@rybar", "t.me/rybar_in_english", None),
        ("@rybar", "rybar", None),
        ("link:example.org", "https://www.example.org/news?a=1.", ["https://www.example.org/news?a=1"]),
        ("link:example.org", "см. example.org", ["example.org"]),
        ("link:example.org", "HTTP://EXAMPLE.ORG", ["HTTP://EXAMPLE.ORG"]),
        ("link:example.org", "https://a.b.example.org:8080/", ["https://a.b.example.org:8080/"]),
        ("link:example.org", "https://notexample.org/", None),
        ("link:example.org", "https://example.org.evil.com/", None),
        ("link:example.org", "https://evil.com/example.org.html", None),
        ("link:www.example.org", "https://example.org/", None),
        ("link:пример.рф", "https://пример.рф/новости", ["https://пример.рф/новости"]),
        ("link:пример.рф", "https://xn--e1afmkfd.xn--p1ai/", ["https://xn--e1afmkfd.xn--p1ai/"]),
        ("link:xn--e1afmkfd.xn--p1ai", "пример.рф", ["пример.рф"]),
        # Designations with digits, closed up or not, in either script.
        ("С-300", "С-300", ["С-300"]),
        ("С-300", "C300", ["C300"]),
        ("С-300", "С 300", ["С 300"]),
        ("С-300", "С-3000", None),
        ("С300", "C300", ["C300"]),
        ("Су-24", "Су24", ["Су24"]),
        ("Асад", "аль-Асада", ["Асада"]),
        ("аль-Асад", "аль-Асада", ["аль-Асада"]),
        ("аль-Асад", "Асада", None),
    ],
)
def test_a_query_finds_this_in_a_text(query: str, text: str, hits: list[str] | None, found: Found) -> None:
    assert found(query, text) == hits


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("текст", ["текст"]),
        ("опрос", ["опрос"]),
        ("ответ", ["ответы"]),
        ("сводка", ["сводка"]),
        ("песня", ["песни"]),
        ("исполнитель", ["исполнителя"]),
        ("предпросмотр", ["предпросмотре"]),
        ("молчание", None),  # of a link preview only the title is searched
        ("link:hidden.example.org", ["https://hidden.example.org/a"]),
        ("@rybar", ["https://t.me/rybar"]),
        ("hidden", ["hidden"]),
        ('"опрос ответ"', ["опрос\nответы"]),
        ('"текст опрос"', None),
        ("текст NEAR/100 опрос", None),
        ("опрос NEAR/100 сводка", None),
        ("текст опрос", ["текст", "опрос"]),
        ("текст -сводка", None),
        ("/сводк.\\.pdf/", ["сводка.pdf"]),
        ("/текст.*опрос/s", None),
        ("#якорь", None),  # a link's fragment is no hashtag
    ],
)
def test_every_part_of_a_post_is_searched_and_a_phrase_stays_within_one(
    query: str, hits: list[str] | None, found: Found, post: Callable[..., Post]
) -> None:
    everything = post(
        "текст",
        links=[(0, "https://hidden.example.org/a"), (1, "https://t.me/rybar/#якорь")],
        media=[
            Media(kind="poll", text="опрос\nответы"),
            Media(kind="document", file_name="сводка.pdf"),
            Media(kind="audio", title="песни", text="исполнителя"),
            Media(kind="webpage", title="предпросмотре", text="молчание"),
        ],
    )
    assert found(query, everything) == hits


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("Сирия", ["Сирия"]),
        ("подписаться", None),
        ("Сирия -подписаться", ["Сирия"]),
        ('"всё подписаться"', None),
        ("@channel", None),
        ("link:above.example.org", ["https://above.example.org/"]),
        ("link:below.example.org", None),
        ("сводка", ["сводка"]),
        ("/Подп/", None),
        ("#застава", None),
        ("/всё\\n$/", ["всё\n"]),
    ],
)
def test_a_footer_does_not_count_nor_does_a_link_that_hangs_there(
    query: str, hits: list[str] | None, found: Found, post: Callable[..., Post]
) -> None:
    text = "🇸🇾⚡️Сирия, всё\n👉 Подписаться Сирия @channel #застава"
    units = len(text.encode("utf-16-le")) // 2
    links = [(2, "https://above.example.org/"), (units - 9, "https://below.example.org/")]
    one = post(text, links=links, media=[Media(kind="document", file_name="сводка.pdf")])
    assert found(query, one, text.index("👉")) == hits


def test_a_link_on_the_last_unit_above_the_footer_counts_and_on_its_first_does_not(
    found: Found, post: Callable[..., Post]
) -> None:
    text = "🔴🔴a\nb"
    above, below = post(text, links=[(5, "https://example.org")]), post(text, links=[(6, "https://example.org")])
    assert found("link:example.org", above, 4) == ["https://example.org"]
    assert found("link:example.org", below, 4) is None
