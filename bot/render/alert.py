"""The instant message about one story: which topic, who said it, what was said, where else it ran."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.model import Alert
from bot.render.richtext import Message, joined, lines, message
from bot.render.story import Flags, address, also_in, extras, media, said, topics_line, who_line
from bot.render.times import Times

#: Code points of the whole, and of what was said.
MOST = 1200
_SAID = 700
#: Kept free for where else it ran, if it did; and the most of these that are named, each being an entity.
_ALSO = 90
_CARRIERS = 12
_EMPTY_LINES = 4
#: Of a header, which stands under the post itself.
_HEADER_ALSO = 300


def alert(told: Alert, zone: ZoneInfo) -> Message:
    """At most 1,200 code points and 100 entities, whatever the post holds."""
    post = told.post
    times = Times(zone, post.date, post.date)
    heading = topics_line(told.topics, Flags(told.edited, told.deleted), urgent=told.urgent)
    head = message(heading, "\n", who_line(post, times.whole(post.date)))
    shown = extras(post, told.hits, _SAID)
    hung, where = [media(post, shown)], address(post)
    foot = lines([hung, where])
    room = MOST - len(head.text) - len(foot.text) - 2 * _EMPTY_LINES
    body = said(post, told.hits, shown, min(_SAID, room - (_ALSO if told.also else 0)), flat=False)
    also = also_in(told.also, times, room - len(body.text), _CARRIERS)
    return joined([head, body, lines([hung, also, where])])


def header(told: Alert, zone: ZoneInfo) -> Message:
    """What stands under a forwarded post: why it came, who said it when, where else it ran; a few lines at most."""
    post = told.post
    times = Times(zone, post.date, post.date)
    heading = topics_line(told.topics, Flags(told.edited, told.deleted), urgent=told.urgent)
    who = who_line(post, times.whole(post.date))
    return lines([[heading], [who], also_in(told.also, times, _HEADER_ALSO, _CARRIERS), address(post)])
