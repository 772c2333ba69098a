"""What is told of posts and stories, read back whole."""

from __future__ import annotations

from bot.cursor import began_at
from bot.model import Channel, Media, Peer, Post, PostId, Reason, Stands
from bot.ports import Forward, Lane
from bot.recording.writer import body
from bot.render.richtext import Message as Text
from bot.storage import bundles, channels, matches, outbox, posts, stories, tellings
from bot.storage.bundles import Hold
from bot.storage.database import Connection, Database
from bot.storage.matches import Revised, StoredMatch
from bot.storage.outbox import Saying
from bot.storage.posts import Message
from bot.storage.tellings import Part, Said
from bot.stories.member import Member
from tests.made import DESK, ME, at

ALFA, BETA = -1001000000001, -1001000000002
CHANNEL = Channel(id=ALFA, username="alfa_demo", title="Альфа")
STORY = PostId(str(ALFA), 7)


def said(number: int, text: str = "Сирия", *, album: int | None = None) -> Post:
    media = (Media(kind="photo"),) if album else ()
    return Post(channel=CHANNEL, number=number, date=at(number), text=text, album=album, media=media)


def row(post: Post, lead: int | None = None, deleted: float | None = None) -> Message:
    gone = None if deleted is None else at(deleted)
    return Message(
        *(ALFA, post.number, Stands.POST, post.album, lead or post.number),
        *(post.date, at(99), gone, b"12345678", body(post)),
    )


async def store(database: Database, *rows: Message) -> None:
    peer = Peer(id=ALFA, access_hash=1, username=CHANNEL.username, title=CHANNEL.title)
    await database.write(lambda c: channels.put(c, 1, peer, began_at(1, 1)))
    await database.write(lambda c: posts.put(c, posts.packed(rows)))


def match(number: int, topic: str = "syria", footer: int | None = None) -> StoredMatch:
    return StoredMatch(
        *(ALFA, number, topic, "Syria", "[]", "[]", STORY, DESK, Reason.NEW, None, at(99)), footer=footer
    )


def id_of(number: int, channel: int = ALFA) -> PostId:
    return PostId(str(channel), number)


# --- posts ------------------------------------------------------------------------------------------------


async def test_a_post_reads_as_it_does_now(database: Database) -> None:
    await store(database, row(said(7)), row(said(8, "Дамаск")))
    assert await tellings.posts(database, [id_of(7), id_of(8), id_of(9), id_of(7, BETA)]) == {
        id_of(7): said(7),
        id_of(8): said(8, "Дамаск"),
    }
    assert await tellings.posts(database, []) == {}


async def test_an_album_is_one_post(database: Database) -> None:
    await store(database, *(row(said(number, text, album=5), 7) for number, text in ((7, ""), (8, "один"), (9, "два"))))
    found = (await tellings.posts(database, {id_of(7)}))[id_of(7)]
    assert (found.number, found.date, found.text, len(found.media)) == (7, at(7), "один\nдва", 3)


async def test_a_part_of_an_album_that_is_gone_is_left_out(database: Database) -> None:
    """Also the one by which the album is called."""
    album = [said(number, f"часть {number}", album=5) for number in (7, 8)]
    await store(database, row(album[0], deleted=30), row(album[1], 7))
    found = (await tellings.posts(database, {id_of(7)}))[id_of(7)]
    assert (found.number, found.text, found.deleted) == (7, "часть 8", None)


async def test_what_vanished_reads_as_it_last_did(database: Database) -> None:
    album = [said(number, f"часть {number}", album=5) for number in (7, 8)]
    await store(database, row(album[0], deleted=30), row(album[1], 7, deleted=31), row(said(9), deleted=40))
    found = await tellings.posts(database, [id_of(7), id_of(9)])
    assert (found[id_of(7)].text, found[id_of(7)].deleted) == ("часть 7\nчасть 8", at(31))
    assert found[id_of(9)].deleted == at(40)


async def test_what_is_no_post_is_none(database: Database) -> None:
    await store(database, Message(ALFA, 7, Stands.SERVICE, None, 7, None, at(99), None, None, None))
    assert await tellings.posts(database, [id_of(7)]) == {}


async def test_a_channel_that_is_not_known_has_its_number(database: Database) -> None:
    await database.write(lambda c: posts.put(c, posts.packed([row(said(7))])))
    assert (await tellings.posts(database, [id_of(7)]))[id_of(7)].channel == Channel(id=ALFA)


