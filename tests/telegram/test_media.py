"""What hangs on a message, as the wire gives it."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import types

from bot.telegram.media import Hanging, hanging
from tests.telegram.wire import DATE, file, wired, words

GEO = types.GeoPointEmpty()
PHOTO = types.MessageMediaPhoto(photo=types.PhotoEmpty(1))
NAME = types.DocumentAttributeFilename("сводка.pdf")
VIDEO = types.DocumentAttributeVideo(duration=1.5, w=2, h=3)
PAGE = {"id": 1, "url": "https://example.org", "display_url": "example.org", "hash": 0}


def attached(*attributes: Any, **more: Any) -> Any:
    return types.MessageMediaDocument(document=file(*attributes), **more)


def poll(question: str, *answers: str, attached_media: Any = None) -> Any:
    asked = [types.PollAnswer(words(answer), b"0") for answer in answers]
    return types.MessageMediaPoll(
        types.Poll(id=1, question=words(question), answers=asked, hash=0),
        types.PollResults(),
        attached_media=attached_media,
    )


@pytest.mark.parametrize(
    ("media", "told"),
    [
        (types.MessageMediaEmpty(), []),
        (PHOTO, [Hanging("photo")]),
        (attached(NAME), [Hanging("document", "сводка.pdf")]),
        (attached(VIDEO, NAME), [Hanging("video", "сводка.pdf")]),
        (attached(types.DocumentAttributeVideo(1.5, 2, 3, round_message=True)), [Hanging("video_note")]),
        (attached(VIDEO, types.DocumentAttributeAnimated()), [Hanging("animation")]),
        (attached(types.DocumentAttributeAnimated(), VIDEO), [Hanging("animation")]),
        (attached(types.DocumentAttributeImageSize(1, 2)), [Hanging("document")]),
        (
            attached(types.DocumentAttributeAudio(5, title="Дамаск", performer="Хор")),
            [Hanging("audio", title="Хор – Дамаск")],
        ),
        (attached(types.DocumentAttributeAudio(5, voice=True)), [Hanging("voice")]),
        (
            attached(NAME, types.DocumentAttributeSticker("😀", types.InputStickerSetEmpty())),
            [Hanging("sticker")],
        ),
        (types.MessageMediaDocument(voice=True, ttl_seconds=5), [Hanging("voice")]),
        (types.MessageMediaDocument(video=True, document=types.DocumentEmpty(1)), [Hanging("video")]),
        (
            types.MessageMediaWebPage(types.WebPage(**PAGE, title="Сирия", description="Итоги")),
            [Hanging("webpage", title="Сирия", text="Итоги")],
        ),
        (types.MessageMediaWebPage(types.WebPage(**PAGE)), []),
        (types.MessageMediaWebPage(types.WebPagePending(1, DATE)), []),
        (types.MessageMediaWebPage(types.WebPageEmpty(1)), []),
        (poll("Кто?", "Асад", "Никто"), [Hanging("poll", text="Кто?\nАсад\nНикто")]),
        (poll("Кто?", "Асад", attached_media=PHOTO), [Hanging("poll", text="Кто?\nАсад"), Hanging("photo")]),
        (
            types.MessageMediaToDo(types.TodoList(words("Дела"), [types.TodoItem(1, words("Дамаск"))])),
            [Hanging("checklist", text="Дела\nДамаск")],
        ),
        (types.MessageMediaGeo(GEO), [Hanging("location")]),
        (types.MessageMediaGeoLive(GEO, 60), [Hanging("location")]),
        (
            types.MessageMediaVenue(GEO, "База", "Хмеймим", "", "", ""),
            [Hanging("location", title="База", text="Хмеймим")],
        ),
        (types.MessageMediaContact("+70000000000", "Иван", "", "", 5), [Hanging("contact", title="Иван")]),
        (types.MessageMediaDice(5, "🎲"), [Hanging("dice")]),
        (
            types.MessageMediaGame(types.Game(1, 2, "war", "Война", "Игра", types.PhotoEmpty(1))),
            [Hanging("game", title="Война", text="Игра")],
        ),
        (
            types.MessageMediaInvoice("Книга", "О Сирии", "EUR", 100, "x"),
            [Hanging("invoice", title="Книга", text="О Сирии")],
        ),
        (
            types.MessageMediaGiveaway([5], 1, DATE, prize_description="Поездка"),
            [Hanging("giveaway", text="Поездка")],
        ),
        (types.MessageMediaGiveawayResults(5, 1, 1, 0, [], DATE), [Hanging("giveaway")]),
        (
            types.MessageMediaPaidMedia(
                5,
                [
                    types.MessageExtendedMediaPreview(),
                    types.MessageExtendedMediaPreview(video_duration=0),
                    types.MessageExtendedMedia(attached(NAME)),
                ],
            ),
            [Hanging("photo"), Hanging("video"), Hanging("document", "сводка.pdf")],
        ),
        (types.MessageMediaStory(types.PeerUser(1), 5), [Hanging("story")]),
        (
            types.MessageMediaStory(
                types.PeerUser(1), 5, story=types.StoryItem(5, DATE, DATE, media=PHOTO, caption="Сирия")
            ),
            [Hanging("story", text="Сирия")],
        ),
        (types.MessageMediaUnsupported(), [Hanging("unsupported")]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_media_is_told_in_plain_words(media: Any, told: list[Hanging]) -> None:
    assert list(hanging(wired(media))) == told


def test_a_message_without_media_has_none() -> None:
    assert hanging(None) == ()


def test_a_kind_that_a_later_layer_adds_is_media_too() -> None:
    assert hanging(object()) == (Hanging("unsupported"),)


def test_every_kind_of_this_layer_is_known() -> None:
    """A new version of Telethon that brings another kind ends here."""
    known = {name for name in vars(types) if name.startswith("MessageMedia")}
    told = [name for name in known if name != "MessageMediaUnsupported" and _is_unknown(getattr(types, name))]
    assert told == []


def _is_unknown(kind: Any) -> bool:
    try:
        return hanging(kind.__new__(kind)) == (Hanging("unsupported"),)
    except AttributeError:
        return False  # known, and it looks into what is not there
