"""Whatever a post, a title or a name holds: every form stays whole and pings nobody. `make fuzz` runs many cases."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.model import (
    Alert,
    Bundle,
    Carrier,
    Channel,
    Digest,
    DigestStory,
    DigestTopic,
    Entity,
    Hit,
    Media,
    Notice,
    Origin,
    Post,
    Reason,
)
from bot.render.alert import alert
from bot.render.bundle import bundle
from bot.render.digest import digest
from bot.render.excerpt import excerpt
from bot.render.notice import notice
from bot.render.richtext import Message, Piece, bold, clean, joined, link, message, split
from bot.render.times import Times
from tests.render.conftest import KYIV, LONDON, ME, hits
from tests.render.soundness import bare, check, check_all, covered

pytestmark = pytest.mark.fuzz
cases = settings(max_examples=int(os.environ.get("VEDETTE_CASES", "100")), deadline=None)

MARKER = "МАРКЕР"
MANY = list(range(0, 2000, 11))
PIECES = """
@everyone @rybar_demo ＠all @ /start /ban@bot_demo / // **bold** __a__ `code` <b> </b> &lt; [x](tg://user?id=1)
tg://user?id=1 tonsite://a https://t.me/zastava_demo/17 t.me/a/@b a@b.example #Сирия $USD ⚡️ 🇸🇾 🇸 👨‍👩‍👧 👉🏽 1️⃣ и\u0306
З\u0301\u0489\u0301\u0489\u0301\u0489\u0301 \u0e47\u0e47\u0e47\u0e47\u0e47\u0e47
سوريا ــ Сирия база слово … . ! ?
""".split()
SIGNS = "\x00\x1b\u202e\u202b\u2066\u2069\u2028\r\t\u00a0\n \ufffe"
SIGNS += "\u200b\u200d\u2060\ufeff\u0301\u20e3\ufe0f\ud83d\udd25\U000e0067"
pieces = st.one_of(
    st.sampled_from(PIECES),
    st.sampled_from(SIGNS),
    st.sampled_from([" ", " ", "\n", "\n\n\n", "/", "@"]),
    st.characters(),
)
texts = st.lists(pieces, max_size=40).map("".join)
long_texts = st.builds(lambda parts, times: "".join(parts) * times, st.lists(pieces, max_size=12), st.integers(1, 400))
names = st.one_of(texts, long_texts, st.just(""))
moments = st.datetimes(timezones=st.just(UTC)) | st.just(datetime(2024, 12, 8, 9, 14, tzinfo=UTC))
links = st.one_of(
    st.none(),
    texts,
    st.sampled_from(["https://t.me/zastava_demo/17", "tg://user?id=1", "t.me/a_demo/1", "https://a/" + "b" * 9999]),
)
carriers = st.builds(
    lambda row, times: (*row,) * times,
    st.lists(st.builds(Carrier, names, moments, links), max_size=6),
    st.integers(1, 800),
)


@st.composite
def found(draw: st.DrawFn) -> DigestStory:
    """A story whose hits stand anywhere in its post's parts."""
    medium = st.builds(
        Media,
        kind=st.sampled_from(["photo", "video", "document", "poll", "webpage", "hologram"]),
        file_name=st.none() | names,
        title=st.none() | names,
        text=st.none() | texts,
    )
    post = Post(
        channel=draw(st.builds(Channel, username=st.none() | texts, title=st.none() | names, own=st.just("own"))),
        number=draw(st.integers(-5, 1 << 60)),
        date=draw(moments),
        text=draw(texts | long_texts),
        entities=tuple(Entity("text_url", at, 1, url) for at, url in enumerate(draw(st.lists(names, max_size=3)))),
        media=tuple(draw(st.lists(medium, max_size=3))),
        origin=draw(st.none() | st.builds(Origin, channel=st.none() | names, name=st.none() | names)),
        url=draw(links),
    )
    stretches: list[Hit] = []
    for part in post.parts():
        size = draw(st.integers(1, 9))
        for start in draw(st.lists(st.integers(0, len(part.text)), max_size=3)) + draw(st.sampled_from([[], MANY])):
            text = part.text[start : start + size]
            stretches.append(Hit(part.kind, start, start + size, text))
    flags = draw(st.booleans()), draw(st.booleans())
    return DigestStory(post, tuple(stretches), draw(carriers), *flags)


def alert_of(story: DigestStory, topics: tuple[str, ...], *, urgent: bool) -> Alert:
    return Alert(
        destination=ME,
        story=story.post.id,
        topics=topics,
        post=story.post,
        hits=story.hits,
        also=story.also,
        edited=story.edited,
        deleted=story.deleted,
        urgent=urgent,
    )


alerts = st.builds(alert_of, found(), st.lists(names, max_size=4).map(tuple), urgent=st.booleans())


