"""Runs a command in this process and says what it printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.cli.main import main

ROOT = Path(__file__).parent.parent.parent
DEMO = sorted(str(path) for path in (ROOT / "bot" / "demo").glob("*.jsonl"))


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Vedette = Callable[..., Ran]


@pytest.fixture
def vedette(capsys: pytest.CaptureFixture[str]) -> Vedette:
    def run(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        code = ended.value.code
        printed = capsys.readouterr()
        return Ran(code if isinstance(code, int) else 0, printed.out, printed.err)

    return run
