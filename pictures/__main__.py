"""``python -m pictures``: renews docs/pictures: of each scene a picture by day, one by night, and what it says."""

from __future__ import annotations

import sys
from pathlib import Path

from pictures.browser import browser, picture
from pictures.page import WIDTH, Theme, page
from pictures.png import with_palette
from pictures.scenes import scenes, written

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"


def main() -> None:
    """Ends with 1, and changes nothing, where there is no browser."""
    program = browser()
    if program is None:
        sys.exit("make pictures needs Chromium: apt-get install chromium fonts-noto-core fonts-noto-color-emoji")
    FOLDER.mkdir(exist_ok=True)
    for scene in scenes():
        for theme in Theme:
            out = FOLDER / f"{scene.name}-{theme}.png"
            out.write_bytes(with_palette(picture(program, page(scene, theme), WIDTH, scene.height)))
            sys.stdout.write(f"{out.name}: {out.stat().st_size:,} bytes\n")
        (FOLDER / f"{scene.name}.txt").write_text(written(scene), "utf-8")


if __name__ == "__main__":
    main()
