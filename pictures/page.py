"""A scene as a page of HTML, in the manner of a phone's Telegram: bubbles, bold, links, the time in the corner.

Whatever a text holds is escaped, and the page may load and run nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum, auto
from html import escape

from bot.model import Entity
from pictures.scenes import Bubble, Scene

#: So many CSS pixels is a phone wide.
WIDTH = 412


class Theme(StrEnum):
    """By day and by night, as the reader of a page has it."""

    DAY = auto()
    NIGHT = auto()


_COLOURS = {
    Theme.DAY: "--wall:#c6d8c9;--bar:#fff;--line:#d9dde0;--bubble:#fff;--text:#0d1115;--dim:#7d8b97;"
    "--link:#1676c5;--name:#c0542c;--chip:#0000002e;--shade:#0000001f",
    Theme.NIGHT: "--wall:#0d161f;--bar:#17212b;--line:#0a1118;--bubble:#1b2836;--text:#f3f5f7;"
    "--dim:#7f93a5;--link:#6bb6f5;--name:#f0936b;--chip:#1b2836b3;--shade:#0000",
}
_STYLE = """\
*{box-sizing:border-box;margin:0}
body{display:flex;flex-direction:column;width:412px;height:var(--height);overflow:hidden;color:var(--text);
 background:var(--wall);border:1px solid var(--line);
 font:15px/1.33 "Noto Sans","Noto Sans Arabic","Noto Sans Symbols2","Noto Color Emoji",sans-serif}
header,footer{flex:none;display:flex;align-items:center;gap:11px;padding:0 14px;background:var(--bar)}
header{height:58px;border-bottom:1px solid var(--line)}
footer{height:46px;border-top:1px solid var(--line);color:var(--dim)}
header i{margin:-5px 2px 0 0;font-style:normal;font-size:27px;line-height:1;color:var(--link)}
header b{display:block;font-size:16px;line-height:1.25}
header small,time{font-size:12.5px;color:var(--dim)}
header span{flex:none;width:40px;height:40px;border-radius:50%;font-weight:600;font-size:17px;line-height:40px;
 text-align:center;color:#fff;background:#d06a3a}
main{flex:1;display:flex;flex-direction:column;min-height:0;padding:8px 8px 10px;overflow:hidden}
main>*{flex:none}
main>span{margin:auto auto 9px;padding:2px 10px;border-radius:12px;font-size:12.5px;font-weight:500;color:#fff;
 background:var(--chip)}
article{position:relative;width:max-content;max-width:374px;margin:0 0 6px 7px;padding:6px 11px 7px 12px;
 border-radius:15px;background:var(--bubble);box-shadow:0 1px 1px var(--shade);overflow-wrap:anywhere}
article:last-child{margin-bottom:0;border-bottom-left-radius:0}
h1{font-size:14px;font-weight:600;color:var(--name)}
h2{font-size:14px;font-weight:400;color:var(--link)}
p{white-space:pre-wrap;unicode-bidi:plaintext}
p s{display:inline-block;height:1px}
a{color:var(--link);text-decoration:none}
time{position:absolute;right:11px;bottom:5px;font-size:12px}
"""
_TAGS = {"bold": "b", "italic": "i", "text_url": "a", "url": "a", "mention": "a", "hashtag": "a"}


def page(scene: Scene, theme: Theme) -> str:
    """The whole page, as wide as a phone and as high as its scene."""
    bubbles = "\n".join(_bubble(each, named=at == 0) for at, each in enumerate(scene.bubbles))
    return f"""\
<!doctype html>
<html lang="en" style="{_COLOURS[theme]};--height:{scene.height}px">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(scene.name)}</title>
<style>{_STYLE}</style>
<header><i>‹</i><span>N</span><div><b>Newsroom</b><small>14 members</small></div></header>
<main><span>{escape(scene.day)}</span>
{bubbles}
</main>
<footer>Message</footer>
</html>
"""


def _bubble(bubble: Bubble, *, named: bool) -> str:
    name = "<h1>Vedette</h1>" if named else ""
    source = f"<h2>Forwarded from <b>{escape(bubble.source)}</b></h2>" if bubble.source else ""
    clock = f"{'edited ' if bubble.edited else ''}{bubble.at:%H:%M}"
    room = 8 + 7 * len(clock)
    text = body(bubble.message.text, bubble.message.entities)
    spare = f'<s style="width:{room}px"></s>'
    return f"<article>{name}{source}<p>{text}{spare}</p><time>{clock}</time></article>"


def body(text: str, entities: Iterable[Entity]) -> str:
    """The text with every entity as its tag, all of it escaped. Raises KeyError for an entity that it knows no tag of.

    Offsets are UTF-16 units; the entities are in order, and none overlaps another.
    """
    units = text.encode("utf-16-le")
    pieces, done = [], 0
    for kind, offset, length, url in entities:
        tag = _TAGS[kind]
        address = f' href="{escape(url)}"' if url and url.lower().startswith(("https://", "http://")) else ""
        inside = _cut(units, offset, offset + length)
        pieces += [_cut(units, done, offset), f"<{tag}{address}>{inside}</{tag}>"]
        done = offset + length
    return "".join([*pieces, _cut(units, done, len(units) // 2)])


def _cut(units: bytes, start: int, end: int) -> str:
    return escape(units[2 * start : 2 * end].decode("utf-16-le"))
