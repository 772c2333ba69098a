"""How channels and destinations are named, rightly and wrongly."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.config.references import NotAReference, channel_ref, destination
from bot.model import ChannelRef, ChatId, Destination, Invite, Me, Username, marked_id

cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "150")), deadline=None)

NAME = Username("rybar_demo")
PRIVATE = ChatId(-1001234567890)


def refused(text: str, *, read: type[Destination] | None = None) -> NotAReference:
    with pytest.raises(NotAReference) as raised:
        (destination if read else channel_ref)(text)
    assert str(raised.value) == f"{raised.value.what}; {raised.value.hint}"
    return raised.value


def tried(read: Callable[[str], ChannelRef | Destination], text: str) -> ChannelRef | Destination | NotAReference:
    try:
        return read(text)
    except NotAReference as error:
        return error


# --- channels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    """@rybar_demo @Rybar_Demo t.me/rybar_demo T.me/RYBAR_demo https://t.me/rybar_demo http://t.me/rybar_demo/
    https://www.t.me/rybar_demo www.t.me/rybar_demo telegram.me/rybar_demo https://telegram.dog/rybar_demo
    rybar_demo.t.me https://rybar_demo.t.me/ https://rybar_demo.t.me/123 t.me/s/rybar_demo https://t.me/s/rybar_demo/12
    https://t.me/s/rybar_demo?before=120 https://t.me/rybar_demo/123 t.me/rybar_demo/123?single t.me/rybar_demo/5/123
    https://t.me/rybar_demo/123?comment=4&thread=5 t.me/rybar_demo?boost t.me/rybar_demo#top t.me/@rybar_demo
    tg://resolve?domain=rybar_demo tg://resolve?domain=Rybar_demo&post=123 tg:resolve?domain=rybar_demo""".split(),
)
def test_every_spelling_of_a_public_channel_is_its_name_in_small_letters(text: str) -> None:
    assert channel_ref(text) == NAME


@pytest.mark.parametrize(
    "text",
    """-1001234567890 t.me/c/1234567890 https://t.me/c/1234567890/55 t.me/c/1234567890/5/55?single
    t.me/c/-1001234567890/55
    tg://privatepost?channel=1234567890&post=55""".split(),
)
def test_every_spelling_of_a_private_channel_is_its_marked_id(text: str) -> None:
    assert channel_ref(text) == PRIVATE


@pytest.mark.parametrize(
    "text",
    """t.me/+AbCdEf_-12345678 https://t.me/+AbCdEf_-12345678 telegram.me/joinchat/AbCdEf_-12345678
    tg://join?invite=AbCdEf_-12345678 https://t.me/joinchat/AbCdEf_-12345678?x""".split(),
)
def test_every_spelling_of_an_invite_link_is_its_code(text: str) -> None:
    assert channel_ref(text) == Invite("AbCdEf_-12345678")


def test_blanks_around_are_forgiven() -> None:
    assert channel_ref("\n @rybar_demo\u00a0") == NAME


