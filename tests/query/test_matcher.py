"""Many topics at once: the same answer as one query alone, and what a match holds."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bot.model import Hit, Media, PartKind, Post
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.text import signs
from bot.text.footers import Footers
from bot.text.normalise import normalise
from bot.text.tokens import tokenise


def topic(name: str, *keywords: str, exclude: tuple[str, ...] = ()) -> Topic:
    return Topic(name=name, keywords=tuple(map(parse, keywords)), exclude=tuple(map(parse, exclude)))


@pytest.fixture
def names(lexicon: Lexicon, post: Callable[..., Post]) -> Callable[..., list[str]]:
    def matching(text: str, *topics: Topic) -> list[str]:
        return [match.topic for match in Matcher(topics, lexicon).match(post(text))]

    return matching


def test_a_match_holds_its_topic_its_keywords_as_typed_and_its_hits(
    lexicon: Lexicon, post: Callable[..., Post]
) -> None:
    matcher = Matcher([topic("базы", "Хмеймим", "  база NEAR/5 Сирия", "Асад")], lexicon)
    (match,) = matcher.match(post("🔴 Базы в Сирии: Хмеймим", media=[Media(kind="document", file_name="хмеймим.pdf")]))
    assert match.topic == "базы"
    assert match.keywords == ("Хмеймим", "  база NEAR/5 Сирия")
    assert match.hits == (
        Hit(PartKind.TEXT, 2, 6, "Базы"),
        Hit(PartKind.TEXT, 9, 14, "Сирии"),
        Hit(PartKind.TEXT, 16, 23, "Хмеймим"),
        Hit(PartKind.FILE, 0, 7, "хмеймим"),
    )


def test_a_hit_knows_how_it_is_written_as_json() -> None:
    assert Hit(PartKind.TEXT, 2, 6, "Базы").as_json() == {"in": "text", "start": 2, "end": 6, "text": "Базы"}


def test_topics_come_in_their_own_order_and_so_do_a_topics_keywords(
    lexicon: Lexicon, post: Callable[..., Post]
) -> None:
    keywords = ["Асад", "Сирия", "база", "Асад | Сирия"]
    for seed in range(20):
        random.Random(seed).shuffle(keywords)  # noqa: S311 - seeded, not secret
        topics = [topic("б", *keywords), topic("а", *reversed(keywords))]
        first, second = Matcher(topics, lexicon).match(post("Базы Асада в Сирии"))
        assert (first.topic, second.topic) == ("б", "а")
        assert list(first.keywords) == keywords
        assert list(second.keywords) == keywords[::-1]


def test_one_keyword_may_stand_in_two_topics(names: Callable[..., list[str]]) -> None:
    both = (topic("а", "Сирия"), topic("б", "Сирия", "Асад", exclude=("погода",)))
    assert names("в Сирии", *both) == ["а", "б"]
    assert names("погода в Сирии", *both) == ["а"]


def test_an_exclusion_silences_its_own_topic_only(names: Callable[..., list[str]]) -> None:
    topics = (topic("а", "Сирия", exclude=("погода", '"сборная Сирии"')), topic("б", "Сирия"))
    assert names("в Сирии", *topics) == ["а", "б"]
    assert names("о погоде в Сирии", *topics) == ["б"]
    assert names("сборную Сирии", *topics) == ["б"]
    assert names("сборная из Сирии", *topics) == ["а", "б"]
    assert names("о погоде", *topics) == []


@pytest.mark.parametrize("sign", ["#спам", "@spam_channel", "link:spam.example.org", "/СПАМ/i"])
def test_an_exclusion_may_be_a_sign(sign: str, names: Callable[..., list[str]]) -> None:
    text = "Сирия #спам @spam_channel spam.example.org/x"
    assert names(text, topic("а", "Сирия", exclude=(sign,))) == []
    assert names("Сирия", topic("а", "Сирия", exclude=(sign,))) == ["а"]


def test_a_topic_without_keywords_and_a_matcher_without_topics_match_nothing(names: Callable[..., list[str]]) -> None:
    assert names("Сирия") == []
    assert names("Сирия", topic("а"), topic("б", exclude=("Сирия",))) == []


@pytest.mark.parametrize(
    ("keywords", "text", "hits"),
    [
        (("Сирия", "Сирия | Асад", "=сирии"), "Сирии Асад", ["Сирии", "Асад"]),
        (("Сирия", '"новости Сирии"'), "новости Сирии", ["новости Сирии", "Сирии"]),
        (("база NEAR/3 Сирия", "Сирия"), "базы и базы Сирии, Сирия", ["базы", "базы", "Сирии", "Сирия"]),
        (("/Сири./", "Сирия"), "Сирия", ["Сирия"]),
        (("#сирия", "Сирия"), "#Сирия", ["#Сирия", "Сирия"]),
        (("Асад", "Сирия"), "Сирия Асад Сирии Асада", ["Сирия", "Асад", "Сирии", "Асада"]),
    ],
)
def test_hits_come_once_each_and_in_reading_order(
    keywords: tuple[str, ...], text: str, hits: list[str], lexicon: Lexicon, post: Callable[..., Post]
) -> None:
    (match,) = Matcher([topic("а", *keywords)], lexicon).match(post(text))
    assert [hit.text for hit in match.hits] == hits
    spans = [(hit.start, hit.end) for hit in match.hits]
    assert spans == sorted(set(spans))


def test_a_phrase_in_any_of_its_forms_stands_near_in_whatever_order_they_come(found: Callable[..., object]) -> None:
    """Places of a word with several forms are seen form by form, not in reading order."""
    forms = ["военная база", "военной базе", "военных баз", "военные базы", "военную базу"]
    for seed in range(20):
        random.Random(seed).shuffle(forms)  # noqa: S311 - seeded, not secret
        for near in forms:
            before = "".join(f"{'Сирия ' if form == near else ''}{form} " + "слово " * 5 for form in forms)
            behind = "".join(f"{form} {'Сирия ' if form == near else ''}" + "слово " * 5 for form in forms)
            for query in ('"военная база" NEAR/0 Сирия', 'Сирия NEAR/0 "военная база"'):
                assert found(query, before) == ["Сирия", near]
                assert found(query, behind) == [near, "Сирия"]


def test_near_within_near_ends_soon_over_the_longest_post(found: Callable[..., list[str] | None]) -> None:
    text = "ах ох эх " * 450
    assert len(found("(ах NEAR/100 ох) NEAR/100 эх", text) or ()) == 1350
    assert len(found("(ах NEAR/100 ох) NEAR/100 (эх NEAR/100 ох)", text) or ()) == 1350


# --- thousands of topics at once --------------------------------------------------------------------------


def random_queries(posts: list[Post], count: int, chance: random.Random) -> list[str]:
    """Queries of every operator over the words of these posts."""
    keys = {normalise(token) for post in posts for token in tokenise(post.text)}
    words = sorted(key for key in keys if len(key) > 4 and key.isalpha())

    mentioned = sorted({key for post in posts for part in post.parts() for key, _, _ in signs.names(part.text)})

    def word() -> str:
        return chance.choice(words)

    shapes: list[Callable[[], str]] = [
        word,
        lambda: f"{word()} {word()}",
        lambda: f"{word()} | {word()}",
        lambda: f"{word()} -{word()}",
        lambda: f"({word()} | {word()}) -({word()} | {word()})",
        lambda: f"{word()} NEAR/{chance.randrange(9)} ({word()} | {word()})",
        lambda: f'"{running(posts, chance, 2)}" NEAR/20 {word()} | ={word()}',
        lambda: f'"{running(posts, chance, 2)}"',
        lambda: f'="{running(posts, chance, 3)}"',
        lambda: f"{word()[:4]}*",
        lambda: f"*{word()}",
        lambda: f"~{word()}",
        lambda: f"case:{word()}",
        lambda: f"case:{word().upper()}",
        lambda: f"#{word()} | #{word()[:3]}*",
        lambda: f"@{chance.choice(mentioned)}",
        lambda: "link:example.org -" + word(),
        lambda: f"/{word()[1:4]}\\w+/i",
        lambda: f"/\\b{word()[:4]}/ {word()}",
    ]
    return [chance.choice(shapes)() for _ in range(count)]


def running(posts: list[Post], chance: random.Random, length: int) -> str:
    tokens: list[str] = []
    while len(tokens) < length:
        tokens = [t for t in tokenise(chance.choice(posts).text) if not t.startswith(("\U0001f1e6", "\U0001f1f7"))]
    start = chance.randrange(len(tokens) - length + 1)
    return " ".join(tokens[start : start + length])


def test_thousands_of_topics_at_once_match_as_each_alone_in_any_order(lexicon: Lexicon, demo: list[Post]) -> None:
    chance = random.Random(2024)  # noqa: S311 - seeded, not secret
    queries = random_queries(demo, 2000, chance)
    topics = [
        topic(str(n), *chance.sample(queries, 2), exclude=(chance.choice(queries),) if n % 3 == 0 else ())
        for n in range(1000)
    ]
    shuffled = chance.sample(topics, len(topics))
    footers = Footers()
    posts = chance.sample(demo, 25)
    for one in demo:
        footers.learn(one.channel.name, one.text)
    together, otherwise = Matcher(topics, lexicon), Matcher(shuffled, lexicon)
    alone = [Matcher([one], lexicon) for one in topics]
    matched = 0
    for one in posts:
        start = footers.start(one.channel.name, one.text)
        expected = [match for each in alone for match in each.match(one, start)]
        assert list(together.match(one, start)) == expected
        by_place = {each.name: place for place, each in enumerate(topics)}
        assert sorted(otherwise.match(one, start), key=lambda match: by_place[match.topic]) == expected
        matched += len(expected)
    assert matched > 500


def test_what_a_matcher_does_not_see_in_a_whole_post_no_footer_makes_match(
    lexicon: Lexicon, post: Callable[..., Post]
) -> None:
    matcher = Matcher([topic("а", "Сирия -погода", exclude=("#спам",))], lexicon)
    assert matcher.sees(post("в Сирии"))
    assert matcher.sees(post("Москва", links=[(0, "https://сирия.example.org")]))
    assert not matcher.sees(post("Москва"))
    assert matcher.match(post("Москва"), 3) == ()
