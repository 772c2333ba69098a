"""What matching costs, as ratios to named baselines measured in the same run over the same posts.

Every figure is the best of several rounds that alternate with their baseline, so that a busy machine slows
both. A matcher is built anew for each round: no memo is warm.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench.data import lemmas_of, posts_of
from bot.model import Post
from bot.query.index import Index
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.query.seen import Seen
from bot.text.morphology.languages import Morphology
from bot.text.tokens import Words

ROUNDS = 5
#: A keyword that stands in more posts than this is one that `explain` warns against: it is not drawn.
COMMON = 0.003
_BASELINE = re.compile(r"[^\W_]+").findall


def run(paths: Sequence[Path], lexicon: Lexicon, seed: int = 7) -> list[str]:
    """Prints the figures; returns the keywords that it drew, none when there are no posts to draw by."""
    print("\nSpeed: ratios to a baseline of the same run")
    if not paths:
        print("  the recordings of real posts are absent: skipped")
        return []
    posts = [post for path in paths for post in posts_of(path)]
    words = keywords(posts, lexicon, seed)
    print(
        f"  {len(posts):,} posts of {sum(len(p.text) for p in posts) // len(posts)} characters on average, seed {seed}"
    )
    _keywords(posts, words, lexicon)
    _rules(posts, words, lexicon, seed)
    _search(posts, words, lexicon)
    _reload(words)
    _grep(paths)
    _memory(words)
    return words


def keywords(posts: Sequence[Post], lexicon: Lexicon, seed: int, count: int = 10_000) -> list[str]:
    """Nouns and adjectives drawn from the Russian dictionary, without the common ones."""
    russian = next(one for one in Morphology().dictionaries() if one.code == "ru")
    lemmas = [word for word, tag in lemmas_of(russian) if len(word) >= 4 and tag.POS in ("NOUN", "ADJF")]
    random.Random(seed).shuffle(lemmas)
    standing: dict[str, set[int]] = {}
    for number, post in enumerate(posts):
        for key in Words(post.text).keys:
            standing.setdefault(key, set()).add(number)
    drawn: list[str] = []
    for lemma in lemmas:
        plan = lexicon.plan(parse(lemma))
        where = set().union(*(standing.get(form, ()) for leaf in plan.leaves() for form in leaf.forms))  # type: ignore[attr-defined]
        if len(where) <= COMMON * len(posts):
            drawn.append(lemma)
        if len(drawn) == count:
            break
    return drawn


def _keywords(posts: Sequence[Post], words: Sequence[str], lexicon: Lexicon) -> None:
    costs: dict[int, float] = {}
    for count in (10, 10_000):
        topics = [Topic(name=word, keywords=(parse(word),)) for word in words[:count]]
        base, cost, hits = _alternate(
            lambda: _time(lambda: _drain(_BASELINE, posts)),
            lambda topics=topics: _match(Matcher(topics, lexicon), posts),  # type: ignore[misc]
        )
        costs[count] = cost / base
        print(
            f"  {count:6,} keywords: {_per_post(cost, posts)}, {cost / base:.2f} times re [^\\W_]+ "
            f"({_per_post(base, posts)}), goal {3 if count == 10 else 4}; {hits / len(posts):.0%} of posts hit"
        )
    print(f"  10,000 keywords cost {costs[10_000] / costs[10]:.2f} times what 10 cost, goal 1.6")


def _rules(posts: Sequence[Post], words: Sequence[str], lexicon: Lexicon, seed: int) -> None:
    chance = random.Random(seed)
    shapes = ("{} ({} | {})", "{} {} {}", "{} | {} | {}", "{} {} -{}", '"{} {}" | {}', "{} NEAR/5 ({} | {})")
    queries = [parse(shapes[n % len(shapes)].format(*chance.sample(words, 3))) for n in range(10_000)]
    topics = [Topic(name=str(n), keywords=(query,)) for n, query in enumerate(queries)]
    few = posts[:: max(1, len(posts) // 100)]
    matcher = Matcher(topics, lexicon)
    plans = [lexicon.plan(query) for query in queries]
    index = Index(dict.fromkeys(leaf for plan in plans for leaf in plan.leaves()))

    def every_query() -> tuple[float, int]:
        found = 0
        start = time.perf_counter()
        for post in few:
            seen = index.look(post.parts()) or Seen(())
            found += sum(plan.find(seen) is not None for plan in plans)
        return time.perf_counter() - start, found

    every, found = min(every_query() for _ in range(2))
    cost, _ = min(_match(matcher, posts) for _ in range(ROUNDS))
    same = sum(len(matcher.match(post)) for post in few)
    if same != found:
        raise AssertionError(f"{same} matches, but evaluating every query gives {found}")
    ratio = (every / len(few)) / (cost / len(posts))
    print(
        f"  10,000 queries of three terms: {_per_post(cost, posts)}, evaluating each {_per_post(every, few)}, "
        f"{ratio:.0f} times faster, goal 35"
    )


def _search(posts: Sequence[Post], words: Sequence[str], lexicon: Lexicon) -> None:
    some = words[:1000]
    few = posts[:: max(1, len(posts) // 40)]

    def search() -> float:
        start = time.perf_counter()
        for post in few:
            for word in some:
                re.search(word, post.text, re.IGNORECASE)
        return time.perf_counter() - start

    topics = [Topic(name=word, keywords=(parse(word),)) for word in some]
    slow = min(search() for _ in range(2))
    cost, _ = min(_match(Matcher(topics, lexicon), posts) for _ in range(3))
    ratio = (slow / len(few)) / (cost / len(posts))
    print(
        f"  1,000 keywords: {_per_post(cost, posts)}, re.search for each {_per_post(slow, few)}, "
        f"{ratio:,.0f} times faster, goal 500"
    )


def _reload(words: Sequence[str]) -> None:
    fresh = Lexicon(Morphology())
    topics = [Topic(name=word, keywords=(parse(word),)) for word in words[10:]]
    first = _time(lambda: Matcher(topics, fresh))
    changed = topics[10:] + [Topic(name=word, keywords=(parse(word),)) for word in words[:10]]
    again = _time(lambda: Matcher(changed, fresh))
    print(
        f"  {len(topics):,} keywords are expanded and built in {first:.2f} s, with 10 of them changed in {again:.2f} s"
    )


def _grep(paths: Sequence[Path]) -> None:
    command = [sys.executable, "-m", "bot", "grep", "--count", "Сирия | Асад | Дамаск"]
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.jsonl"
        empty.touch()
        start = min(_time(lambda: _run([*command, str(empty)])) for _ in range(ROUNDS))
        whole = min(_time(lambda: _run([*command, *map(str, paths)])) for _ in range(ROUNDS))
    count = sum(1 for path in paths for _ in posts_of(path))
    print(f"  grep starts in {start:.2f} s (goal 0.6) and reads {count / (whole - start):,.0f} posts/s (goal 10,000)")


def _memory(words: Sequence[str]) -> None:
    if not Path("/proc/self/status").exists():
        print("  memory: only measured on Linux")
        return
    """The peak memory of a process of its own that has both dictionaries and all keywords loaded."""
    code = (
        "import re, sys\n"
        "from bot.query.lexicon import Lexicon\n"
        "from bot.query.matcher import Matcher, Topic\n"
        "from bot.query.parser import parse\n"
        "from bot.text.morphology.languages import Morphology\n"
        "words = sys.stdin.read().split()\n"
        "Matcher([Topic(name=w, keywords=(parse(w),)) for w in words], Lexicon(Morphology()))\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input="\n".join(words), capture_output=True, text=True, check=True
    )
    print(f"  memory with {len(words):,} keywords and both dictionaries: {int(done.stdout) / 1024:.0f} MB, goal 130")


def _alternate(base: Callable[[], float], work: Callable[[], tuple[float, int]]) -> tuple[float, float, int]:
    rounds = [(base(), *work()) for _ in range(ROUNDS)]
    return min(r[0] for r in rounds), min(r[1] for r in rounds), rounds[0][2]


def _match(matcher: Matcher, posts: Sequence[Post]) -> tuple[float, int]:
    match, hits = matcher.match, 0
    start = time.perf_counter()
    for post in posts:
        if match(post):
            hits += 1
    return time.perf_counter() - start, hits


def _drain(find: Callable[[str], list[str]], posts: Iterable[Post]) -> None:
    for post in posts:
        find(post.text)


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _per_post(seconds: float, posts: Sequence[Post]) -> str:
    return f"{seconds / len(posts) * 1e6:,.1f} µs a post"
