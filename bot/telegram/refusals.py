"""What Telegram's refusals of channels and chats mean to a person: from their codes to words.

Codes: https://core.telegram.org/api/errors; those in `bot.telegram.peers` and `chats` are ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.errors import NoAccessError, RefusedError, TelegramError
from bot.standing import Standing
from bot.telegram import chats, peers

_NOBODY = "there is nobody of this name in Telegram; look how it is spelt, or whether it was renamed"
_THROWN_OUT = "this account was thrown out of it"
_A_STRANGER = "this account cannot write there; a bot has to be written to first: press its start"
_NO_INVITE = "this is no invite link that Telegram knows; copy it again"
_TOO_MANY = "this account is in as many channels as Telegram allows; leave some of them"
_FROZEN = "Telegram has frozen this account; a Telegram app shows why"
#: By code: the rest of a sentence, without its full stop.
WORDS: Mapping[str, str] = {
    "USERNAME_NOT_OCCUPIED": _NOBODY,
    "USERNAME_INVALID": _NOBODY,
    peers.NOT_A_CHANNEL: "this is a person, a bot or a small group; channels and supergroups can be watched",
    peers.NOT_A_MEMBER: "this account is not in it; join it in Telegram, or write its @name or an invite link",
    peers.JOIN_NEEDED: "it is private, and only who has joined it can read it",
    peers.NEEDS_PERSON: "a bot guards it and wants to talk with somebody; join it in a Telegram app",
    peers.FORBIDDEN: _THROWN_OUT,
    "CHAT_FORBIDDEN": _THROWN_OUT,
    "USER_BANNED_IN_CHANNEL": _THROWN_OUT,
    "CHANNEL_BANNED": "Telegram has closed it",
    "CHANNEL_PRIVATE": "it is private, and this account is not in it, or not any more",
    "CHANNEL_INVALID": "it is gone, or this account has lost its way to it",
    "CHANNEL_PUBLIC_GROUP_NA": "it is not open to this account",
    "CHAT_ID_INVALID": "there is no such group, or this account is not in it",
    chats.NAME_NEEDED: "people are found by their names only; write the @name of this person",
    chats.MIGRATED: "it has become a supergroup, which has an id of its own that begins with -100; write that",
    "PEER_ID_INVALID": _A_STRANGER,
    "USER_ID_INVALID": _A_STRANGER,
    "INPUT_USER_DEACTIVATED": "this person's account was deleted",
    "INVITE_HASH_EXPIRED": "the invite link is not good any more; ask for a new one",
    "INVITE_HASH_INVALID": _NO_INVITE,
    "INVITE_HASH_EMPTY": _NO_INVITE,
    "INVITE_REQUEST_SENT": "its administrators were asked to let this account in, and have not done so yet",
    "CHANNELS_TOO_MUCH": _TOO_MANY,
    "USER_CHANNELS_TOO_MUCH": _TOO_MANY,
    "USERS_TOO_MUCH": "it is full",
    "STARS_PAYMENT_REQUIRED": "joining it has to be paid for; join it in a Telegram app",
    "FROZEN_METHOD_INVALID": _FROZEN,
    "FROZEN_PARTICIPANT_MISSING": _FROZEN,
}


#: How an account stands with a channel of which it is told this; any other code is `Standing.REFUSED`.
STANDINGS: Mapping[str, Standing] = {
    **dict.fromkeys(
        (
            *("USERNAME_NOT_OCCUPIED", "USERNAME_INVALID"),
            *("INVITE_HASH_EXPIRED", "INVITE_HASH_INVALID", "INVITE_HASH_EMPTY"),
            # None of these says anything of the channel: it is still to be found or joined.
            *("CHANNELS_TOO_MUCH", "USER_CHANNELS_TOO_MUCH", "FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING"),
        ),
        Standing.SOUGHT,
    ),
    "INVITE_REQUEST_SENT": Standing.ASKED,
    **dict.fromkeys(
        (peers.NOT_A_MEMBER, peers.JOIN_NEEDED, "CHANNEL_PRIVATE", "CHANNEL_PUBLIC_GROUP_NA"), Standing.PRIVATE
    ),
    **dict.fromkeys((peers.FORBIDDEN, "CHAT_FORBIDDEN", "USER_BANNED_IN_CHANNEL"), Standing.BANNED),
    **dict.fromkeys(("CHANNEL_INVALID", "CHANNEL_BANNED"), Standing.GONE),
    **dict.fromkeys((peers.NEEDS_PERSON, "STARS_PAYMENT_REQUIRED"), Standing.NEEDS_PERSON),
}
#: Of a channel that cannot be read, what can be done, as the rest of a sentence.
REMEDIES: Mapping[Standing, str] = {
    Standing.PRIVATE: "join it again in Telegram, or give an invite link to it",
    Standing.BANNED: "only its administrators can undo that; otherwise remove it",
    Standing.GONE: "remove it, or write the name that it has now",
}


def in_words(code: str) -> str:
    """What a code means, as the rest of a sentence without its full stop; of one that is not known the code itself."""
    if code.startswith(peers.MOVED):
        return f"it was a small group and has become a supergroup; write {code.removeprefix(peers.MOVED)}"
    return WORDS.get(code) or f"Telegram refuses it ({code})"


def code_of(error: TelegramError) -> str:
    """Telegram's word for a refusal; nothing for an error that is none."""
    match error:
        case NoAccessError(why=code) | RefusedError(code=code):
            return code
        case _:
            return ""


