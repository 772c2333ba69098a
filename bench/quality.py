"""How many word forms are found, and how many of those found are right, against gold lemmas of running text.

The measure, as the data's own README has it: keywords are the lemmas of at least three letters that occur
at least twice as NOUN, PROPN, ADJ or VERB; a hit is right when the token under it has that gold lemma;
recall and precision are over all tokens of these parts of speech. Each keyword goes through the parser and
the matcher as a user's would, with both dictionaries loaded and no hint of the language.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.data import Gold, gold, lemmas_of
from bot.model import Channel, Post
from bot.query.lexicon import Lexicon
from bot.query.matcher import Matcher, Topic
from bot.query.parser import parse
from bot.text.morphology.languages import Morphology
from bot.text.morphology.slavic import Slavic
from bot.text.normalise import normalise

_PARTS_OF_SPEECH = frozenset({"NOUN", "PROPN", "ADJ", "VERB"})
_UNUSUAL = frozenset({"plur", "Arch", "voct"})
_WHEN = datetime(2024, 12, 8, tzinfo=UTC)
#: What the issue asks for: file, recall, precision.
FILES = (("gold_ru_dev.jsonl.gz", "Russian", 0.985, 0.965), ("gold_uk_dev.jsonl.gz", "Ukrainian", 0.985, 0.98))


def run(folder: Path, lexicon: Lexicon) -> None:
    print("\nQuality: every form of the word, and no other word")
    for name, language, recall_goal, precision_goal in FILES:
        sentences = gold(folder / name)
        if sentences is None:
            print(f"  {name} is absent in {folder}: skipped")
            continue
        keywords = keywords_of(sentences)
        recall, precision = score(sentences, keywords, partial(_substring, keywords))
        print(f"  {language:10} substring, as most bots do: recall {recall:.4f}  precision {precision:.4f}")
        recall, precision = measure(sentences, keywords, lexicon)
        print(
            f"  {language:10} {len(keywords):5} keywords  recall {recall:.4f} (goal {recall_goal})  "
            f"precision {precision:.4f} (goal {precision_goal})"
        )
    for kind, count, recall in unknown_names():
        print(f"  {kind}: {count} words held out, singular forms, recall {recall:.4f} (goal 0.97)")


def keywords_of(sentences: Sequence[Gold]) -> list[str]:
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(lemma.lower() for _, _, lemma, part in sentence.tokens if part in _PARTS_OF_SPEECH)
    return [lemma for lemma, count in counts.items() if count >= 2 and len(lemma) >= 3]


def measure(sentences: Sequence[Gold], keywords: Sequence[str], lexicon: Lexicon) -> tuple[float, float]:
    """Recall and precision of the matcher."""
    matcher = Matcher([Topic(name=lemma, keywords=(parse(f'"{lemma}"'),)) for lemma in keywords], lexicon)
    return score(sentences, keywords, partial(_hits, matcher))


def score(
    sentences: Sequence[Gold], keywords: Sequence[str], find: Callable[[str], list[tuple[int, int, str]]]
) -> tuple[float, float]:
    """Recall and precision of anything that finds keywords in a text: start, end, keyword."""
    wanted = set(keywords)
    right = missed = wrong = 0
    for sentence in sentences:
        hits = find(sentence.text)
        for start, end, lemma, part in sentence.tokens:
            if part in _PARTS_OF_SPEECH:
                found = {keyword for a, b, keyword in hits if a < end and b > start}
                right += lemma.lower() in found
                missed += lemma.lower() in wanted - found
                wrong += len(found - {lemma.lower()})
    return right / (right + missed), right / (right + wrong)


def _substring(keywords: Sequence[str], text: str) -> list[tuple[int, int, str]]:
    low = text.lower()
    return [(m.start(), m.end(), word) for word in keywords if word in low for m in re.finditer(re.escape(word), low)]


def _hits(matcher: Matcher, text: str) -> list[tuple[int, int, str]]:
    post = Post(channel=Channel(own="gold"), number=1, date=_WHEN, text=text)
    return [(hit.start, hit.end, match.topic) for match in matcher.match(post) for hit in match.hits]


def unknown_names(sample: int = 1500, seed: int = 1) -> Iterable[tuple[str, int, float]]:
    """Surnames and place names of each dictionary with that dictionary switched off: only endings are left."""
    for language in Morphology().dictionaries():
        for tag, kind in (("Surn", "surnames"), ("Geox", "place names")):
            words = _lemmas(language, tag)
            if len(words) < 100:
                continue
            chosen = random.Random(seed).sample(words, min(sample, len(words)))
            found = asked = 0
            for word in chosen:
                guessed = {word} | language.guess(word)
                forms = _singular(language, word, tag)
                asked += len(forms)
                found += len(forms & guessed)
            yield f"{language.name} {kind}", len(chosen), found / asked


def _lemmas(language: Slavic, tag: str) -> list[str]:
    wanted = {tag, "NOUN"}
    found = (word for word, tagged in lemmas_of(language) if wanted <= tagged.grammemes and len(word) > 3)
    return sorted({normalise(word) for word in found})


def _singular(language: Slavic, word: str, tag: str) -> set[str]:
    forms: defaultdict[str, set[str]] = defaultdict(set)
    dictionary = language.dictionary
    for parse_ in dictionary.parse(word) if dictionary else ():
        if (
            parse_.is_known
            and "plur" not in parse_.tag
            and normalise(parse_.normal_form) == word
            and tag in parse_.tag.grammemes
        ):
            usual = [f for f in parse_.lexeme if not _UNUSUAL & f.tag.grammemes]
            forms[word].update(normalise(f.word) for f in usual)
    return forms[word]
