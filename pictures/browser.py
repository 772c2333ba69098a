"""A page as a picture, by headless Chromium."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-color-profile=srgb"),
)
#: For how long a picture may take, in seconds.
_PATIENCE = 120


def browser() -> str | None:
    """Where there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def picture(program: str, html: str, width: int, height: int) -> bytes:
    """The page as a PNG of twice so many pixels as these. Raises CalledProcessError, TimeoutExpired."""
    with TemporaryDirectory() as folder:
        page, out = Path(folder) / "page.html", Path(folder) / "page.png"
        page.write_text(html, "utf-8")
        size = [f"--window-size={width},{height}", "--force-device-scale-factor=2", f"--screenshot={out}"]
        command = [program, *_FLAGS, f"--user-data-dir={folder}/profile", *size, page.as_uri()]
        subprocess.run(  # noqa: S603 - the program is the machine's own browser, the page ours
            command, check=True, capture_output=True, timeout=_PATIENCE
        )
        return out.read_bytes()