@pytest.mark.parametrize("name", ["abcd", "a" * 32, "A_1_"])
def test_a_name_has_4_to_32_letters(name: str) -> None:
    assert channel_ref(f"@{name}") == Username(name.lower())


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("", "nothing", "@name"),
        (" \n", "nothing", "@name"),
        ("rybar_demo", 'the @ is missing before "rybar_demo"', "write @rybar_demo"),
        ("Rybar_demo/12", "the @ is missing", "write @rybar_demo"),
        ("@a", "a name of 1 letter is too short", "4 to 32"),
        ("@abc", "a name of 3 letters is too short", "4 to 32"),
        ("@" + "a" * 33, "a name of 33 letters is too long", "4 to 32"),
        ("@", "too short", "4 to 32"),
        ("@1rybar", "cannot begin with 1", "begins with a letter"),
        ("@_rybar", "cannot begin with _", "begins with a letter"),
        ("@ry-bar", '"-" (HYPHEN-MINUS, U+002D) cannot stand in a name', "a-z"),
        ("@rуbar_demo", '"у" (CYRILLIC SMALL LETTER U, U+0443)', "Latin"),
        ("https://t.me/rybаr_demo", '"а" (CYRILLIC SMALL LETTER A, U+0430)', "Latin"),
        ("@ｒybar_demo", "FULLWIDTH LATIN SMALL LETTER R, U+FF52", "Latin"),
        ("@rybar\u200b_demo", "(ZERO WIDTH SPACE, U+200B)", "Latin"),
        ("−1001234567890", "MINUS SIGN", "-100…"),
        ("@rybar\x00demo", "(U+0000)", "Latin"),
        ("@rybar\ud83d", "(U+D83D)", "Latin"),
        ("Рыбарь", "CYRILLIC CAPITAL LETTER ER", "@name"),
        ("War bloggers", "a blank stands inside", "a title is no name"),
        ("@one_demo, @two_demo", "several chats", "holds one"),
        ("@one_demo @two_demo", "several chats", "holds one"),
        ("t.me/one_demo;t.me/two_demo", "several chats", "holds one"),
        ("1234567890", "1234567890 is the id of a person", "write -1001234567890"),
        ("-1234567890", "-1234567890 is the id of a basic group", "write -1001234567890"),
        ("-100123456789", "basic group", "if 123456789 is the number of a channel, write -1000123456789"),
        ("-100", "basic group", "if 100 is the number of a channel, write -1000000000100"),
        ("1001234567890", "no chat has this id", "write -1001234567890"),
        ("0", "no chat has this id", "-100"),
        ("-1000000000000", "no chat has this id", "-100"),
        ("-" + "9" * 5000, "no chat has this id", "-100"),
        ("me", '"me" is a person', "@name"),
        ("ME", '"ME" is no chat', '"me"'),
        ("@rybar_demo/12", "one forum topic", "write @rybar_demo"),
        ("-1001234567890/12", "one forum topic", "write -1001234567890"),
        ("+79991234567", "phone number", "@name"),
        ("t.me/+79991234567", "phone number", "@name"),
        ("tg://join?invite=79991234567", "phone number", "@name"),
        ("tg://resolve?phone=79991234567", "phone number", "@name"),
        ("t.me/+ab", "not whole", "t.me/+"),
        ("t.me/joinchat/", "does something", "@name"),
        ("https://t.me/addlist/AbCdEf", "shares a folder", "[watch] folder"),
        ("tg://addlist?slug=AbCdEf", "shares a folder", "[watch] folder"),
        ("t.me/share/url?url=x", "does something", "@name"),
        ("t.me/Proxy?server=x", "does something", "@name"),
        ("https://t.me/c", "does something", "@name"),
        ("https://t.me/s/", "does something", "@name"),
        ("web.t.me/k", "does something", "@name"),
        ("tg://settings", "does something", "@name"),
        ("tg://resolve", "does something", "@name"),
        ("https://t.me", "this link names no chat", "@name"),
        ("https://t.me/?x", "this link names no chat", "@name"),
        ("t.me/c/0/1", "not the number of a channel", "@name"),
        ("t.me/c/-1234567890/1", "not the number of a channel", "@name"),
        ("t.me/c/rybar/1", "not the number of a channel", "@name"),
        ("t.me/c/997852516353/1", "not the number of a channel", "@name"),
        ("t.me/rybar_demo/app", "not the number of a post", "@name"),
        ("t.me/rybar_demo/0", "not the number of a post", "@name"),
        ("t.me/rybar_demo/1/2/3", "too much", "@name"),
        ("https://example.org/rybar_demo", "no link to a chat", "@name"),
        ("t.me.example.org/rybar_demo", "no link to a chat", "@name"),
        ("tg://", "no link to a chat", "@name"),
        ("#rybar", "this names no chat", "@name"),
        ("123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr", "looks like a secret", "[telegram]"),
        ("a0123456789abcdef0123456789abcde", "looks like a secret", "[telegram]"),
    ],
    ids=ascii,
)
def test_what_is_no_channel_is_told_and_what_would_be_right(text: str, what: str, hint: str) -> None:
    error = refused(text)
    assert what in error.what
    assert hint in error.hint


