"""Methods by which accounts sign in: code, second password, QR code, bot token. https://core.telegram.org/api/auth"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telethon.tl import types

from tests.telegram_server.asking import Ask
from tests.telegram_server.mtproto import Key
from tests.telegram_server.srp import PasswordCheck
from tests.telegram_server.wire import Refusal
from tests.telegram_server.world import Person

_TOKEN_LASTS = timedelta(seconds=30)


@dataclass(slots=True, eq=False)
class LoginToken:
    """What a QR code holds, of which client, and who has scanned it."""

    key: Key
    person: int | None = None


class Logins:
    """Sign-ins that are under way."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}  # hash: digits of the number
        self.tokens: dict[bytes, LoginToken] = {}
        self.halfway: dict[Key, PasswordCheck] = {}
        self.waiting: dict[Key, int] = {}  # who still has to give the second password


def send_code(ask: Ask, request: Any) -> Any:
    """The code is the person's own. A number that nobody has gets one too, as Telegram does it."""
    digits = _digits(request.phone_number)
    if not 5 <= len(digits) <= 15:
        raise Refusal(400, "PHONE_NUMBER_INVALID")
    key = os.urandom(9).hex()
    ask.server.logins.codes[key] = digits
    person = _with_number(ask, digits)
    length = len(person.code) if person else 5
    return types.auth.SentCode(types.auth.SentCodeTypeApp(length), key)


def sign_in(ask: Ask, request: Any) -> Any:
    digits = _digits(request.phone_number)
    if ask.server.logins.codes.get(request.phone_code_hash) != digits:
        raise Refusal(400, "PHONE_CODE_EXPIRED")
    person = _with_number(ask, digits)
    if not request.phone_code:
        raise Refusal(400, "PHONE_CODE_EMPTY")
    if person is None:
        return types.auth.AuthorizationSignUpRequired()
    if request.phone_code != person.code:
        raise Refusal(400, "PHONE_CODE_INVALID")
    return _in(ask, person)


def get_password(ask: Ask, _request: Any) -> Any:
    waiting = ask.server.logins.waiting.get(ask.key, ask.key.person)
    password = ask.world.people[waiting].password if waiting is not None else None
    if waiting is None or password is None:
        raise Refusal(401, "AUTH_KEY_UNREGISTERED")
    check = ask.server.logins.halfway[ask.key] = PasswordCheck(password)
    return check.question()


def check_password(ask: Ask, request: Any) -> Any:
    logins = ask.server.logins
    check, waiting = logins.halfway.get(ask.key), logins.waiting.get(ask.key)
    if check is None or waiting is None:
        raise Refusal(401, "AUTH_KEY_UNREGISTERED")
    if not check.proves(request.password):
        raise Refusal(400, "PASSWORD_HASH_INVALID")
    return _signed_in(ask, ask.world.people[waiting])


def import_bot_authorization(ask: Ask, request: Any) -> Any:
    for person in ask.world.people.values():
        if person.token is not None and person.token == request.bot_auth_token:
            return _signed_in(ask, person)
    raise Refusal(400, "ACCESS_TOKEN_INVALID")


def export_login_token(ask: Ask, _request: Any) -> Any:
    """A token for a QR code, or the sign-in itself once somebody has scanned it."""
    tokens = ask.server.logins.tokens
    scanned = next((one.person for one in tokens.values() if one.key is ask.key and one.person is not None), None)
    if scanned is not None:
        for token in [token for token, one in tokens.items() if one.key is ask.key]:
            del tokens[token]
        return types.auth.LoginTokenSuccess(_in(ask, ask.world.people[scanned]))
    token = os.urandom(20)
    tokens[token] = LoginToken(ask.key)
    return types.auth.LoginToken(ask.world.now() + _TOKEN_LASTS, token)


def import_login_token(ask: Ask, request: Any) -> Any:
    """For a token of another data centre; this server is all of them."""
    if request.token not in ask.server.logins.tokens:
        raise Refusal(400, "AUTH_TOKEN_INVALID")
    return export_login_token(ask, request)


def accept_login_token(ask: Ask, request: Any) -> Any:
    if not ask.server.accept_login(request.token, ask.me):
        raise Refusal(400, "AUTH_TOKEN_INVALID")
    return types.Authorization(
        hash=1,
        device_model="",
        platform="",
        system_version="",
        api_id=0,
        app_name="",
        app_version="",
        date_created=ask.world.now(),
        date_active=ask.world.now(),
        ip="127.0.0.1",
        country="",
        region="",
    )


def log_out(ask: Ask, _request: Any) -> Any:
    ask.key.person = None
    return types.auth.LoggedOut()


def _digits(phone: str) -> str:
    return "".join(one for one in phone if one.isdigit())


def _with_number(ask: Ask, digits: str) -> Person | None:
    people = ask.world.people.values()
    return next((one for one in people if one.phone is not None and _digits(one.phone) == digits), None)


def _in(ask: Ask, person: Person) -> Any:
    """Who has shown the first proof is in, unless there is a second password."""
    if person.password is not None:
        ask.server.logins.waiting[ask.key] = person.id
        raise Refusal(401, "SESSION_PASSWORD_NEEDED")
    return _signed_in(ask, person)


def _signed_in(ask: Ask, person: Person) -> Any:
    ask.server.logins.waiting.pop(ask.key, None)
    ask.key.person, ask.key.revoked = person.id, None
    return types.auth.Authorization(ask.views.user(person, person.id))
