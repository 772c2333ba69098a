"""Members of an album wait for each other, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

from bot.albums import LONGEST, LONGEST_WITH_GAP, QUIET, Albums
from bot.model import Haul, Sighting, Stands
from tests.made import at, post

CHANNEL, OTHER = -1001, -1002


def member(number: int, album: int | None = 7, channel: int = CHANNEL) -> Haul:
    said = replace(post("Сирия", number=number), album=album)
    return Haul(channel=channel, sightings=(Sighting(number, Stands.POST, said),))


def test_what_is_no_album_goes_on_at_once() -> None:
    albums, single = Albums(), member(1, None)
    deleted = Haul(channel=CHANNEL, gone=(1,))
    assert [albums.take(each, at()) for each in (single, deleted)] == [[single], [deleted]]
    assert albums.next_moment() is None


def test_members_wait_until_nothing_more_has_come_for_a_second() -> None:
    albums = Albums()
    members = [member(1), member(2)]
    assert albums.take(members[0], at()) == []
    assert albums.take(members[1], at() + QUIET / 2) == []
    moment = albums.next_moment()
    assert moment == at() + QUIET * 1.5
    assert albums.due(moment - QUIET / 10) == []
    assert albums.due(moment) == members
    assert albums.due(moment + QUIET) == []


def test_no_member_waits_longer_than_the_longest() -> None:
    albums = Albums()
    for number in range(1, 40):
        albums.take(member(number), at() + QUIET / 2 * (number - 1))
    assert albums.next_moment() == at() + LONGEST


def test_another_message_of_the_channel_lets_an_album_go_before_it() -> None:
    albums, single = Albums(), member(3, None)
    members = [member(1), member(2)]
    for each in members:
        albums.take(each, at())
    assert albums.take(single, at()) == [*members, single]
    assert albums.next_moment() is None


def test_the_next_album_lets_the_one_before_it_go() -> None:
    albums = Albums()
    albums.take(member(1), at())
    assert albums.take(member(2, 8), at()) == [member(1)]
    assert albums.due(at() + QUIET) == [member(2, 8)]


def test_channels_do_not_wait_for_each_other() -> None:
    albums = Albums()
    albums.take(member(1), at())
    albums.take(member(1, channel=OTHER), at() + QUIET / 2)
    assert albums.due(at() + QUIET) == [member(1)]
    assert albums.due(at() + QUIET * 1.5) == [member(1, channel=OTHER)]


def test_an_album_below_which_a_number_is_missing_waits_until_that_is_read() -> None:
    albums, single = Albums(), member(4, None)
    members = [member(2), member(3)]
    assert [albums.take(each, at(), gap=gap) for each, gap in zip(members, (True, False), strict=True)] == [[], []]
    assert albums.take(single, at()) == [single], "what follows need not wait"
    assert albums.due(at() + LONGEST) == []
    albums.read(CHANNEL, 0)
    assert albums.due(at() + LONGEST) == []
    albums.read(CHANNEL, 1)
    assert albums.due(at() + LONGEST) == members


def test_an_album_with_a_gap_does_not_go_when_the_next_one_comes() -> None:
    albums = Albums()
    albums.take(member(2, 7), at(), gap=True)
    assert albums.take(member(3, 8), at()) == []
    assert albums.take(member(4, None), at()) == [member(3, 8), member(4, None)]
    albums.read(CHANNEL, 1)
    assert albums.due(at() + QUIET) == [member(2, 7)]


def test_a_lower_member_fills_the_gap_or_opens_another() -> None:
    albums = Albums()
    albums.take(member(5), at(), gap=True)
    albums.take(member(4), at(), gap=True)
    assert albums.due(at() + LONGEST) == []
    albums.take(member(3), at(), gap=False)
    assert len(albums.due(at() + LONGEST)) == 3


def test_nothing_waits_for_a_gap_for_ever() -> None:
    albums = Albums()
    albums.take(member(2), at(), gap=True)
    assert albums.due(at() + LONGEST_WITH_GAP) == [member(2)]
