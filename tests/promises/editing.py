"""A configuration as people edit it: valid ones and invalid ones, saved in every way that editors know; seeded."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

#: Words that every post holds, each a keyword of some topics at some times; and one that may exclude it.
WORDS = (
    *("Сирия", "Дамаск", "Алеппо", "Хомс", "конвой", "ракета", "база", "колонна", "граница", "аэродром"),
    *("мост", "порт", "завод", "склад"),
)
EXCLUDED = "футбол"
DESK = "@desk_demo"
_TOPICS = ("syria", "bases", "roads", "plants", "ports")

#: Of each topic that a post is of: its keywords that are in the post, and where it is told.
Expected = dict[str, tuple[frozenset[str], str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    name: str
    keywords: tuple[str, ...]
    excludes: bool
    chat: str
    deliver: str
    channels: tuple[str, ...] | None

    @property
    def text(self) -> str:
        lines = [f"[topics.{self.name}]", f"keywords = {_listed(self.keywords)}", f'deliver = "{self.deliver}"']
        lines += [f'exclude = ["{EXCLUDED}"]'] if self.excludes else []
        lines += [f'chat = "{self.chat}"']
        lines += [] if self.channels is None else [f"channels = {_listed(self.channels)}"]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A valid file. ``mark`` tells it from all others; ``channels`` by name, with the topics of those that are limited.

    ``rest``: what else it says.
    """

    mark: int
    channels: dict[str, tuple[str, ...] | None]
    topics: tuple[Topic, ...]
    rest: str

    def text(self, head: str) -> str:
        entries = ", ".join(
            f'"{name}"' if topics is None else f'{{ channel = "{name}", topics = {_listed(topics)} }}'
            for name, topics in self.channels.items()
        )
        return "\n".join(
            (
                *(head, self.rest.format(channels=f"channels = [{entries}]", mark=self.mark)),
                *(topic.text for topic in self.topics),
            )
        )

    def expected(self, channel: str, *, excluded: bool, before: Version | None = None) -> Expected:
        """What a post of a channel (its name with @) is of, by this file alone.

        ``before``: as a post that was pushed while this one took the place of that one: what that says of a channel
        which is not in this one any more still counts.
        """
        limited = self.channels.get(channel)
        if before is not None and channel not in self.channels:
            limited = before.channels.get(channel)
        return {
            topic.name: (frozenset(topic.keywords), topic.chat)
            for topic in self.topics
            if not (excluded and topic.excludes)
            and (topic.channels is None or channel in topic.channels)
            and (limited is None or topic.name in limited)
        }


class Editor:
    """Writes versions of a file. ``names``: channels, the first two of which are always in it."""

    def __init__(self, path: Path, head: str, names: Sequence[str], seed: int) -> None:
        self.chance = Random(f"edits {seed}")  # noqa: S311 - seeded, not secret
        self._path = path
        self._head = head
        self._names = names
        #: By their marks, in the order of writing.
        self.versions: dict[int, Version] = {}
        self._text = ""

    def valid(self) -> str:
        """The text of a new valid version."""
        chance, mark = self.chance, 1 + len(self.versions)
        topics = chance.sample(_TOPICS, chance.randint(1, len(_TOPICS)))
        some = [name for name in self._names[2:] if chance.random() < 0.6]
        channels = {name: _some(chance, topics, 0.2) for name in (*self._names[:2], *some)}
        version = Version(
            mark=mark,
            channels=channels,
            topics=tuple(
                Topic(
                    name=name,
                    keywords=tuple(chance.sample(WORDS, chance.randint(1, 6))),
                    excludes=chance.random() < 0.5,
                    chat=chance.choice(["me", DESK]),
                    deliver=chance.choice(["digest", "alert", "urgent"]),
                    channels=_some(chance, [*channels], 0.3),
                )
                for name in topics
            ),
            rest=chance.choice(_RESTS),
        )
        self.versions[mark] = version
        self._text = version.text(self._head)
        return self._text

    def invalid(self) -> str:
        """The text of the last valid version, spoilt in some way; or nothing."""
        text, chance = self._text, self.chance
        # Broken off within the first text of a list, so that it can never be taken for whole.
        cut = text.index("keywords") + chance.randint(3, 14)
        spoilt = [
            *("", "  \n", text + "\n[[[", "colour = 1\n" + text, text[:cut]),
            *(text.replace('keywords = ["', 'keywords = ["(', 1), text.replace('chat = "', 'chat = "@@', 1)),
        ]
        return chance.choice(spoilt)

    async def save(self, text: str) -> None:
        """In one of the ways in which editors do."""
        path, chance = self._path, self.chance
        if path.is_dir():
            path.rmdir()
        match chance.randrange(4):
            case 0:
                path.write_text(text)
            case 1:
                with path.open("w") as file:
                    file.write(text[: len(text) // 2])
                    file.flush()
                    await asyncio.sleep(0.02)
                    file.write(text[len(text) // 2 :])
            case 2:
                beside = path.with_suffix(".new")
                beside.write_text(text)
                beside.rename(path)
            case _:
                target, link = path.with_name(f"version {chance.random()}.toml"), path.with_suffix(".link")
                target.write_text(text)
                link.symlink_to(target.name)
                link.rename(path)

    async def vanish(self) -> None:
        """The file is gone, or a folder has its name."""
        if self._path.is_dir():
            shutil.rmtree(self._path)
        else:
            self._path.unlink(missing_ok=True)
        if self.chance.random() < 0.3:
            self._path.mkdir()

    async def edit(self) -> None:
        """One edit; half of them are none that may be taken over."""
        if self.chance.random() < 0.5:
            await self.save(self.valid())
        elif self.chance.random() < 0.15:
            await self.vanish()
        else:
            await self.save(self.invalid())


_DIGEST = '[digest]\nchat = "me"\nat = []\nmax_stories = {mark}'
_RESTS = (
    "[watch]\n{channels}\n" + _DIGEST,
    "[watch]\n{channels}\nsweep_every = '10s'\n" + _DIGEST + "\n[alerts]\nquiet_hours = '00:00-23:59'",
    "[watch]\n{channels}\nsweep_every = '15s'\njoin = false\n" + _DIGEST + "\n[alerts]\nmax_per_minute = 1",
    "[watch]\n{channels}\nsweep_every = '20s'\nfolder = 'Demo'\n" + _DIGEST + "\n[alerts]\nfold_window = '1h'",
    "[watch]\n{channels}\nhistory = '48h'\nsweep_every = '10s'\n" + _DIGEST + "\n[storage]\nkeep = '90d'",
)


def _some(chance: Random, names: Sequence[str], share: float) -> tuple[str, ...] | None:
    """Now and then a few of the names, else None."""
    return tuple(chance.sample(names, chance.randint(1, len(names)))) if chance.random() < share else None


def _listed(names: Sequence[str]) -> str:
    quoted = (f'"{name}"' for name in names)
    return f"[{', '.join(quoted)}]"
