"""What the proofs stand on: an engine, the image, an installation; and their figures, shown at the end."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from container.base_image import provide
from container.engine import CannotError, Engine, engine
from container.installation import Installation, world
from tests.telegram_server.server import TelegramServer

IMAGE = "localhost/vedette:container-test"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vedette-container"
_FIGURES = pytest.StashKey[dict[str, str]]()
_NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = {}


@pytest.fixture(scope="session")
def runner() -> Engine:
    """Ends everything in one line, with the reason and exit code 0, where the machine can run no containers."""
    try:
        found = engine(_CACHE)
        provide(found, _CACHE)
    except CannotError as error:
        pytest.exit(f"nothing was proved, this machine cannot: {error}", returncode=0)
    return found


@pytest.fixture(scope="session")
def image(runner: Engine) -> str:
    """The image of this project, without extras, as it is now."""
    runner.build(IMAGE, "--build-arg", "VERSION=0.0.0+test", "--build-arg", "REVISION=0123abc")
    return IMAGE


@pytest.fixture
async def installation(runner: Engine, image: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """Laid out and signed in; its container is made, and not started."""
    async with TelegramServer(world()) as server:
        name = f"vedette-test-{os.getpid()}-{next(_NUMBERS)}"
        made = Installation(engine=runner, image=image, folder=tmp_path, name=name, server=server)
        made.lay_out()
        try:
            await made.log_in()
            await made.create()
            yield made
        finally:
            await made.remove()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> dict[str, str]:
    """What was measured, by name."""
    return request.config.stash[_FIGURES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, value in config.stash[_FIGURES].items():
        terminalreporter.write_line(f"{name}: {value}")