async def test_a_footer_is_known_as_it_was_when_the_post_was_judged(database: Database) -> None:
    await store(database, row(said(7, "Сирия\nПодписаться")), row(said(8)))
    await database.write(lambda c: matches.add(c, [match(7, footer=6)]))
    found = await tellings.posts(database, [id_of(7), id_of(8)])
    assert (found[id_of(7)].body, found[id_of(8)].footer) == ("Сирия", None)
    await database.write(lambda c: matches.revise(c, [Revised(ALFA, 7, None, None, None)]))
    assert (await tellings.posts(database, [id_of(7)]))[id_of(7)].footer is None


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    """The plan names an index for each table; what is asked leads."""
    plan = await database.rows(f"EXPLAIN QUERY PLAN {tellings._POSTS}", ("[]",))
    steps = " / ".join(step for *_, step in plan)
    assert "SCAN m" not in steps
    assert "SCAN lead" not in steps
    assert "message_album" in steps


# --- stories ----------------------------------------------------------------------------------------------


def member(number: int, story: PostId = STORY) -> Member:
    return Member(id_of(number), story, at(number), b"", 1, ())


async def test_the_posts_of_a_story_come_in_the_order_of_joining(database: Database) -> None:
    await database.write(lambda c: stories.add(c, [member(9), member(7), member(8, id_of(8))]))
    assert await tellings.members(database, [STORY, id_of(8), id_of(1)]) == {
        STORY: [id_of(9), id_of(7)],
        id_of(8): [id_of(8)],
    }
    assert await tellings.members(database, []) == {}


# --- messages ---------------------------------------------------------------------------------------------

FORWARD = Forward(channel=ALFA, username="alfa_demo", numbers=(7,), random_ids=(1,), excerpt=Text("Сирия"))


def saying(number: int, story: PostId = STORY) -> Saying:
    return Saying(story, ALFA, number, ("syria", "bases"), urgent=True, edited=False)


async def test_it_is_known_what_an_alert_says(database: Database) -> None:
    rows = [
        outbox.Row("a", DESK, Lane.ALERT, Text("Сирия"), at(), 1, says=(saying(7),)),
        outbox.Row("b", ME, Lane.ALERT, Text("Сирия"), at(), 2, says=(saying(8),), forward=FORWARD),
        outbox.Row("c", ME, Lane.NOTICE, Text("Away"), at(), 3),
    ]
    await database.write(lambda c: outbox.add(c, rows))
    assert await tellings.said(database, 1) == Said(DESK, forward=False, sayings=(saying(7),))
    assert await tellings.said(database, 2) == Said(ME, forward=True, sayings=(saying(8),))
    assert await tellings.said(database, 3) is None
    assert await tellings.said(database, 4) is None


async def test_it_is_known_of_which_bundle_a_message_is_a_part(database: Database) -> None:
    def work(c: Connection) -> None:
        bundles.hold(c, [Hold(DESK, Reason.QUIET, at(600), ALFA, 7, at(5))])
        parts = ((saying(7), saying(8)), (saying(9),))
        outbox.add(
            c,
            [
                outbox.Row(f"part {at_}", DESK, Lane.ALERT, Text("Сирия"), at(600), at_, says=says, bundle=1)
                for at_, says in enumerate(parts)
            ],
        )
        c.execute("UPDATE bundle SET more = 7")

    await database.write(work)
    first, second = await tellings.said(database, 1), await tellings.said(database, 2)
    assert first
    assert second
    assert first.bundle == Part(Reason.QUIET, at(5), at(600), stories=3, first=True, more=7)
    assert second.bundle == Part(Reason.QUIET, at(5), at(600), stories=3, first=False, more=7)
    assert second.sayings == (saying(9),)


async def test_an_album_that_got_a_lower_number_takes_what_messages_say_of_it_along(database: Database) -> None:
    await store(database, row(said(8, album=5)), row(said(7, album=5)))
    told = outbox.Row("a", DESK, Lane.ALERT, Text("Сирия"), at(), 1, says=(saying(8), saying(9)))
    await database.write(lambda c: outbox.add(c, [told]))
    await database.write(lambda c: posts.move(c, [(ALFA, 8, 7)]))
    found = await tellings.said(database, 1)
    assert found
    assert [one.number for one in found.sayings] == [7, 9]
