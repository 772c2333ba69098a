"""How a configuration names channels and destinations: @names, t.me links, ids. Telegram is not asked.

Links: https://core.telegram.org/api/links
Ids: https://core.telegram.org/api/bots/ids
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from bot.model import ChannelRef, ChatId, Destination, Invite, Me, Username, marked_id

#: Telegram leaves room up to 2**40, but what is that long today is a channel's id without its minus.
_PEOPLE = range(1, 10**12)
_GROUPS = range(-999_999_999_999, 0)
_CHANNELS = range(-1_997_852_516_352, -1_000_000_000_000)
#: Forum topics and posts are numbered by 32-bit integers.
_NUMBERS = range(1, 2**31)

_HOSTS = ("t.me", "telegram.me", "telegram.dog")
#: First words of t.me links that name no chat.
_RESERVED = frozenset(
    """a addemoji addlist addstickers addstyle addtheme auction auth bg boost c call confirmphone contact contest
    giftcode invoice iv joinchat k login m msg newbot nft proxy s setlanguage share socks stickers web www z""".split()
)
_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?P<host>[a-z0-9_-]+\.t\.me|t\.me|telegram\.(?:me|dog))(?=[/?#]|$)"
    r"/?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE,
)
_APP_LINK = re.compile(r"tg:(?://)?(?P<action>[a-z]+)/?(?:\?(?P<query>[^#]*))?(?:#.*)?", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_CODE = re.compile(r"[A-Za-z0-9_-]{6,64}")
#: A bot's token; an ``api_hash`` or the secret of an MTProxy; a password in a URL, or in one that lost its scheme;
#: the address of a proxy or of what takes notices, which nobody else should know.
_SECRET = re.compile(
    r"""(?<![0-9])[0-9]{6,}+:[A-Za-z0-9_-]{20,}
    | (?=[0-9]{0,31}[A-Fa-f])(?=[A-Fa-f]{0,31}[0-9])[0-9A-Fa-f]{32}
    | ://[^\s/"']*@
    | (?<!\btg)(?<!\bhttp)(?<!\bhttps)://
    | ://[^\s"']*(?:hook|token|secret|key=)
    | (?<=[^\s:@/"',]):[^\s:@/"']+@
    | (?:pass|secret|token|password)=""",
    re.VERBOSE | re.IGNORECASE,
)
_SEVERAL = re.compile(r"[,;]|\s(?=@|-100|https?:|tg:|t\.me/)")

_FORMS = "write @name, a t.me link or the -100… id"
_DESTINATIONS = 'write "me", @name, a t.me link or an id, for a forum topic with its number behind: @name/12'
_LETTERS = "a name is 4 to 32 of a-z, 0-9 and _, and begins with a letter"


def is_suspect(text: str) -> bool:
    """Whether a text holds what may be a secret: wherever it was typed, messages do not show it."""
    return _SECRET.search(text) is not None


class NotAReference(ValueError):  # noqa: N818 - it says what the text is
    """``what`` is wrong with a text (never showing a secret put there by mistake), ``hint``: what would be right."""

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(f"{what}; {hint}")
        self.what = what
        self.hint = hint


class _Named(NamedTuple):
    """A chat, and the numbers behind it: of a post, of a forum topic, or of both, the topic first."""

    chat: Me | Username | Invite | ChatId
    numbers: tuple[int, ...] = ()
    by_link: bool = True


def channel_ref(text: str) -> ChannelRef:
    """The channel that a text names; of the link of a post, its channel. Raises `NotAReference`."""
    named = _read(text, _FORMS)
    match named.chat:
        case Me():
            raise NotAReference('"me" is a person and not a channel', hint=_FORMS)
        case ChatId(id) if id not in _CHANNELS:
            kind = "a person" if id > 0 else "a basic group"
            raise NotAReference(f"{id} is the id of {kind} and not of a channel", hint=_marked(id))
        case chat if named.numbers and not named.by_link:
            raise NotAReference("one forum topic of a chat cannot be watched", hint=f"write {chat} for all of it")
        case chat:
            return chat


def destination(text: str) -> Destination:
    """The chat, or forum topic in one, that a text names. Raises `NotAReference`."""
    named = _read(text, _DESTINATIONS)
    match named.chat:
        case Invite():
            raise NotAReference(
                "an invite link is no destination", hint="join the chat and write its @name or its -100… id"
            )
        case Me() if named.numbers:
            raise NotAReference('"me" has no forum topics', hint='write "me"')
        case chat:
            return Destination(chat, named.numbers[0] if named.numbers else None)


def _read(text: str, forms: str) -> _Named:
    text = text.strip()
    _refuse_at_sight(text, forms)
    if link := _LINK.fullmatch(text):
        return _link(link, forms)
    if link := _APP_LINK.fullmatch(text):
        return _app_link(link, forms)
    word, slash, thread = text.partition("/")
    chat: Me | Username | ChatId
    if word == "me":
        chat = Me()
    elif word.startswith("@"):
        chat = _username(word[1:])
    elif re.fullmatch("-?[0-9]+", word):
        chat = _chat_id(word)
    else:
        raise _unknown(text, forms)
    return _Named(chat, (_number(thread, "a forum topic", forms),) if slash else (), by_link=False)


def _refuse_at_sight(text: str, forms: str) -> None:
    """What no form allows, whatever the text means to be."""
    if not text:
        raise NotAReference("nothing stands here", hint=forms)
    if is_suspect(text):
        raise NotAReference("this looks like a secret", hint=f"{forms}; secrets belong in [telegram]")
    if _SEVERAL.search(text):
        raise NotAReference("several chats stand in one pair of quotes", hint=f"a pair of quotes holds one; {forms}")
    if any(character.isspace() for character in text):
        raise NotAReference("a blank stands inside", hint=f"a title is no name; {forms}")
    if re.fullmatch(r"\+[0-9().-]+", text):
        raise _phone(forms)
    if strange := re.search(r"[^!-~]", text):
        raise NotAReference(f"{_described(strange[0])} cannot stand here", hint=f"type it in Latin script; {forms}")


def _unknown(text: str, forms: str) -> NotAReference:
    word = text.partition("/")[0]
    if word.lower() == "me":
        return NotAReference(f'"{word}" is no chat', hint='the reader\'s own is written "me"')
    if _NAME.fullmatch(word):
        return NotAReference(f'the @ is missing before "{word}"', hint=f"write @{text.lower()}")
    if re.search(r"[a-z]\.[a-z]|^tg:|://", text, re.IGNORECASE):
        return NotAReference("this is no link to a chat in Telegram", hint=forms)
    return NotAReference("this names no chat", hint=forms)


def _phone(forms: str) -> NotAReference:
    return NotAReference("this is a phone number and names no chat", hint=forms)


def _link(link: re.Match[str], forms: str) -> _Named:
    """``t.me/…`` and ``name.t.me/…``, with whatever may stand before and behind."""
    words = [word for word in link["path"].split("/") if word]
    host = link["host"].lower()
    if host not in _HOSTS:
        words.insert(0, host.removesuffix(".t.me"))
    query = _query(link["query"])
    match words:
        case []:
            raise NotAReference("this link names no chat", hint=forms)
        case [word] if word.startswith("+"):
            return _Named(_invite(word[1:], forms))
        case ["joinchat", code]:
            return _Named(_invite(code, forms))
        case ["c", channel, *rest]:
            return _Named(_private(channel, forms), _numbers(rest, query, forms))
        case ["s", name, *rest]:
            return _Named(_username(name), _numbers(rest, query, forms))
        case [word, *_] if word.lower() in _RESERVED:
            raise _reserved(word.lower(), forms)
    return _Named(_username(words[0].removeprefix("@")), _numbers(words[1:], query, forms))


def _app_link(link: re.Match[str], forms: str) -> _Named:
    """``tg://…``, as clients hand links to each other."""
    query = _query(link["query"])
    post = [query["post"]] if "post" in query else []
    match link["action"].lower():
        case "resolve" if "domain" in query:
            return _Named(_username(query["domain"]), _numbers(post, query, forms))
        case "resolve" if "phone" in query:
            raise _phone(forms)
        case "join" if "invite" in query:
            return _Named(_invite(query["invite"], forms))
        case "privatepost" if "channel" in query:
            return _Named(_private(query["channel"], forms), _numbers(post, query, forms))
        case action:
            raise _reserved(action, forms)


def _reserved(word: str, forms: str) -> NotAReference:
    if word == "addlist":
        what, hint = "this link shares a folder", "add the folder in Telegram and name it in [watch] folder"
        return NotAReference(what, hint=hint)
    return NotAReference("this link names no chat but does something in Telegram", hint=forms)


def _query(text: str | None) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in (text or "").split("&"))
    return {key.lower(): value for key, _, value in pairs}


def _numbers(words: list[str], query: dict[str, str], forms: str) -> tuple[int, ...]:
    """Of the link of a post: the forum topic, if it says one, and the post."""
    words = [query["thread"], *words[-1:]] if "thread" in query else words
    if len(words) > 2:
        raise NotAReference("too much stands behind the chat", hint=forms)
    return tuple([_number(word, "a post", forms) for word in words])


def _number(word: str, whose: str, forms: str) -> int:
    number = _integer(word)
    if number not in _NUMBERS:
        raise NotAReference(f"what stands behind the last / is not the number of {whose}", hint=forms)
    return number


def _integer(digits: str) -> int:
    """0 when it is none, or longer than any number of Telegram's."""
    return int(digits) if re.fullmatch("-?[0-9]{1,16}", digits) else 0


def _username(name: str) -> Username:
    if _NAME.fullmatch(name):
        return Username(name.lower())
    if strange := re.search(r"[^A-Za-z0-9_]", name):
        raise NotAReference(f"{_described(strange[0])} cannot stand in a name", hint=_LETTERS)
    if re.match("[0-9_]", name):
        raise NotAReference(f"a name cannot begin with {name[0]}", hint=_LETTERS)
    letters = f"{len(name)} letter{'' if len(name) == 1 else 's'}"
    raise NotAReference(f"a name of {letters} is too {'short' if len(name) < 4 else 'long'}", hint=_LETTERS)


def _invite(code: str, forms: str) -> Invite:
    if re.fullmatch("[0-9]+", code):
        raise _phone(forms)
    if not _CODE.fullmatch(code):
        raise NotAReference(
            "the code of this invite link is not whole", hint="copy the link again: t.me/+ and its code"
        )
    return Invite(code)


def _private(number: str, forms: str) -> ChatId:
    """The channel by its own number, as ``t.me/c/…`` links have it; its marked id is forgiven."""
    found = _integer(number)
    if marked_id(found) not in _CHANNELS:
        raise NotAReference("this is not the number of a channel", hint=forms)
    return ChatId(marked_id(found))


def _chat_id(digits: str) -> ChatId:
    id = _integer(digits)  # noqa: A001 - it is Telegram's word
    if id not in _PEOPLE and id not in _GROUPS and id not in _CHANNELS:
        hint = f"write {-id}" if -id in _CHANNELS else "a channel's id is -100 and ten digits or so behind it"
        raise NotAReference("no chat has this id", hint=hint)
    return ChatId(id)


def _marked(id: int) -> str:  # noqa: A002 - it is Telegram's word
    """What would be right if the id holds a channel's own number, bare or behind a -100 that is too short for it."""
    digits = str(id)
    number = int(digits.removeprefix("-100") or 0) or abs(id)
    marked = marked_id(abs(number))
    return f"if {abs(number)} is the number of a channel, write {marked}" if marked in _CHANNELS else _FORMS


def _described(character: str) -> str:
    """A character as a person can tell it from its look-alike."""
    shown = f'"{character}" ' if character.isprintable() else ""
    name = unicodedata.name(character, "")
    return f"{shown}({f'{name}, ' if name else ''}U+{ord(character):04X})"
