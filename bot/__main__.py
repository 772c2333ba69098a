"""Runs the command line: ``python -m bot`` is the same as ``vedette``."""

import os
import signal
import sys


def main() -> None:
    """Runs one command of `bot.cli.main`, in which a stop is heeded from the first moment on."""
    if sys.argv[1:2] == ["run"]:
        # As `bot.cli.stopping.end_at_once` says, before anything is loaded.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os._exit(0))
    if sys.argv[1:] == ["health"]:
        from bot.cli.checkup import answer_at_once

        answer_at_once()
    from bot.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
