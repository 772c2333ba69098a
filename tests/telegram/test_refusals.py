"""Refusals in words: each code that a person may meet, and what is not known as it is."""

from __future__ import annotations

import pytest
from telethon import errors

from bot.errors import NoAccessError, RefusedError, UnreadableError, WaitError
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


@pytest.mark.parametrize("code", sorted(refusals.WORDS))
def test_words_belong_to_codes_that_there_are(code: str) -> None:
    own = {peers.NOT_A_CHANNEL, peers.NOT_A_MEMBER, peers.JOIN_NEEDED, peers.NEEDS_PERSON, peers.FORBIDDEN}
    assert code in own | {chats.MIGRATED} | _NO_ACCESS | {"STARS_PAYMENT_REQUIRED"} or code in errors.rpc_errors_dict
    words = refusals.in_words(code)
    assert words[0] != words[0].upper() or words.startswith("Telegram")
    assert not words.endswith(".")