# --- destinations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me", Destination(Me())),
        (" me ", Destination(Me())),
        ("@Syria_desk", Destination(Username("syria_desk"))),
        ("@syria_desk/12", Destination(Username("syria_desk"), 12)),
        ("@syria_desk/1", Destination(Username("syria_desk"), 1)),
        ("https://t.me/syria_desk", Destination(Username("syria_desk"))),
        ("https://t.me/syria_desk/12", Destination(Username("syria_desk"), 12)),
        ("https://t.me/syria_desk/12/345", Destination(Username("syria_desk"), 12)),
        ("https://t.me/syria_desk/345?thread=12", Destination(Username("syria_desk"), 12)),
        ("tg://resolve?domain=syria_desk&post=12", Destination(Username("syria_desk"), 12)),
        ("-1001234567890", Destination(PRIVATE)),
        ("-1001234567890/12", Destination(PRIVATE, 12)),
        ("t.me/c/1234567890", Destination(PRIVATE)),
        ("https://t.me/c/1234567890/12", Destination(PRIVATE, 12)),
        ("tg://privatepost?channel=1234567890&post=345&thread=12", Destination(PRIVATE, 12)),
        ("-4012345678", Destination(ChatId(-4012345678))),
        ("123456789", Destination(ChatId(123456789))),
    ],
)
def test_a_destination_is_a_chat_or_a_forum_topic_in_one(text: str, expected: Destination) -> None:
    assert destination(text) == expected


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("t.me/+AbCdEf_-12345678", "an invite link is no destination", "join the chat"),
        ("me/12", "no forum topics", '"me"'),
        ("@me", "a name of 2 letters is too short", "4 to 32"),
        ("syria_desk/12", "the @ is missing", "write @syria_desk/12"),
        ("@syria_desk/", "not the number of a forum topic", "@name/12"),
        ("@syria_desk/0", "not the number of a forum topic", "@name/12"),
        ("@syria_desk/-1", "not the number of a forum topic", "@name/12"),
        ("@syria_desk/2147483648", "not the number of a forum topic", "@name/12"),
        ("@syria_desk/1/2", "not the number of a forum topic", "@name/12"),
        ("1001234567890", "no chat has this id", "write -1001234567890"),
        ("t.me/syria_desk/1?thread=x", "not the number of a post", "@name/12"),
    ],
)
def test_what_is_no_destination_is_told_and_what_would_be_right(text: str, what: str, hint: str) -> None:
    error = refused(text, read=Destination)
    assert what in error.what
    assert hint in error.hint


# --- properties ------------------------------------------------------------------------------------------------

pieces = st.one_of(
    st.sampled_from(
        """@ + - / ? & = # : . , _ me t.me telegram.me .t.me https:// tg:// tg:resolve? domain= post= thread= channel=
        join?invite= privatepost? c s joinchat addlist rybar_demo abc 12 -100 1234567890 AbCdEf12 www. ё""".split()
    ),
    st.characters(),
)
texts = st.one_of(st.lists(pieces, max_size=10).map("".join), st.text(st.characters(), max_size=20))
names = st.from_regex("[A-Za-z][A-Za-z0-9_]{3,31}", fullmatch=True)
numbers = st.integers(1, 997_852_516_352)
posts = st.integers(1, 2**31 - 1)


@pytest.mark.fuzz
@cases
@given(text=texts)
@example(text="9" * 100_000)
@example(text=" " * 50_000 + "a" + " " * 50_000 + "b")
@example(text="a" * 100_000)
@example(text="a-" * 50_000 + ".t.me/x")
@example(text="t.me/" + "/a" * 50_000)
@example(text="t.me/a?" + "&a" * 50_000)
def test_any_text_is_a_value_that_is_read_back_or_an_error_with_a_hint(text: str) -> None:
    started = time.perf_counter()
    for read in (channel_ref, destination):
        match tried(read, text):
            case NotAReference() as error:
                assert error.what
                assert error.hint
                assert str(error).isprintable()
            case value:
                assert read(str(value)) == value
    assert time.perf_counter() - started < 1


@pytest.mark.fuzz
@cases
@given(name=names, post=posts, host=st.sampled_from(["t.me", "telegram.me", "telegram.dog", "www.t.me"]))
def test_all_spellings_of_a_name_are_one_channel_and_one_destination(name: str, post: int, host: str) -> None:
    if isinstance(tried(channel_ref, f"t.me/{name}"), NotAReference):  # a word that Telegram keeps for itself
        return
    chats = [f"@{name}", f"https://{host}/{name}", f"http://{name}.t.me", f"tg://resolve?domain={name}"]
    inside = [f"{host}/{name}/{post}", f"{name}.t.me/{post}", f"tg://resolve?domain={name}&post={post}"]
    expected = Username(name.lower())
    assert {channel_ref(text) for text in [*chats, *inside, f"{host}/s/{name}?before={post}"]} == {expected}
    assert {destination(text) for text in chats} == {Destination(expected)}
    assert {destination(text) for text in [*inside, f"@{name}/{post}"]} == {Destination(expected, post)}


@pytest.mark.fuzz
@cases
@given(number=numbers, post=posts)
def test_all_spellings_of_a_private_channel_are_one(number: int, post: int) -> None:
    expected = ChatId(marked_id(number))
    inside = [f"t.me/c/{number}/{post}", f"tg://privatepost?channel={number}&post={post}"]
    assert {channel_ref(text) for text in [f"{expected}", *inside]} == {expected}
    assert {destination(text) for text in [f"{expected}/{post}", *inside]} == {Destination(expected, post)}
