"""How many seeds the proofs are run with: two, or as many as ``VEDETTE_SEEDS`` asks for (`make promises SEEDS=20`)."""

from __future__ import annotations

import os

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first = int(os.environ.get("VEDETTE_FIRST_SEED", "1"))
        metafunc.parametrize("seed", range(first, first + int(os.environ.get("VEDETTE_SEEDS", "2"))))
