"""``python -m bench FOLDER``: quality and speed on the real posts in a folder; says what it skips when absent."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from bench import archive, live, quality, service, speed, stories
from bench.data import recordings
from bot.query.lexicon import Lexicon
from bot.text.morphology.languages import Morphology


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    lexicon = Lexicon(Morphology())
    loaded = ", ".join(one.name for one in Morphology().dictionaries())
    print(f"Python {platform.python_version()}, dictionaries: {loaded or 'none'}; posts from {folder}")
    if not folder.is_dir():
        print(f"  {folder} is absent: name the folder with the real posts, as in `make bench DATA=folder`")
        return
    quality.run(folder, lexicon)
    stories.run(folder)
    words = speed.run(recordings(folder), lexicon)
    service.run(recordings(folder), words)
    archive.run(recordings(folder), lexicon)
    live.run(recordings(folder))


if __name__ == "__main__":
    main()
