"""``vedette export``: what is stored comes back as a recording that replays to the same, and as matches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.cursor import began_at
from bot.folder import held
from bot.model import Entity, Media, Origin, Peer, Post, PostId, Reason, Stands
from bot.recording.jsonl import parse
from bot.recording.reader import read
from bot.recording.writer import body, digest
from bot.storage import channels, matches, posts
from bot.storage.database import Database
from bot.storage.matches import StoredMatch
from bot.storage.posts import Message
from tests.cli.conftest import ROOT, Vedette
from tests.made import DESK, at

CONFIG = """\
timezone = "Europe/Moscow"
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "@desk_demo"
[topics.syria]
keywords = ["Сирия"]
"""
ALFA = Peer(id=-1001000000001, access_hash=7, username="alfa_demo", title="Альфа")
BETA = Peer(id=-1001000000002, access_hash=7, title="Бета")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "data").mkdir()
    return tmp_path


def post(number: int, text: str, minutes: float, peer: Peer = ALFA) -> Post:
    return Post(channel=peer.channel, number=number, date=at(minutes), text=text)


def row(now: Post, number: int | None = None, deleted: datetime | None = None) -> Message:
    assert now.channel.id is not None
    return Message(
        *(now.channel.id, now.number, Stands.POST, now.album, number or now.number, now.date, at(90)),
        *(deleted, digest(now), body(now)),
    )


def store(
    folder: Path,
    rows: Iterable[Message],
    versions: Iterable[tuple[int, int, datetime, str]] = (),
    found: Sequence[StoredMatch] = (),
) -> None:
    async def work() -> None:
        async with Database.opened(folder) as database:
            for peer in (ALFA, BETA):
                await database.write(lambda c, peer=peer: channels.put(c, 1, peer, began_at(1, 1)))  # type: ignore[misc]
            await database.write(lambda c: posts.put(c, posts.packed(rows)))
            await database.write(lambda c: posts.keep_versions(c, versions))
            await database.write(lambda c: matches.add(c, found))

    asyncio.run(work())


def test_stored_posts_come_as_a_recording(home: Path, vedette: Vedette) -> None:
    full = replace(
        post(7, "Сирия", 1),
        entities=(Entity("text_url", 0, 5, "https://example.org"),),
        media=(Media(kind="photo"),),
        origin=Origin(channel="-1001000000009", post=3),
        views=5,
    )
    store(home / "data", [row(full), row(post(1, "Бета пишет", 0, BETA))])
    ran = vedette("export")
    assert ran.code == 0
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert [parse(line.encode()) for line in lines] == [post(1, "Бета пишет", 0, BETA), full]
    assert json.loads(lines[0]) == {
        "channel": {"id": -1001000000002, "title": "Бета"},
        "id": 1,
        "date": "2024-12-08T12:00:00+00:00",
        "text": "Бета пишет",
    }


def test_a_span_is_in_the_configured_zone_and_a_channel_is_named_in_any_way(home: Path, vedette: Vedette) -> None:
    store(home / "data", [row(post(1, "а", 0)), row(post(2, "б", 60)), row(post(1, "в", 60, BETA))])
    ran = vedette("export", "--since", "2024-12-08T16:00", "--until", "2024-12-08T16:01")
    assert [json.loads(line)["text"] for line in ran.out.splitlines()] == ["в", "б"]
    for name in ("alfa_demo", "@Alfa_demo", "https://t.me/alfa_demo/5", "-1001000000001", "t.me/c/1000000001"):
        ran = vedette("export", "--channel", name)
        assert [json.loads(line)["text"] for line in ran.out.splitlines()] == ["а", "б"], ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--channel", "nobody_demo"), 2, "--channel nobody_demo: nothing of this channel is stored"),
        (("--channel", "no name"), 2, "--channel no name: a blank stands inside"),
        (("--since", "gestern"), 2, "--since 'gestern' is no date"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(
    home: Path, vedette: Vedette, arguments: tuple[str, ...], code: int, said: str
) -> None:
    store(home / "data", [])
    ran = vedette("export", *arguments)
    assert ran.code == code
    assert said in ran.err
    assert ran.out == ""


@pytest.mark.usefixtures("home")
def test_without_a_database_there_is_nothing_to_export(vedette: Vedette) -> None:
    ran = vedette("export")
    assert ran.code == 1
    assert "there is no database" in ran.err


def test_it_works_beside_a_service_and_without_credentials(home: Path, vedette: Vedette) -> None:
    store(home / "data", [row(post(1, "а", 0))])
    with held(home / "data"):
        assert vedette("export").code == 0


def test_what_could_not_be_read_is_counted(home: Path, vedette: Vedette) -> None:
    stubs = [Message(ALFA.id, 5, Stands.UNREADABLE, None, 5, None, at(1), None, None, None)]
    store(home / "data", [row(post(1, "а", 0)), *stubs])
    ran = vedette("export")
    assert len(ran.out.splitlines()) == 1
    assert ran.err == "left out: 1 message of a kind that could not be read\n"


def test_an_export_read_again_tells_what_happened_and_nothing_is_out_of_order(home: Path, vedette: Vedette) -> None:
    """Edits, deletions, an album, and posts of two channels between them."""
    first = post(1, "Сирия", 0)
    second = replace(post(1, "Сирия и Ливан", 0), edited=at(5))
    album = [replace(post(number, text, 2), album=9) for number, text in ((3, "Подпись"), (4, ""))]
    store(
        home / "data",
        [
            row(second, deleted=at(30)),
            *(row(member, 3) for member in album),
            *(row(post(number, f"Бета {number}", number * 4, BETA)) for number in range(1, 6)),
        ],
        [(ALFA.id, 1, at(5) + timedelta(seconds=1), body(first))],
    )
    (home / "out.jsonl").write_text(vedette("export").out, "utf-8")
    problems: list[object] = []
    told = [
        (each.happening.value, each.post.number, each.post.text, each.at)
        for each in read([home / "out.jsonl"], problems.append)
        if each.post.channel.id == ALFA.id
    ]
    assert told == [
        ("posted", 1, "Сирия", at(0)),
        ("posted", 3, "Подпись", at(2)),
        ("edited", 1, "Сирия и Ливан", at(5)),
        ("deleted", 1, "Сирия и Ливан", at(30)),
    ]
    assert problems == []


def test_a_recording_that_was_stored_and_exported_replays_to_the_same_matches(home: Path, vedette: Vedette) -> None:
    source = ROOT / "bot" / "demo" / "polyarny_telegraf.jsonl"
    rows = []
    for line in source.read_bytes().splitlines():
        found = replace(parse(line), channel=ALFA.channel)
        if found.deleted is None and found.edited is None and found.album is None:
            rows.append(row(found))
    store(home / "data", {(one.channel, one.number): one for one in rows}.values())
    (home / "plain.jsonl").write_text(
        "".join(
            json.dumps(json.loads(line) | {"channel": "alfa_demo"}) + "\n"
            for line in source.read_text("utf-8").splitlines()
            if not {"edit_date", "deleted", "grouped_id"} & set(json.loads(line))
        ),
        "utf-8",
    )
    (home / "out.jsonl").write_text(vedette("export").out, "utf-8")
    again, before = (vedette("replay", "--format", "jsonl", str(home / name)) for name in ("out.jsonl", "plain.jsonl"))
    assert before.out
    assert again.out == before.out
    assert again.err == before.err


def test_matches_come_as_replay_prints_them(home: Path, vedette: Vedette) -> None:
    hits = [{"in": "text", "start": 0, "end": 5, "text": "Сирия"}]
    where = (PostId(str(ALFA.id), 1), DESK)
    stored = [
        StoredMatch(ALFA.id, 1, "syria", "S", '["Сирия"]', json.dumps(hits), *where, Reason.DIGEST, None, at(9)),
        StoredMatch(BETA.id, 1, "syria", "S", '["Сирия"]', json.dumps(hits), *where, Reason.FOLDED, None, at(9)),
    ]
    alfa = post(1, "Сирия", 0)
    store(home / "data", [row(alfa), row(post(1, "Сирия", 1, BETA))], found=stored)
    ran = vedette("export", "--matches")
    lines = ran.out.splitlines()
    assert [json.loads(line)["channel"] for line in lines] == ["alfa_demo", "-1001000000002"]
    (home / "plain.jsonl").write_text(json.dumps({"channel": "alfa_demo", "id": 1} | json.loads(body(alfa))), "utf-8")
    assert vedette("replay", "--format", "jsonl", "plain.jsonl").out.splitlines() == lines[:1]
    only = vedette("export", "--matches", "--channel", str(BETA.id))
    assert only.out.splitlines() == lines[1:]
    assert vedette("export", "--matches", "--since", "2024-12-09").out == ""
