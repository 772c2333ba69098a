"""What is allowed but unwise: each piece of advice, and that a sensible configuration gets none."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config.advice import advise
from bot.config.settings import Settings
from bot.query.lexicon import Lexicon
from tests.config.conftest import LEAST, read
from tests.query.conftest import NEEDS_UKRAINIAN

TOKEN = 'bot_token = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"'  # noqa: S105 - it is none
WISE = LEAST.replace('"me"', '"@desk_demo"')


def told(lexicon: Lexicon, toml: str) -> list[str]:
    return [str(advice) for advice in advise(read(toml), lexicon)]


def on_keywords(lexicon: Lexicon, keywords: str) -> list[str]:
    return told(lexicon, WISE.replace('keywords = ["Сирия"]', keywords))


def test_a_sensible_configuration_gets_none(lexicon: Lexicon) -> None:
    assert told(lexicon, WISE) == []


@NEEDS_UKRAINIAN
def test_the_example_is_told_only_that_its_credentials_are_examples(lexicon: Lexicon) -> None:
    example = Path(__file__).parents[2].joinpath("config.example.toml").read_text("utf-8")
    own, bot = told(lexicon, example)
    assert own.startswith("telegram: the credentials are still those of the example; ")
    assert bot.startswith("telegram.bot_token: a placeholder counts as none: no bot speaks, ")


@pytest.mark.parametrize("token", ["...", "123456789:replace-me-with-the-token-of-BotFather"])
def test_a_placeholder_of_a_token_is_told_of(token: str, lexicon: Lexicon) -> None:
    toml = f'{WISE}[telegram]\nbot_token = "{token}"'
    [advice] = told(lexicon, toml)
    assert advice.startswith("telegram.bot_token: a placeholder counts as none: ")
    [advice] = told(lexicon, toml.replace("@desk_demo", "me"))
    assert advice.startswith("telegram.bot_token: ")
    assert read(toml).telegram.bot_token is None


def test_what_is_unwise_about_a_keyword_is_told_at_its_place(lexicon: Lexicon) -> None:
    [advice] = on_keywords(lexicon, 'keywords = ["Сирия", "база"]')
    assert advice.startswith("topics.syria.keywords[1]: «база» alone stands in ")
    [advice] = on_keywords(lexicon, 'keywords = ["Сирия"]\nexclude = ["хоккей или теннис"]')
    assert advice.startswith("topics.syria.exclude[0]: «или» is a word to be found here; ")


@pytest.mark.parametrize("again", ["Сирия", "сирия", "Сирии"])
def test_a_keyword_that_finds_the_same_again_is_told(again: str, lexicon: Lexicon) -> None:
    assert on_keywords(lexicon, f'keywords = ["Сирия", "Асад", "{again}"]') == [
        f"topics.syria.keywords[2]: {again} finds what Сирия finds; one of them is enough"
    ]


@pytest.mark.parametrize("other", ["=Сирия", "~Сирия", '"Сирия Асад"', "Сирия Асад", "case:Сирия"])
def test_a_keyword_that_finds_something_else_is_no_repetition(other: str, lexicon: Lexicon) -> None:
    assert not any("finds what" in advice for advice in on_keywords(lexicon, f"keywords = ['Сирия', '{other}']"))


def test_an_exclusion_of_a_keyword_is_told(lexicon: Lexicon) -> None:
    assert on_keywords(lexicon, 'keywords = ["Сирия", "Асад"]\nexclude = ["сирии"]') == [
        "topics.syria.exclude[0]: it excludes every post that the keyword Сирия finds"
    ]


def test_saved_messages_do_not_ring(lexicon: Lexicon) -> None:
    text = 'without a bot token "me" is Saved Messages, where nothing rings; set telegram.bot_token'
    assert told(lexicon, LEAST) == [f"digest.chat: {text}"]
    assert told(lexicon, f"{LEAST}[telegram]\n{TOKEN}") == []
    assert told(lexicon, f'{WISE}chat = "me"') == [f"topics.syria.chat: {text}"]
    assert told(lexicon, f'{LEAST}chat = "@desk_demo"') == []


def test_a_topic_told_in_digests_that_are_off_is_told(lexicon: Lexicon) -> None:
    off = WISE.replace('"@desk_demo"', '"@desk_demo"\nat = []')
    assert told(lexicon, off) == [
        'topics.syria: it is told in digests, and digests are switched off; set digest.at, or deliver = "alert"'
    ]
    assert told(lexicon, f'{off}deliver = "alert"') == []


def test_a_crontab_line_that_never_comes_is_told(lexicon: Lexicon) -> None:
    for line, told_of in (("0 8 31 2 *", True), ("0 8 29 2 *", False), ("0 8 31 2 mon", False)):
        found = told(lexicon, WISE.replace('"@desk_demo"', f'"@desk_demo"\ncron = "{line}"'))
        assert found == ["digest.cron: no day is ever like that, and digests never come"] * told_of


def test_digests_without_stories_are_told(lexicon: Lexicon) -> None:
    [advice] = told(lexicon, WISE.replace('"@desk_demo"', '"@desk_demo"\nmax_stories = 0'))
    assert advice == "digest.max_stories: digests will count stories and show none"


@pytest.mark.parametrize(
    ("tables", "where"),
    [
        ('[alerts]\nlate_after = "30s"', "alerts.late_after: shorter than watch.sweep_every"),
        ('[storage]\nkeep = "23h"\n[alerts]\nfold_window = "1h"', "watch.history: longer than storage.keep"),
        ("[telegram]\napi_id = 5", "telegram: api_id and api_hash belong together"),
    ],
)
def test_times_and_credentials_that_do_not_go_together_are_told(tables: str, where: str, lexicon: Lexicon) -> None:
    [advice] = told(lexicon, f"{WISE}{tables}")
    assert advice.startswith(where)


def test_posts_kept_forever_are_kept_long_enough(lexicon: Lexicon) -> None:
    assert told(lexicon, f'{WISE}[storage]\nkeep = "forever"') == []


def test_a_private_channel_needs_joining(lexicon: Lexicon) -> None:
    toml = WISE.replace('["@alfa_demo"]', '["t.me/+AbCdEf123456"]\njoin = false')
    [advice] = told(lexicon, toml)
    assert advice.startswith("watch.channels[0]: a private channel is read only by who has joined it")


# --- channels and topics that ask past each other ---------------------------------------------------------

TWO = """\
[watch]
channels = [{ channel = "@alfa_demo", topics = ["assad"] }, "@bravo_demo"]
[digest]
chat = "@desk_demo"
[topics.assad]
keywords = ["Асад"]
[topics.syria]
keywords = ["Сирия"]
"""


def test_a_topic_that_only_some_channels_are_read_for_is_fine(lexicon: Lexicon) -> None:
    assert told(lexicon, TWO) == []


def test_a_topic_that_no_channel_is_read_for_is_told(lexicon: Lexicon) -> None:
    never = ["topics.syria: it can never match: no channel is read for it"]
    assert told(lexicon, f'{TWO}channels = ["@alfa_demo"]') == never
    assert told(lexicon, TWO.replace(', "@bravo_demo"', "")) == never


def test_a_folder_may_bring_channels_for_it(lexicon: Lexicon) -> None:
    assert told(lexicon, TWO.replace(', "@bravo_demo"]', ']\nfolder = "F"')) == []


def test_one_channel_among_others_that_is_not_read_for_a_topic_is_told(lexicon: Lexicon) -> None:
    assert told(lexicon, f'{TWO}channels = ["@alfa_demo", "@bravo_demo"]') == [
        "topics.syria.channels: @alfa_demo is not read for this topic, as its own topics say"
    ]


def test_a_channel_that_is_read_for_no_topic_is_told(lexicon: Lexicon) -> None:
    toml = TWO.replace('topics = ["assad"]', "topics = []")
    assert told(lexicon, toml)[0] == "watch.channels[0]: it is read for no topic"
    only = TWO.replace('["Асад"]', '["Асад"]\nchannels = ["@bravo_demo"]')
    assert "watch.channels[0]: it is read for no topic" in told(lexicon, only)


def test_progress_is_told_topic_by_topic(lexicon: Lexicon) -> None:
    heard: list[int] = []
    settings: Settings = read(TWO)
    advise(settings, lexicon, heard.append)
    assert heard == [0, 1]


def test_an_api_hash_of_another_kind_than_telegrams_is_told(lexicon: Lexicon) -> None:
    given = f'{WISE}\n[telegram]\napi_id = 1\napi_hash = "short"\n{TOKEN}'
    assert told(lexicon, given) == [
        "telegram.api_hash: those of my.telegram.org are 32 hexadecimal digits; this one is not"
    ]
