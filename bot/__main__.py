"""Runs the command line: ``python -m bot`` is the same as ``vedette``."""

import os
import signal
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        # A stop that comes while the program is still being loaded: there is nothing to be finished yet.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
    from bot.cli.main import main

    main()
