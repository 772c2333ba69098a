"""``vedette login``: signs in the reader, and the bot where there is one, and lets them meet."""

from __future__ import annotations

import asyncio
import getpass
import io
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.config import Config, settings_from
from bot.errors import NotSignedInError, RefusedError, TelegramError, VedetteError, WaitError
from bot.folder import READER, SPEAKER, held
from bot.terminal import harmless, one_line

if TYPE_CHECKING:
    from bot.config.settings import Telegram
    from bot.telegram.account import Account
    from bot.telegram.signin import Prompts


def login(
    config: Config = None,
    *,
    qr: Annotated[bool, typer.Option("--qr", help="Show a QR code, to be scanned by a signed-in app.")] = False,
    string: Annotated[
        bool, typer.Option("--import", help="Take a Telethon session string from standard input.")
    ] = False,
) -> None:
    """Signs in the reader (phone, code, two-step password) and the bot. Without a terminal: one answer a line."""
    if qr and string:
        raise VedetteError("--qr and --import are two ways; choose one")
    settings = settings_from(config)
    from bot.config.settings import LogLevel
    from bot.telemetry.log import configure

    configure(LogLevel.ERROR, settings.log.format, sys.stderr)  # a link that breaks and mends is not worth a word
    with held(settings.data_dir) as folder:
        try:
            asyncio.run(_login(settings.telegram, folder, qr=qr, string=string))
        except WaitError as error:
            wait = _in_words(error.seconds)
            raise TelegramError(f"Telegram asks to wait {wait} before the next try ({error.method})") from None


async def _login(telegram: Telegram, folder: Path, *, qr: bool, string: bool) -> None:
    """Both of them, the reader first. A session file in which nobody is signed in does not stay."""
    from bot.telegram.account import Account
    from bot.telegram.session import client_for, import_session, key_of

    session = folder / READER
    before = _of_another_server(telegram, session, "reader")
    empty = before is not None or key_of(session) is None
    reader = Account(client_for(telegram, session, signing_in=True))
    try:
        if await reader.reach():
            _say(f"the reader is signed in as {reader.name}; to sign in somebody else, remove {session} first")
        else:
            empty = True
            if string:
                await reader.close()
                import_session(_asked("Telethon session string", secret=True), telegram, session)
                reader = Account(client_for(telegram, session, signing_in=True))
            await _sign_in(reader, qr=qr, string=string)
        empty = False
        await _with_bot(telegram, folder / SPEAKER, reader)
    finally:
        await reader.close()
        if empty:
            _undo(session, before)


async def _sign_in(reader: Account, *, qr: bool, string: bool) -> None:
    from bot.telegram.signin import by_phone, by_qr

    if not string:
        await (by_qr if qr else by_phone)(reader, _prompts())
    if not await reader.reach():
        raise NotSignedInError("Telegram does not accept this session string; the account it is of has ended it")
    _say(f"the reader is signed in now, as {reader.name}")
    if string:
        _say("use this session nowhere else: Telegram ends one that is used in two places")


async def _with_bot(telegram: Telegram, session: Path, reader: Account) -> None:
    """Signs in the bot, if one is configured, and has the reader press its start."""
    if telegram.bot_token is None:
        _say("no bot_token: the reader itself sends, and what it writes to its own person does not ring")
        return
    from bot.telegram.account import Account
    from bot.telegram.session import client_for, key_of
    from bot.telegram.signin import press_start, sign_in_bot

    before = _of_another_server(telegram, session, "bot")
    empty = before is not None or key_of(session) is None
    bot = Account(client_for(telegram, session, updates=False, signing_in=True))
    try:
        await sign_in_bot(bot.client, telegram.bot_token.get_secret_value())
        await bot.reach()
        empty = False
    finally:
        await bot.close()
        if empty:
            _undo(session, before)
    _say(f"the bot is signed in as {bot.name}")
    try:
        await press_start(reader, bot.name or "")
    except RefusedError as error:
        raise TelegramError(
            f"the reader could not press start of {bot.name} ({error.code}); do it in Telegram, so that it may write"
        ) from None
    _say("the reader pressed its start, so it may write to it")


def _of_another_server(telegram: Telegram, session: Path, whose: str) -> bytes | None:
    """The file as it is, where its key is another server's than the configured one, which is said."""
    from bot.telegram.session import elsewhere

    server = elsewhere(telegram, session)
    if server is None:
        return None
    _say(f"the {whose}'s session is one of {server}; it is replaced once the {whose} is signed in here")
    return session.read_bytes()


def _undo(session: Path, before: bytes | None) -> None:
    """What signing in began and did not end is a session file of nobody; one of another server is as it was."""
    if before is None:
        session.unlink(missing_ok=True)
    else:
        session.write_bytes(before)


def _prompts() -> Prompts:
    from bot.telegram.signin import Prompts

    return Prompts(
        phone=lambda: _asked("Phone number, with its country code"),
        code=lambda where: _asked(f"Code, sent {where}"),
        password=lambda hint: _asked(f"Two-step password{f' (hint: {one_line(hint)})' if hint else ''}", secret=True),
        show=_show,
        tell=lambda text: _note(f"{text}\n"),
    )


def _asked(question: str, *, secret: bool = False) -> str:
    """The answer: typed at a terminal, unseen when it is secret, else the next line of standard input."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    with _interruptible():
        if terminal and secret:
            return getpass.getpass(f"{question}: ")
        _note(f"{question}: " if terminal else f"{question}\n")
        try:
            line = sys.stdin.readline() if sys.stdin is not None else ""
        except ValueError:
            raise VedetteError("standard input is no text") from None
    if not line:
        raise VedetteError(f"standard input ended before an answer to: {question}; it takes one answer a line")
    return line.strip("\r\n")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets Ctrl-C end a question: the event loop would wait for the answer first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _show(link: str) -> None:
    """A QR code, and the link it stands for."""
    import qrcode

    code = qrcode.QRCode(border=2)
    code.add_data(link)
    drawn = io.StringIO()
    # White on black, as most terminals are, and as scanners want it.
    code.print_ascii(drawn, invert=True)
    _note(f"{drawn.getvalue()}{link}\nScan it in Telegram: Settings, Devices, Link Desktop Device.\n")


def _in_words(seconds: int) -> str:
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{-(-seconds // length)} {unit}s"
    return f"{seconds} seconds"


def _say(text: str) -> None:
    sys.stdout.write(f"{one_line(text)}\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(harmless(text))
    sys.stderr.flush()
