"""Refusals in words: each code that a person may meet, and what is not known as it is."""

from __future__ import annotations

import pytest
from telethon import errors

from bot.errors import NoAccessError, RefusedError, UnreadableError, WaitError
from bot.standing import Standing
from bot.telegram import chats, peers, refusals
from bot.telegram.account import _NO_ACCESS


def test_a_refusal_is_said_in_words_whatever_error_it_is() -> None:
    assert refusals.why(RefusedError("USERNAME_NOT_OCCUPIED")).startswith("there is nobody of this name")
    assert refusals.why(NoAccessError("CHANNEL_PRIVATE")).startswith("it is private")


def test_an_unknown_code_is_told_as_it_is() -> None:
    assert refusals.why(RefusedError("SOMETHING_NEW")) == "Telegram refuses it (SOMETHING_NEW)"


def test_what_is_no_refusal_says_it_itself() -> None:
    assert refusals.why(WaitError("channels.joinChannel", 9)) == (
        "Telegram asks to wait 9 s before the next channels.joinChannel"
    )
    assert refusals.why(UnreadableError("update vedette")) == "update vedette"


def test_every_code_of_ours_and_every_one_that_closes_a_channel_has_words() -> None:
    ours = {peers.NOT_A_CHANNEL, peers.NOT_A_MEMBER, peers.JOIN_NEEDED, peers.NEEDS_PERSON, peers.FORBIDDEN}
    assert {code for code in ours | {chats.MIGRATED} | _NO_ACCESS if code in refusals.in_words(code)} == set()


def test_a_group_that_has_moved_is_told_with_its_new_id() -> None:
    assert refusals.in_words(f"{peers.MOVED}-1001234567890").endswith("write -1001234567890")


def test_every_code_that_closes_a_channel_says_how_it_stands_and_what_can_be_done() -> None:
    closing = {refusals.standing(code) for code in _NO_ACCESS}
    assert closing == {Standing.PRIVATE, Standing.BANNED, Standing.GONE}
    assert refusals.REMEDIES.keys() == closing
    assert refusals.standing("SOMETHING_NEW") is Standing.REFUSED


def test_what_is_no_refusal_has_no_code() -> None:
    assert refusals.code_of(RefusedError("USERNAME_INVALID")) == "USERNAME_INVALID"
    assert refusals.code_of(WaitError("channels.joinChannel", 9)) == ""


@pytest.mark.parametrize("code", sorted(refusals.WORDS.keys() | refusals.STANDINGS.keys()))
def test_words_belong_to_codes_that_there_are(code: str) -> None:
    own = {peers.NOT_A_CHANNEL, peers.NOT_A_MEMBER, peers.JOIN_NEEDED, peers.NEEDS_PERSON, peers.FORBIDDEN}
    assert (
        code in own | {chats.MIGRATED, chats.NAME_NEEDED} | _NO_ACCESS | {"STARS_PAYMENT_REQUIRED"}
        or code in errors.rpc_errors_dict
    )
    words = refusals.in_words(code)
    assert words[0] != words[0].upper() or words.startswith("Telegram")
    assert not words.endswith(".")


#: Codes of which Telethon has no class; they arrive as they are.
_UNKNOWN = {
    *("TOPIC_CLOSED", "TOPIC_ID_INVALID", "REPLY_MESSAGE_ID_INVALID", "ALLOW_PAYMENT_REQUIRED"),
    *("PRIVACY_PREMIUM_REQUIRED", "ENTITY_TEXTURL_INVALID"),
}


@pytest.mark.parametrize(
    "code",
    sorted(
        {*refusals._UNSENT, *refusals._OF_A_BOT, *refusals._UNFORWARDED, *refusals.UNFORWARDABLE, *refusals.OF_MESSAGE}
        | refusals.STALE
        | refusals.UNCHANGEABLE
    ),
)
def test_words_of_sending_belong_to_codes_that_there_are(code: str) -> None:
    own = {refusals.NAMELESS, refusals.RENAMED, refusals.NOT_NOW, refusals.MOVED, peers.NOT_A_MEMBER, peers.FORBIDDEN}
    assert code in own | _UNKNOWN or code in errors.rpc_errors_dict


def test_who_sends_is_named() -> None:
    assert refusals.unsent("CHAT_WRITE_FORBIDDEN", bot=True).startswith("the bot may not write there; ")
    assert refusals.unsent("CHAT_WRITE_FORBIDDEN", bot=False).startswith("this account may not write there; ")
    assert "start" in refusals.unsent("PEER_ID_INVALID", bot=True)
    assert refusals.unforwarded("CHANNEL_PRIVATE", bot=True) == "the bot cannot see it"


def test_who_was_removed_is_to_be_added_again_and_only_a_person_can_ask_spambot() -> None:
    added = "; add it there again, in a channel as an administrator who may post"
    for code in ("USER_BANNED_IN_CHANNEL", peers.FORBIDDEN):
        assert refusals.unsent(code, bot=True) == f"the bot was removed from it{added}"
    assert refusals.unsent(peers.FORBIDDEN, bot=False) == f"this account was removed from it{added}"
    assert "t.me/SpamBot" in refusals.unsent("USER_BANNED_IN_CHANNEL", bot=False)


def test_where_nobody_has_started_the_bot_it_is_said_who_presses_what() -> None:
    for code in ("PEER_ID_INVALID", "USER_IS_BLOCKED"):
        said = refusals.unsent(code, bot=True)
        assert said.startswith("whoever is to read there has never started the bot")
        assert "open the bot in Telegram and press its start" in said


def test_a_number_in_a_code_is_no_part_of_its_meaning() -> None:
    assert refusals.unsent("ALLOW_PAYMENT_REQUIRED_25", bot=True) == refusals.unsent(
        "ALLOW_PAYMENT_REQUIRED_X", bot=True
    )


def test_a_message_that_is_refused_is_a_defect_of_ours() -> None:
    assert "ENTITIES_TOO_LONG" in refusals.unsent("ENTITIES_TOO_LONG", bot=True)
    assert "please report it" in refusals.unsent("ENTITIES_TOO_LONG", bot=True)