@cases
@given(told=alerts, zone=st.sampled_from([LONDON, KYIV]))
def test_an_alert_is_sound_and_short(told: Alert, zone: object) -> None:
    made = alert(told, KYIV if zone is KYIV else LONDON)
    check(made)
    assert len(made.text) <= 1200
    assert ("edited" in made.text.split("\n")[0]) >= told.edited
    assert ("deleted" in made.text.split("\n")[0]) >= told.deleted
    assert alert(told, KYIV if zone is KYIV else LONDON) == made


@cases
@given(
    told=st.builds(
        Bundle,
        destination=st.just(ME),
        reason=st.sampled_from([Reason.BURST, Reason.LATE, Reason.QUIET]),
        since=moments,
        until=moments,
        alerts=st.builds(
            lambda row, times: (*row,) * times, st.lists(alerts, min_size=1, max_size=2), st.integers(1, 12)
        ),
    )
)
def test_a_bundle_is_sound(told: Bundle) -> None:
    check_all([part.message for part in bundle(told, KYIV)])


topics = st.builds(
    DigestTopic,
    title=names,
    posts=st.integers(0, 9999),
    stories=st.lists(found(), max_size=2).map(tuple),
    more=st.integers(0, 9999),
    bars=st.lists(st.integers(0, 1 << 40), max_size=48).map(tuple),
)


@cases
@given(
    told=st.builds(
        Digest,
        destination=st.just(ME),
        since=moments,
        until=moments,
        topics=st.lists(topics, max_size=2).map(tuple),
        posts=st.integers(0, 9999),
        stories=st.integers(0, 9999),
        channels=st.integers(0, 9999),
        behind=st.builds(lambda row, times: (*row,) * times, st.lists(names, max_size=4), st.integers(1, 500)),
        lost=st.lists(names, max_size=4).map(tuple),
        history=st.booleans(),
    )
)
def test_a_digest_is_sound(told: Digest) -> None:
    made = digest(told, LONDON)
    check_all(made)
    assert Times(LONDON, told.since, told.until).period() in made[0].text
    for one, following in pairwise(made):
        assert not joined([one, following]).fits() or "\n\n" in following.text


@cases
@given(told=st.builds(Notice, names, st.lists(names, max_size=8).map(tuple)))
def test_a_notice_is_sound(told: Notice) -> None:
    check(notice(told))


marked = st.lists(st.one_of(pieces, st.just(f" {MARKER} "), texts), max_size=60).map("".join)


@cases
@given(text=st.builds(lambda text, times: text * times, marked, st.integers(1, 40)), limit=st.integers(60, 700))
@example(text=f"а/{MARKER} " * 900, limit=700)
@example(text=("@" * 700 + MARKER) * 3, limit=60)
@example(text="\u0301" * 2000 + MARKER + "\u0301" * 2000, limit=100)
@example(text=f"https://{'a' * 900}/{MARKER}", limit=100)
def test_every_hit_that_is_shown_is_bold_and_as_the_post_has_it(text: str, limit: int) -> None:
    post = Post(channel=Channel(own="own"), number=1, date=datetime(2024, 12, 8, tzinfo=UTC), text=text)
    spans = [(hit.start, hit.end) for hit in hits(post, MARKER)]
    for flat in (False, True):
        made = message(*excerpt(text, spans, limit, flat=flat))
        if not made.text:
            assert not bare(clean(text).replace("\u200b", "").replace("\ufeff", ""))
            continue
        check(made)
        assert len(made.text) <= limit
        assert "\n\n\n" not in made.text
        told = [covered(made, entity) for entity in made.entities]
        assert bool(told) == bool(spans)
        assert "".join(told).count(MARKER) == made.text.count(MARKER)
        assert not set("".join(told).replace(MARKER, ""))


@cases
@given(
    rows=st.lists(
        st.lists(st.one_of(texts, texts.map(bold), st.builds(link, texts, links)), max_size=60).map(
            lambda row: message(*row)
        ),
        max_size=12,
    ),
    large=st.builds(lambda text, times: message(bold(text * times), text), texts, st.integers(1, 500)),
)
def test_no_block_that_fits_is_cut_and_nothing_is_lost(rows: list[Message], large: Message) -> None:
    made = split([*rows, large])
    for each in made:
        check(each)
    for row in rows:
        if row.text and row.fits():
            assert any(row.text in each.text for each in made)
    whole = "".join(each.text for each in [*rows, large])
    assert bare("".join(each.text for each in made)) == bare(whole)


@cases
@given(row=st.lists(st.builds(Piece, texts, st.sampled_from([None, "bold"]), st.none()), max_size=20))
def test_any_pieces_make_a_sound_text(row: list[Piece]) -> None:
    made = message(*row)
    if made.text and made.fits():
        check(made)
    assert bare(made.text) == bare(clean("".join(piece.text for piece in row)))
