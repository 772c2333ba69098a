"""Hashtags, names and links: which are found in a text, and where."""

from __future__ import annotations

import pytest

from bot.text.signs import hashtag_key, hashtags, host_key, links, names, parents

HASHTAGS = {
    "plain": ("взрыв #Сирия сегодня", "#Сирия", ["сирия"]),
    "with parts": ("#Сирия_сегодня", "#Сирия_сегодня", ["сирия_сегодня"]),
    "ё": ("#Самолёт", "#Самолёт", ["самолет"]),
    "Latin look-alike": ("#Cирия", "#Cирия", ["сирия"]),
    "soft hyphen": ("#Си\u00adрия", "#Си\u00adрия", ["сирия"]),
    "behind an emoji": ("⚡️#Сирия", "#Сирия", ["сирия"]),
    "full width sign": ("＃Сирия", "＃Сирия", ["сирия"]),
    "two, glued": ("#Сирия#Иран", "#Сирия", ["сирия"]),
    "digits and a letter": ("#С300", "#С300", ["с300"]),
    "digits alone": ("#300", None, []),
    "keycap": ("#️⃣ Сирия", None, []),
    "inside a word": ("C#sharp", None, []),
    "an HTML entity": ("&#1057;", None, []),
    "a blank after it": ("# Сирия", None, []),
    "signs alone": ("####", None, []),
}

NAMES = {
    "mention": ("читайте @Rybar, там", "@Rybar", ["rybar"]),
    "at the end of a sentence": ("(@rybar)", "@rybar", ["rybar"]),
    "link": ("t.me/rybar", "t.me/rybar", ["rybar"]),
    "link to a post": ("https://t.me/rybar/123", "https://t.me/rybar", ["rybar"]),
    "web view": ("https://t.me/s/rybar", "https://t.me/s/rybar", ["rybar"]),
    "telegram.me": ("telegram.me/rybar", "telegram.me/rybar", ["rybar"]),
    "subdomain": ("https://rybar.t.me", "https://rybar.t.me", ["rybar"]),
    "tg resolve": ("tg://resolve?domain=Rybar&post=1", "tg://resolve?domain=Rybar", ["rybar"]),
    "tg resolve, other order": ("tg://resolve?post=1&domain=rybar", "tg://resolve?post=1&domain=rybar", ["rybar"]),
    "boost": ("t.me/boost/rybar", "t.me/boost/rybar", ["rybar"]),
    "e-mail": ("mail@rybar.ru", None, []),
    "invite": ("t.me/+AbCdEf", None, []),
    "old invite": ("t.me/joinchat/AbCdEf", None, []),
    "private channel": ("https://t.me/c/123/45", None, []),
    "another host": ("not.me/rybar budget.me/rybar", None, []),
    "path of another host": ("x.com/@rybar", None, []),
    "a letter": ("@a", None, []),
    "Cyrillic": ("@рыбарь", None, []),
}

LINKS = {
    "https": ("https://news.example.org/a?b=1 и", "https://news.example.org/a?b=1", ["news.example.org"]),
    "without a scheme": ("на example.org, там", "example.org", ["example.org"]),
    "end of a sentence": ("(https://example.org/a).", "https://example.org/a", ["example.org"]),
    "capitals": ("HTTPS://Example.ORG", "HTTPS://Example.ORG", ["example.org"]),
    "port": ("http://example.org:8080/a", "http://example.org:8080/a", ["example.org"]),
    "user": ("https://user:word@example.org/a", "https://user:word@example.org/a", ["example.org"]),
    "e-mail": ("info@example.org", None, []),
    "in the query of another": ("https://x.com/?u=example.org", "https://x.com/?u=example.org", ["x.com"]),
    "Cyrillic": ("минобороны.рф", "минобороны.рф", ["минобороны.рф"]),
    "punycode": ("http://xn--90adear.xn--p1ai/", "http://xn--90adear.xn--p1ai/", ["гибдд.рф"]),
    "in guillemets": ("«https://example.org/a»", "https://example.org/a", ["example.org"]),
    "broken punycode": ("http://xn--\u0430.com", None, []),
    "number": ("3.14 и 10.5", None, []),
    "initials": ("А. С. Пушкин", None, []),
    "dots": ("и... так", None, []),
    "a bare word": ("localhost", None, []),
}


@pytest.mark.parametrize("case", HASHTAGS)
def test_hashtags_are_found_as_a_whole(case: str) -> None:
    text, sign, keys = HASHTAGS[case]
    found = list(hashtags(text))
    assert [one.key for one in found] == keys
    assert [text[one.start : one.end] for one in found] == ([sign] if sign else [])


@pytest.mark.parametrize("case", NAMES)
def test_names_are_found_where_a_reader_would_recognise_them(case: str) -> None:
    text, sign, keys = NAMES[case]
    found = list(names(text))
    assert [one.key for one in found] == keys
    assert [text[one.start : one.end] for one in found] == ([sign] if sign else [])


@pytest.mark.parametrize("case", LINKS)
def test_links_are_found_by_their_host(case: str) -> None:
    text, sign, keys = LINKS[case]
    found = list(links(text))
    assert [one.key for one in found] == keys
    assert [text[one.start : one.end] for one in found] == ([sign] if sign else [])


@pytest.mark.parametrize(
    ("name", "key"),
    [("Сирия", "сирия"), ("Ёлка_Cирия", "елка_сирия"), ("2024", ""), ("", ""), ("а б", ""), ("а-б", ""), ("_", "")],
    ids=ascii,
)
def test_the_key_of_a_hashtag_is_empty_when_it_is_none(name: str, key: str) -> None:
    assert hashtag_key(name) == key


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("xn--p1ai.xn--p1ai", "рф.рф"),
        ("org", None),
        ("", None),
        ("exa mple.org", None),
        ("1.2.3.4", None),
        ("-.", None),
    ],
)
def test_a_host_has_a_key_when_it_is_one(host: str, key: str | None) -> None:
    assert host_key(host) == key


def test_parents_go_from_the_host_to_the_top() -> None:
    assert list(parents("news.example.org")) == ["news.example.org", "example.org", "org"]
    assert list(parents("")) == []
