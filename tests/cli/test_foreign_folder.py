"""What commands say of a data directory that belongs to somebody else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Vedette

NOBODY = 65534
CONFIG = """\
data_dir = "{folder}/data"
[watch]
channels = ["@alfa_demo"]
[digest]
chat = "me"
[topics.syria]
keywords = ["Сирия"]
"""


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder that any user may enter, which pytest's own are not, with a data directory in it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "data").mkdir()
    (folder / "config.toml").write_text(CONFIG.format(folder=folder), "utf-8")
    yield folder
    (folder / "data").chmod(0o700)
    shutil.rmtree(folder)


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """No mode of a file stops root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("words", [("status",), ("status", "--json"), ("health",), ("backup", "copy.db")])
def test_a_data_directory_that_may_not_be_read_is_what_is_named(
    words: tuple[str, ...], foreign: Path, vedette: Vedette
) -> None:
    """And not the output, which is as good as ever."""
    vedette(*words, "--config", str(foreign / "config.toml"))  # what it imports, nobody else may have the right to read
    (foreign / "data").chmod(0)
    with without_roots_rights():
        ran = vedette(*words, "--config", str(foreign / "config.toml"))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"vedette: {foreign}/data/vedette.db cannot be used: Permission denied\n"
