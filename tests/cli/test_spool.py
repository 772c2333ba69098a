"""Posts that come newest page first, given back in the order of time."""

from __future__ import annotations

from dataclasses import replace

from bot.cli.spool import Spool, merged
from tests.made import post


def test_pages_come_back_the_oldest_first_and_every_text_whole() -> None:
    posts = [post(f"строка {number}\nи ещё \u2028 \x85", number=number, minutes=number) for number in range(1, 8)]
    with Spool(posts[0].channel) as spool:
        spool.put(posts[4:])
        spool.put(posts[1:4])
        spool.put(posts[:1])
        assert list(spool) == posts
        assert spool.posts == 7
        assert list(spool) == posts


def test_channels_are_merged_by_date() -> None:
    alfa = [post("а", number=number, minutes=number * 2) for number in (1, 2)]
    beta = [post("б", "beta_demo", number, minutes=number * 2 + 1) for number in (0, 1)]
    with Spool(alfa[0].channel) as one, Spool(beta[0].channel) as other, Spool(replace(beta[0].channel)) as empty:
        one.put(alfa)
        other.put(beta)
        assert list(merged([one, other, empty])) == [beta[0], alfa[0], beta[1], alfa[1]]