def standing(code: str) -> Standing:
    """How an account stands with a channel that is refused with this code."""
    return STANDINGS.get(code, Standing.REFUSED)


def of_the_account(code: str) -> bool:
    """Whether it is the account, not the channel, for which nothing more can be joined."""
    return code in _OF_THE_ACCOUNT


_OF_THE_ACCOUNT = frozenset(
    ("CHANNELS_TOO_MUCH", "USER_CHANNELS_TOO_MUCH", "FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING")
)


def why(error: TelegramError) -> str:
    """What an error means; one that is no refusal says it itself."""
    return in_words(code) if (code := code_of(error)) else str(error).rstrip(".")


# --- sending --------------------------------------------------------------------------------------------------

#: What is wrong with a message, and with no chat.
OF_MESSAGE = frozenset(
    (
        *("MESSAGE_TOO_LONG", "MESSAGE_EMPTY", "ENTITY_BOUNDS_INVALID", "ENTITIES_TOO_LONG"),
        *("ENTITY_MENTION_USER_INVALID", "ENTITY_TEXTURL_INVALID", "RANDOM_ID_INVALID", "RANDOM_ID_EMPTY"),
    )
)
#: The chat is addressed by what is not good any more, or never was.
STALE = frozenset(("PEER_ID_INVALID", "CHANNEL_INVALID", "USER_ID_INVALID", "CHAT_ID_INVALID"))
#: The chat takes nothing any more, and its name is that of another one.
MOVED = "NAME_MOVED"
#: A sent message that cannot be edited any more, whatever it should say.
UNCHANGEABLE = frozenset(("MESSAGE_ID_INVALID", "MESSAGE_EDIT_TIME_EXPIRED", "MESSAGE_AUTHOR_REQUIRED"))
#: How an account that sends is called.
_BOT, _READER = "the bot", "this account"
_NOT_THERE = "{who} is not in it, or not any more; add it there, in a channel as an administrator who may post"
_MAY_NOT = "{who} may not write there; make it an administrator with the right to post"
_REMOVED = "{who} was removed from it; add it there again, in a channel as an administrator who may post"
_NO_TOPIC = "there is no such topic, or not any more; write another one"
_UNSENT: Mapping[str, str] = {
    **dict.fromkeys(("CHAT_WRITE_FORBIDDEN", "CHAT_ADMIN_REQUIRED", "CHAT_GUEST_SEND_FORBIDDEN"), _MAY_NOT),
    **dict.fromkeys(("CHANNEL_PRIVATE", "CHANNEL_INVALID", "CHANNEL_PUBLIC_GROUP_NA", "CHAT_FORBIDDEN"), _NOT_THERE),
    peers.NOT_A_MEMBER: _NOT_THERE,
    peers.FORBIDDEN: _REMOVED,
    **dict.fromkeys(("TOPIC_DELETED", "TOPIC_ID_INVALID", "REPLY_MESSAGE_ID_INVALID", "MESSAGE_ID_INVALID"), _NO_TOPIC),
    MOVED: "another chat has this name by now; write the id (-100...) of the one that is meant",
    "CHAT_SEND_PLAIN_FORBIDDEN": "members may not write text there; let {who} do so",
    "CHAT_RESTRICTED": "Telegram has restricted this chat, so that nobody can write there; choose another one",
    "USER_BANNED_IN_CHANNEL": "{who} was banned there; have an administrator let it in again. Or Telegram has "
    "limited it, which t.me/SpamBot says",
    "TOPIC_CLOSED": "the topic is closed; open it, or make {who} an administrator who may write in it",
    "USER_IS_BLOCKED": "this person has blocked {who}; unblock it",
    "YOU_BLOCKED_USER": "{who} has blocked this person; unblock them",
    "INPUT_USER_DEACTIVATED": "this person's account was deleted; choose another chat",
    "USER_IS_BOT": "this is a bot, and {who} cannot write to it; choose another chat",
    "ALLOW_PAYMENT_REQUIRED": "writing there has to be paid for; let {who} write for nothing, or choose another chat",
    "PRIVACY_PREMIUM_REQUIRED": "this person takes messages of Premium accounts only; choose another chat",
}
_OF_A_BOT: Mapping[str, str] = {
    "PEER_ID_INVALID": "whoever is to read there has never started the bot: open the bot in Telegram and press its "
    "start; to a group, add it",
    "USER_IS_BLOCKED": "whoever is to read there has never started the bot, or has blocked it: open the bot in "
    "Telegram and press its start",
    # A bot has no dealings with t.me/SpamBot.
    "USER_BANNED_IN_CHANNEL": _REMOVED,
}
#: A forward that comes from a channel in which a bot cannot be, and one of another channel of the same name.
NAMELESS, RENAMED = "CHANNEL_NAMELESS", "CHANNEL_RENAMED"
#: The name of a channel cannot be looked up just now.
NOT_NOW = "NOT_NOW"
_UNFORWARDED: Mapping[str, str] = {
    "CHAT_FORWARDS_RESTRICTED": "it does not let its posts be forwarded",
    "MESSAGE_ID_INVALID": "the post is gone",
    "CHANNEL_PRIVATE": "{who} cannot see it",
    "CHANNEL_INVALID": "{who} cannot see it",
    "CHANNEL_PUBLIC_GROUP_NA": "{who} cannot see it",
    NAMELESS: "it is private, and {who} cannot see it",
    RENAMED: "its name has changed",
    NOT_NOW: "Telegram does not let {who} look it up just now",
}
#: Why none of a channel's posts can be forwarded, for as long as things stand so.
UNFORWARDABLE = frozenset(
    (
        *("CHAT_FORWARDS_RESTRICTED", "CHANNEL_PRIVATE", "CHANNEL_INVALID", "CHANNEL_PUBLIC_GROUP_NA"),
        *("PEER_ID_INVALID", "USERNAME_NOT_OCCUPIED", "USERNAME_INVALID", NAMELESS, RENAMED),
    )
)


def unsent(code: str, *, bot: bool) -> str:
    """Why a chat takes no messages and what to do, as the rest of a sentence; ``bot``: it is one that sends."""
    name = re.sub(r"_(\d+|X)$", "", code)
    if name in OF_MESSAGE:
        return f"Telegram does not take this message ({name}), which is a defect of vedette; please report it"
    words = (_OF_A_BOT.get(name) if bot else None) or _UNSENT.get(name) or in_words(name)
    return words.format(who=_BOT if bot else _READER)


def unforwarded(code: str, *, bot: bool) -> str:
    """Why a post cannot be forwarded, as the rest of a sentence about its channel."""
    return (_UNFORWARDED.get(code) or in_words(code)).format(who=_BOT if bot else _READER)
