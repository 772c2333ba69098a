"""The pictures of messages: made of what the render makes, safe whatever a text holds, and as current as the format."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.model import Entity
from bot.render.richtext import Message
from pictures.page import Theme, body, page
from pictures.png import with_palette
from pictures.scenes import Bubble, Scene, scenes, written

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "pictures"
SCENES = scenes()
AT = datetime(2024, 12, 8, 9, 14)  # noqa: DTZ001 - only its clock is shown
HOSTILE = "</p><script>alert(1)</script><img src=x onerror=alert(1)> \"'&amp; <b>"


class Seen(HTMLParser):
    """What a browser makes of a page: its tags, the text of the messages, and what stands in bold or in links."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.texts: list[str] = []
        self.styled: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "p":
            self.texts.append("")
        if tag == "a":
            self.links.append(dict(attrs).get("href"))
        if tag in ("p", "b", "i", "a"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "b", "i", "a"):
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "p" in self._open:
            self.texts[-1] += data
            if self._open[-1] != "p":
                self.styled.append((self._open[-1], data))


def shown(text: str, *entities: Entity) -> Seen:
    return Seen(page(Scene("s", 400, (Bubble(message=Message(text, entities), at=AT),)), Theme.DAY))


def covered(message: Message, entity: Entity) -> str:
    return message.text.encode("utf-16-le")[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
@pytest.mark.parametrize("theme", Theme)
def test_a_page_holds_all_that_the_render_made(scene: Scene, theme: Theme) -> None:
    seen = Seen(page(scene, theme))
    tags = {"bold": "b", "italic": "i"}
    entities = [(bubble.message, entity) for bubble in scene.bubbles for entity in bubble.message.entities]
    assert seen.texts == [bubble.message.text for bubble in scene.bubbles]
    assert seen.styled == [(tags.get(entity.type, "a"), covered(message, entity)) for message, entity in entities]
    assert [url for url in seen.links if url] == [entity.url for _, entity in entities if entity.url]


@pytest.mark.parametrize("text", [HOSTILE, "<!--", "]]>", "&lt;script&gt;", "\u2060</title><style>"])
def test_no_text_breaks_out_of_its_bubble(text: str) -> None:
    harmless = shown("Сирия")
    assert shown(text).texts == [text]
    assert shown(text).tags == harmless.tags
    named = Scene("s", 400, (Bubble(message=Message("Сирия"), at=AT, source=text),))
    assert "script" not in Seen(page(named, Theme.NIGHT)).tags


def test_no_address_breaks_out_of_its_link() -> None:
    seen = shown("here", Entity("text_url", 0, 4, 'https://example.org/"><script>x</script>'))
    assert seen.links == ['https://example.org/"><script>x</script>']
    assert "script" not in seen.tags
    assert shown("here", Entity("text_url", 0, 4, "javascript:alert(1)")).links == [None]


def test_a_page_may_load_and_run_nothing() -> None:
    html = page(SCENES[0], Theme.DAY)
    assert "default-src 'none'; style-src 'unsafe-inline'\"" in html
    assert not re.search(r"src=|@import|url\(", html)


def test_entities_are_counted_in_utf_16_units() -> None:
    assert body("⚡️🇸🇾 Асад 𝒜", [Entity("bold", 7, 4), Entity("bold", 12, 2)]) == "⚡️🇸🇾 <b>Асад</b> <b>𝒜</b>"


def test_an_entity_without_a_tag_is_not_left_out_in_silence() -> None:
    with pytest.raises(KeyError):
        body("Сирия", [Entity("spoiler", 0, 5)])


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_pictures_are_current(scene: Scene) -> None:
    kept = (FOLDER / f"{scene.name}.txt").read_text("utf-8")
    assert kept == written(scene), "messages look otherwise than in docs/pictures: run make pictures"


def test_what_is_kept_of_a_scene_tells_another_format_from_it() -> None:
    scene = SCENES[0]
    bubble = scene.bubbles[0]
    plain = replace(bubble, message=Message(bubble.message.text))
    for other in (plain, replace(bubble, edited=not bubble.edited), replace(bubble, source="X")):
        assert written(replace(scene, bubbles=(other, *scene.bubbles[1:]))) != written(scene)


def test_every_scene_is_there_by_day_and_by_night_and_small() -> None:
    names = {f"{scene.name}-{theme}.png" for scene in SCENES for theme in Theme}
    assert {path.name for path in FOLDER.glob("*.png")} == names
    assert {path.name for path in FOLDER.glob("*.txt")} == {f"{scene.name}.txt" for scene in SCENES}
    for scene in SCENES:
        for theme in Theme:
            png = (FOLDER / f"{scene.name}-{theme}.png").read_bytes()
            assert len(png) < 200_000
            assert struct.unpack(">II", png[16:24]) == (2 * 412, 2 * scene.height)


def test_without_a_browser_it_is_said_in_one_line_and_nothing_is_changed(tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()}
    done = subprocess.run(
        [sys.executable, "-m", "pictures"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("make pictures needs Chromium: apt-get install chromium ")
    assert done.stderr.count("\n") == 1
    assert {path: path.stat().st_mtime_ns for path in FOLDER.iterdir()} == before


def test_pages_show_pictures_that_are_there() -> None:
    """Each theme under the `prefers-color-scheme` of its name, and words for who does not see them."""
    shown_in = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    found = [(page_, tag) for page_ in shown_in for tag in re.findall(r"<(?:img|source)\b[^>]*>", page_.read_text())]
    assert {page_.name for page_, _ in found} >= {"README.md", "alerts.md"}
    used = set()
    for page_, tag in found:
        [path] = re.findall(r'src(?:set)?="([^"]+)"', tag)
        assert (page_.parent / path).is_file(), path
        assert ("prefers-color-scheme: dark" in tag) == path.endswith("-night.png"), tag
        assert tag.startswith("<source") or re.search(r'alt="[^"]{20,}"', tag), tag
        used.add((page_.parent / path).resolve())
    assert used == set(FOLDER.resolve().glob("*.png")), "each picture is shown somewhere"


def test_a_palette_keeps_every_colour_of_few() -> None:
    rows = [[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 0, 0)]]
    for kind in range(5):
        made = with_palette(_png(rows, kind))
        assert struct.unpack(">IIBBBBB", made[16:29]) == (2, 2, 8, 3, 0, 0, 0)
        assert _pixels(made) == rows


def test_of_many_colours_the_rare_become_their_nearest() -> None:
    rows = [[(at, at, at) for at in range(256)], [(0, 0, 0)] * 255 + [(254, 255, 255)]]
    assert _pixels(with_palette(_png(rows, 0)))[1][-1] == (255, 255, 255)


def test_another_kind_of_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="no PNG"):
        with_palette(b"GIF89a")
    with pytest.raises(ValueError, match="of kind"):
        with_palette(with_palette(_png([[(1, 2, 3)]], 0)))


def _png(rows: list[list[tuple[int, int, int]]], kind: int) -> bytes:
    """Written by the definition of the filters, each byte less what its filter foretells of it."""
    flat = [[byte for pixel in row for byte in pixel] for row in rows]
    raw = b""
    for y, row in enumerate(flat):
        line = []
        for x, byte in enumerate(row):
            a, b = row[x - 3] if x >= 3 else 0, flat[y - 1][x] if y else 0
            c = flat[y - 1][x - 3] if x >= 3 and y else 0
            paeth = min((abs(a + b - c - one), at) for at, one in enumerate((a, b, c)))[1]
            line.append((byte - (0, a, b, (a + b) // 2, (a, b, c)[paeth])[kind]) % 256)
        raw += bytes([kind, *line])
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    joined = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + joined


def _pixels(png: bytes) -> list[list[tuple[int, ...]]]:
    """Of a picture with a palette, without filters."""
    at, chunks = 8, {}
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(name + data),)
        chunks[name] = data
        at += 12 + length
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    raw, palette = zlib.decompress(chunks[b"IDAT"]), chunks[b"PLTE"]
    rows = [raw[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height)]
    return [[tuple(palette[3 * index : 3 * index + 3]) for index in row] for row in rows]
