"""From a file to `Settings`, or to all of its errors at once. The one place of `config` that touches files.

An error is ``config.toml:LINE: key.path: what is wrong; what would be right``; under it stand the source line and
a caret where it is inside a text. No value of [telegram] and no notification URL is ever shown; what else of the file
is, `_Excerpts` says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from bot.config.agreement import disagreements
from bot.config.faults import Fault, fault_of, faults_of, named, useful
from bot.config.positions import KeyPath, Place, Positions
from bot.config.references import is_suspect
from bot.config.secrets import from_environment
from bot.config.settings import Settings, TopicTable
from bot.config.syntax import Slip, read
from bot.config.values import Wrong
from bot.errors import ConfigError, NoConfigError

_LARGEST = 8_000_000
#: Code points of a source line that are shown around a caret.
_WIDTH = 160
_NO_WIDTH = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
#: A line that holds nothing but the texts of one list: no comment, and no other key.
_TEXTS_ALONE = re.compile(r"""\s*+(?:(?:keywords|exclude|cron)\s*+=)?(?:[\s,\[\]]++|"(?:[^"\\]++|\\.)*+"|'[^']*+')*+""")
_KEY = re.compile(r"""(?<![^\s"'=,{])([^\s"'=,{]++)["']?\s*+=""")
_ABOUT_SECRETS = re.compile("api_id|api_hash|token|proxy|notify|secret|://|#", re.IGNORECASE)


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """The configuration in a file. Raises `ConfigError`: `NoConfigError` when the file is absent or empty."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        hint = "copy config.example.toml to it, or name another with --config"
        raise NoConfigError([_about_the_file(path, "there is no such file", hint)]) from None
    except IsADirectoryError:
        raise ConfigError([_about_the_file(path, "this is a folder", "name a file in it")]) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise ConfigError(
            [_about_the_file(path, f"cannot be read: {why}", "give a file that this user can read")]
        ) from None
    if len(content) > _LARGEST:
        raise ConfigError([_about_the_file(path, "larger than 8 MB", "give a TOML file of keywords and channels")])
    try:
        toml = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([_about_the_file(path, "not UTF-8", "save the file in UTF-8", line)]) from None
    return parse_settings(toml, str(path), environment, _read_text)


def parse_settings(toml: str, name: str, environment: Mapping[str, str], read_file: Callable[[str], str]) -> Settings:
    """The configuration that a text says; ``name`` is what messages call it.

    ``read_file`` gives the text of a file that the environment names. Raises `ConfigError`: `NoConfigError` for a text
    without anything in it.
    """
    toml = toml.removeprefix("\ufeff").replace("\r\n", "\n")
    if not toml.strip():
        raise NoConfigError([_about_the_file(name, "empty", "copy config.example.toml to it")])
    if any("\ud800" <= character <= "\udfff" for character in toml):
        raise ConfigError([_about_the_file(name, "not UTF-8", "save the file in UTF-8")])
    raw = read(toml)
    if isinstance(raw, Slip):
        raise ConfigError([_told_slip(raw, name, toml)])
    faults = _with_environment(raw, environment, read_file)
    settings = None
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        faults += faults_of(error, raw)
    faults += disagreements(raw)
    if settings is None or faults:
        raise ConfigError(_told(useful(faults), name, toml))
    return settings


def _read_text(file: str) -> str:
    with Path(file).open(encoding="utf-8") as opened:
        return opened.read(_LARGEST)


def _with_environment(
    raw: dict[str, object], environment: Mapping[str, str], read_file: Callable[[str], str]
) -> list[Fault]:
    """Puts the credentials of the environment into what was read; what is wrong with them comes back."""
    faults = []
    for key, value in from_environment(environment, read_file):
        telegram = raw.setdefault("telegram", {})
        if isinstance(value, Wrong):
            faults.append(fault_of(("telegram", key), value))
            if isinstance(telegram, dict):
                telegram.pop(key, None)
        elif isinstance(telegram, dict):
            telegram[key] = value
    return faults


def _told(faults: Iterable[Fault], name: str, toml: str) -> list[str]:
    """The faults as messages, in the order of the file, each once."""
    positions = Positions(toml)
    excerpts = _Excerpts(positions)
    placed = sorted(((_place(fault, positions), fault) for fault in faults), key=lambda pair: pair[0])
    return list(dict.fromkeys(_message(fault, place, name, positions, excerpts) for place, fault in placed))


def _place(fault: Fault, positions: Positions) -> Place:
    inside = positions.inside(fault.path, fault.offset) if fault.offset is not None else None
    at_key = positions.key(fault.path) if fault.at_key else None
    return inside or at_key or positions.value(fault.path) or positions.nearest(fault.path)


def _message(fault: Fault, place: Place, name: str, positions: Positions, excerpts: _Excerpts) -> str:
    told = _line(name, place.line, named(fault.path), fault.what, fault.hint)
    if fault.offset is None or positions.inside(fault.path, fault.offset) is None:
        return told
    return told + excerpts.of_text(fault.path, place)


def _told_slip(slip: Slip, name: str, toml: str) -> str:
    told = _line(name, slip.line, named(slip.path) or "TOML", slip.what, slip.hint)
    of_a_topic = len(slip.path) == 3 and slip.path[0] == "topics"
    if slip.column is None or not of_a_topic:
        return told
    return told + _broken_line(toml.split("\n")[slip.line - 1], slip.column)


def _about_the_file(name: object, what: str, hint: str, line: int = 1) -> str:
    return _line(str(name), line, "file", what, hint)


def _line(name: str, line: int, where: str, what: str, hint: str) -> str:
    """One line, whatever a name or a key holds."""
    return " ".join(f"{name}:{line}: {where}: {what}; {hint}".splitlines())


class _Excerpts:
    """What of a file is shown under its messages.

    A line may hold more than a message is about: a comment, or the next key. Then only the text that is wrong is shown.
    Whether a line may be shown whole is asked once, however many messages it has.
    """

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._whole: dict[int, bool] = {}

    def of_text(self, path: KeyPath, place: Place) -> str:
        """What stands at a place inside the text value of this path; empty when it may be a secret."""
        line = self._positions.line(place.line)
        if place.line not in self._whole:
            self._whole[place.line] = _TEXTS_ALONE.fullmatch(line) is not None and not is_suspect(line)
        if self._whole[place.line]:
            return _pointed(line, place.column)
        start, end = self._positions.columns(path, place.line)
        piece = line[start:end]
        return "" if is_suspect(piece) else _pointed(piece, place.column - start)


def _broken_line(line: str, column: int) -> str:
    """A line of a topic that is no TOML, where it holds no other keys than a topic's and no comment."""
    own = all(key in TopicTable.model_fields for key in _KEY.findall(line))
    return _pointed(line, column) if own and not _ABOUT_SECRETS.search(line) and not is_suspect(line) else ""


def _pointed(line: str, column: int) -> str:
    """The source line, as much of it as fits, and a caret under a code point of it, tabs before it kept."""
    start = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH))
    before = "…" if start else ""
    shown = line[start : start + _WIDTH].rstrip("\r")
    after = "…" if start + _WIDTH < len(line) else ""
    blank = "".join(map(_blank, before + line[start:column]))
    return f"\n  {before}{shown}{after}\n  {blank}^"


def _blank(character: str) -> str:
    """What is as wide as a character on a screen."""
    if character == "\t":
        return "\t"
    if unicodedata.category(character) in ("Mn", "Me") or character in _NO_WIDTH:
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "
