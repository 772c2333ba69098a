"""Runs the command line: ``python -m bot`` is the same as ``vedette``."""

from bot.cli.main import main

if __name__ == "__main__":
    main()
