"""What the tests of sorting make: hauls of one channel, and the rows as they are stored after each batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.cursor import Cursor
from bot.intake import Intake, Overtaken, Place, Version, intake, wanted
from bot.model import Channel, Haul, Media, Post, Sighting, Stands
from bot.recording.jsonl import post_of
from bot.storage.posts import Message
from tests.made import at

ALFA = Channel(id=-1001000000001, username="alfa_demo", title="Alfa")
CHANNEL = -1001000000001
#: The channel was first read when 10 was its newest; what is told in most tests came after that.
BEGUN = Cursor(floor=0, began=10, verified=10, top=10)


def said(
    number: int,
    text: str = "Сирия",
    *,
    edited: float | None = None,
    album: int | None = None,
    changed: float | None = None,
) -> Post:
    return Post(
        channel=ALFA,
        number=number,
        date=at(number),
        text=text,
        edited=None if edited is None else at(edited),
        changed=None if changed is None else at(changed),
        album=album,
        media=() if album is None else (Media(kind="photo"),),
    )


def shows(*posts: Post, gone: Iterable[int] = ()) -> Haul:
    return Haul(
        channel=CHANNEL, sightings=tuple(Sighting(one.number, Stands.POST, one) for one in posts), gone=tuple(gone)
    )


def page(*posts: Post, floor: int | None = None, gone: Iterable[int] = ()) -> Haul:
    """The same, read and not pushed."""
    return replace(shows(*posts, gone=gone), read=True, floor=floor)


def stands(number: int, stands: Stands) -> Haul:
    return Haul(channel=CHANNEL, sightings=(Sighting(number, stands),))


def gone(*numbers: int) -> Haul:
    return Haul(channel=CHANNEL, gone=numbers)


class Table:
    """What is stored after each batch, as the database has it."""

    def __init__(self, cursor: Cursor = BEGUN) -> None:
        self.cursor = cursor
        self.rows: dict[Place, Message] = {}
        self.versions: list[Version] = []
        self.moves: list[tuple[int, int]] = []
        self.moment = at(60)
        self._overtaken = Overtaken()

    def take(self, *hauls: Haul) -> Intake:
        """A batch a minute."""
        self.moment += timedelta(minutes=1)
        cursors = {CHANNEL: self.cursor}
        taken = intake(hauls, self.moment, self._wanted(hauls), cursors, lambda _: ALFA, self._overtaken)
        self._overtaken.take(taken)
        self.rows |= taken.messages
        self.versions += taken.versions
        self.moves += [(old, new) for _, old, new in taken.moves]
        return taken

    def told(self, *hauls: Haul) -> list[str]:
        """What the batch told: the happenings, each with its post's number, and what it says."""
        return [
            f"{one.revision.happening} {one.revision.post.number}: {one.revision.post.text}"
            for one in self.take(*hauls).arrivals
        ]

    def _wanted(self, hauls: Sequence[Haul]) -> list[Message]:
        numbers, albums = wanted(hauls)
        asked = [row for place, row in self.rows.items() if place[1] in numbers.get(CHANNEL, ())]
        of_albums = {*albums.get(CHANNEL, ()), *(row.album for row in asked if row.album is not None)}
        return [*asked, *(row for row in self.rows.values() if row.album in of_albums)]

    def row(self, number: int) -> Message:
        return self.rows[CHANNEL, number]

    def text(self, number: int) -> str:
        """What the stored post says under a number."""
        return post_of(self.row(number).body or "", ALFA).text
