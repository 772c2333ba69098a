"""What the service's own work costs around matching: replay end to end, digests, loading and reloading."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.data import posts_of
from bot.config.load import parse_settings
from bot.config.ruling import rules_of
from bot.digest import compose
from bot.model import Destination, Found, Me, Post
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.render.digest import digest
from bot.text.morphology.languages import Morphology

ROOT = Path(__file__).parent.parent
ROUNDS = 3
_BASELINE = (
    "import gzip, json, re, sys\n"
    "find = re.compile(r'[^\\W_]+').findall\n"
    "for path in sys.argv[1:]:\n"
    "    with gzip.open(path) as lines:\n"
    "        for line in lines:\n"
    "            find(json.loads(line)['text'])\n"
)


def run(paths: Sequence[Path], words: Sequence[str]) -> None:
    print("\nThe whole way: replay, digests, configuration")
    if not paths:
        print("  the recordings of real posts are absent: skipped")
        return
    posts = [post for path in paths for post in posts_of(path)]
    _replay(paths, len(posts))
    _digest(posts)
    _load(words)


def _replay(paths: Sequence[Path], count: int) -> None:
    read = [sys.executable, "-c", _BASELINE, *map(str, paths)]
    command = [
        sys.executable,
        "-m",
        "bot",
        "replay",
        "--config",
        str(ROOT / "config.example.toml"),
        "--format",
        "jsonl",
    ]
    rounds = [(_run(read), _run([*command, *map(str, paths)])) for _ in range(ROUNDS)]
    base, cost = min(one for one, _ in rounds), min(one for _, one in rounds)
    print(
        f"  replay --format jsonl, process and all: {count / cost:,.0f} posts/s (goal 5,000), {cost / base:.2f} times "
        f"gzip + JSON + re [^\\W_]+ ({base:.2f} s; goal 4.5)"
    )
    with tempfile.TemporaryDirectory() as folder:
        outputs = set()
        for seed in ("0", "1"):
            out = Path(folder) / seed
            _run([*command, "--out", str(out), *map(str, paths)], seed)
            outputs.add(out.read_bytes())
    what = "the same bytes" if len(outputs) == 1 else "DIFFERENT BYTES"
    print(f"  two processes with different hash seeds write {what}")


def _digest(posts: Sequence[Post]) -> None:
    """Ten thousand matches, each a story of its own, in ten topics."""
    matcher = Matcher([Topic(name="all", keywords=(parse("в | на | с | и"),))], Lexicon(Morphology()))
    until = datetime(2024, 12, 8, tzinfo=UTC)
    matched = itertools.islice(((post, match) for post in posts for match in matcher.match(post)), 10_000)
    found = [
        Found(post, match._replace(topic=str(number % 10)), post.id, until - timedelta(minutes=number))
        for number, (post, match) in enumerate(matched)
    ]
    for shown in (15, 1000):
        start = time.perf_counter()
        made = compose(
            found,
            destination=Destination(Me()),
            topics=[(str(number), f"Topic {number}") for number in range(10)],
            since=until - timedelta(days=8),
            until=until,
            channels=24,
            max_stories=shown,
        )
        messages = digest(made, ZoneInfo("Europe/London"))
        whole = time.perf_counter() - start
        print(
            f"  {len(found):,} matches in 10 topics, {shown:,} stories of each shown: a digest of {len(messages):,} "
            f"messages in {whole:.2f} s, goal 2"
        )


def _load(words: Sequence[str]) -> None:
    lexicon = Lexicon(Morphology())
    topics = [words[number * 5 : number * 5 + 5] for number in range(2000)]
    start = time.perf_counter()
    rules_of(parse_settings(_toml(topics), "config.toml", {}, str), lexicon)
    first = time.perf_counter() - start
    text = _toml([*([*topic[:4], topic[4] + "ский"] for topic in topics[:10]), *topics[10:]])
    start = time.perf_counter()
    rules_of(parse_settings(text, "config.toml", {}, str), lexicon)
    again = time.perf_counter() - start
    print(
        f"  2,000 topics of five keywords load in {first:.2f} s (goal 3), "
        f"with 10 of 10,000 keywords changed in {again:.2f} s (goal 0.2)"
    )


def _toml(topics: Sequence[Sequence[str]]) -> str:
    tables = [
        f"[topics.t{n}]\nkeywords = [{', '.join(json.dumps(word, ensure_ascii=False) for word in words)}]"
        for n, words in enumerate(topics)
    ]
    return "\n".join(['[watch]\nchannels = ["@rybar"]\n[digest]\nchat = "me"', *tables])


def _run(command: Sequence[str], seed: str = "random") -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={"PYTHONHASHSEED": seed, "PATH": ""})
    return time.perf_counter() - start
