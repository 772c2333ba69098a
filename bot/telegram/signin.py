"""Signing in, step by step: by phone, by QR code, a bot by its token. Who asks the person is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telethon import TelegramClient, utils
from telethon.tl import functions, types

from bot.errors import ConfigError, NotSignedInError, RefusedError
from bot.telegram.account import Account

#: How often a person may mistype one thing.
_TRIES = 3
#: A QR code is good for 30 s; how long each is shown, and how many before nobody is there.
_SHOWN = timedelta(seconds=25)
_TIMES = 24

#: Where Telegram sends a code, by the kind of its answer. https://core.telegram.org/type/auth.SentCodeType
_WHERE = {
    types.auth.SentCodeTypeApp: "in Telegram, on a device that is signed in",
    types.auth.SentCodeTypeSms: "by SMS",
    types.auth.SentCodeTypeSmsWord: "by SMS, as a word",
    types.auth.SentCodeTypeSmsPhrase: "by SMS, as a phrase",
    types.auth.SentCodeTypeFirebaseSms: "by SMS",
    types.auth.SentCodeTypeCall: "by a phone call",
    types.auth.SentCodeTypeFlashCall: "by a phone call, whose number ends with it",
    types.auth.SentCodeTypeMissedCall: "by a phone call, whose number ends with it",
    types.auth.SentCodeTypeEmailCode: "by email",
    types.auth.SentCodeTypeFragmentSms: "on fragment.com",
}
#: What is wrong with an answer that may be given again.
_MISTYPED = {
    "PHONE_NUMBER_INVALID": "Telegram knows no such phone number; write it with its country code, as in +44 …",
    "PHONE_CODE_INVALID": "the code is wrong",
    "PHONE_CODE_EMPTY": "the code is wrong",
    "PASSWORD_HASH_INVALID": "the password is wrong",
}
#: What ends signing in.
_HOPELESS = {
    "PHONE_NUMBER_UNOCCUPIED": "no account has this phone number; make one in a Telegram app first",
    "PHONE_NUMBER_BANNED": "Telegram has banned this phone number; recover@telegram.org is where to ask",
    "PHONE_NUMBER_FLOOD": "too many tries with this phone number; try again tomorrow",
    "PHONE_PASSWORD_FLOOD": "too many tries; try again tomorrow",
    "ACCESS_TOKEN_INVALID": "Telegram does not know the bot_token; copy it again from t.me/BotFather",
    "ACCESS_TOKEN_EXPIRED": "the bot_token was revoked; copy the new one from t.me/BotFather",
    "USER_DEACTIVATED_BAN": "Telegram has banned this account",
    "USER_DEACTIVATED": "this account was deleted",
}
_QR = "auth.exportLoginToken"
_PASSWORD_TOO = "SESSION_PASSWORD_NEEDED"  # noqa: S105 - Telegram's name of a step
_WRONG_API = ("API_ID_INVALID", "API_ID_PUBLISHED_FLOOD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """How a person is asked. Each blocks until there is an answer.

    ``code`` is given where Telegram sent it, ``password`` the hint that its owner left; ``show`` the link of a QR code
    (it replaces the one before), ``tell`` a sentence.
    """

    phone: Callable[[], str]
    code: Callable[[str], str]
    password: Callable[[str | None], str]
    show: Callable[[str], None]
    tell: Callable[[str], None]


async def by_phone(account: Account, ask: Prompts) -> None:
    """Signs in over an account that is connected: phone, code, password where there is one.

    Raises `NotSignedInError` when it cannot be done or was mistyped three times, `ConfigError` for wrong credentials
    of the program, and as `Account.call` does.
    """
    phone, sent = await _sent(account, ask)
    for tries in range(1, _TRIES + 1):
        try:
            await _enter_code(account, phone, ask.code(_where(sent)))
        except RefusedError as error:
            if error.code == _PASSWORD_TOO:
                return await _by_password(account, ask)
            if error.code == "PHONE_CODE_EXPIRED" and tries < _TRIES:
                ask.tell("the code has expired; Telegram sends another one")
                sent = await _send_code(account, phone)
            else:
                _told(error, tries, ask)
        else:
            return None
    return None


async def by_qr(account: Account, ask: Prompts, *, shown: timedelta = _SHOWN, times: int = _TIMES) -> None:
    """Shows a code until somebody scans it, another one each time it has been ``shown``. Raises as `by_phone` does."""
    try:
        async with account.answering(_QR):
            code = await account.client.qr_login()
        for _ in range(times):
            if await _scanned(account, code, ask, shown):
                return
            async with account.answering(_QR):
                await code.recreate()
    except RefusedError as error:
        if error.code != _PASSWORD_TOO:
            _told(error, _TRIES)
        await _by_password(account, ask)
    else:
        minutes = times * shown.total_seconds() / 60
        raise NotSignedInError(f"not signed in: nobody scanned the code in {minutes:.0f} minutes")


async def sign_in_bot(client: TelegramClient, token: str) -> None:
    """Connects, and signs the bot in unless the session is one of it already.

    Raises `NotSignedInError` when Telegram refuses the token or the session is another bot's, and as `Account.open`.
    """
    account = Account(client)
    if await account.reach():
        if account.id != int(token.partition(":")[0]):
            raise NotSignedInError(
                f"the speaker's session is that of {account.name}, not of bot_token; remove the file to change it"
            )
        return
    try:
        async with account.answering("auth.importBotAuthorization"):
            await client.sign_in(bot_token=token)
    except RefusedError as error:
        _told(error, _TRIES)


async def press_start(reader: Account, bot: str) -> None:
    """Writes /start to the bot with this @name, so that it may write back. Raises as `Account.call` does."""
    found = await reader.call(functions.contacts.ResolveUsernameRequest(bot.removeprefix("@")))
    user = next((user for user in found.users if user.bot), None)
    if user is None:
        raise RefusedError("USERNAME_NOT_OCCUPIED")
    peer = types.InputPeerUser(user.id, user.access_hash)
    # Not messages.startBot, which wants a parameter: this is what an app sends when start is pressed.
    await reader.call(functions.messages.SendMessageRequest(peer, "/start"))


async def _sent(account: Account, ask: Prompts) -> tuple[str, Any]:
    """A phone number, and what Telegram says of the code that it sent to it."""
    for tries in range(1, _TRIES + 1):
        phone = utils.parse_phone(ask.phone())
        try:
            if phone is None:
                raise RefusedError("PHONE_NUMBER_INVALID")  # noqa: TRY301 - what Telegram would say of it
            return phone, await _send_code(account, phone)
        except RefusedError as error:
            _told(error, tries, ask)
    raise AssertionError  # the last try has raised


async def _send_code(account: Account, phone: str) -> Any:  # noqa: ANN401 - Telethon has no types
    async with account.answering("auth.sendCode"):
        return await account.client.send_code_request(phone)


def _where(sent: Any) -> str:  # noqa: ANN401 - Telethon has no types
    kind = type(sent.type)
    if kind is types.auth.SentCodeTypeSetUpEmailRequired:
        raise NotSignedInError("this account needs an email address first; add one in a Telegram app, or use --qr")
    return _WHERE.get(kind, "to you")


async def _enter_code(account: Account, phone: str, typed: str) -> None:
    code = typed.strip()
    digits = code.replace(" ", "").replace("-", "")
    if not code:
        raise RefusedError("PHONE_CODE_EMPTY")  # Telethon would send another code
    async with account.answering("auth.signIn"):
        await account.client.sign_in(phone, digits if digits.isdecimal() else code)


async def _by_password(account: Account, ask: Prompts) -> None:
    """The second step of accounts that have a password."""
    known = await account.call(functions.account.GetPasswordRequest())
    for tries in range(1, _TRIES + 1):
        password = ask.password(known.hint or None)
        try:
            if not password:
                raise RefusedError("PASSWORD_HASH_INVALID")  # noqa: TRY301 - what Telegram would say of it
            async with account.answering("auth.checkPassword"):
                await account.client.sign_in(password=password)
        except RefusedError as error:
            _told(error, tries, ask)
        else:
            return


async def _scanned(account: Account, code: Any, ask: Prompts, shown: timedelta) -> bool:  # noqa: ANN401 - Telethon's
    """Shows a QR code while it is good; whether somebody was signed in by it."""
    try:
        ask.show(code.url)
    except AttributeError:  # scanned at the very moment of its renewal: the answer is no code, but who is signed in
        return True
    async with account.answering(_QR, 2 * shown):
        try:
            await code.wait(shown.total_seconds())
        except TimeoutError:
            return False
    return True


def _told(error: RefusedError, tries: int, ask: Prompts | None = None) -> None:
    """Says what is wrong and returns when it may be tried again; raises when not."""
    mistyped = _MISTYPED.get(error.code)
    if mistyped is not None and ask is not None and tries < _TRIES:
        ask.tell(mistyped)
        return
    if error.code in _WRONG_API:
        raise ConfigError([f"telegram: Telegram refuses api_id and api_hash ({error.code}); see my.telegram.org"])
    why = mistyped or _HOPELESS.get(error.code)
    raise NotSignedInError(f"not signed in: {why or f'Telegram refuses ({error.code})'}") from error
