"""With how many seeds, and how large, the proofs are run.

Two small ones by default; as many as ``VEDETTE_SEEDS`` asks for, in full, by `make promises SEEDS=20`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest


class Size(NamedTuple):
    channels: int
    posts: int


_SMALL, _FULL = Size(12, 800), Size(40, 3_000)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = os.environ.get("VEDETTE_SEEDS")
    first = int(os.environ.get("VEDETTE_FIRST_SEED", "1"))
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(first, first + int(asked or "2")))
    if "size" in metafunc.fixturenames:
        size = _FULL if asked else _SMALL
        metafunc.parametrize("size", [size], ids=[f"{size.channels} channels"])
