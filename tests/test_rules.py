"""What the rules in force say of a channel: its label, and the topics asked of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.config.load import parse_settings
from bot.config.ruling import rules_of
from bot.model import Channel, ChatId, Match, Username
from bot.query.lexicon import Lexicon
from bot.rules import ChannelRule, Rules, references
from bot.schedule import Never
from tests.made import DESK, ME, rule, rules

MATCHES = tuple(Match(name, ("x",), ()) for name in ("syria", "assad", "bases"))


@pytest.fixture
def by(lexicon: Lexicon) -> Rules:
    return rules(
        rule("syria", "Сирия"),
        rule("assad", "Асад", destination=DESK, channels=["alfa_demo", "beta_demo"]),
        rule("bases", "Хмеймим", channels=["beta_demo"]),
        lexicon=lexicon,
        channels={"beta_demo": ChannelRule(label="Бета", topics=frozenset({"syria", "bases"}))},
    )


def asked(by: Rules, channel: Channel) -> list[str]:
    return [match.topic for match in by.allowed(channel, MATCHES)]


def test_a_topic_is_asked_of_all_channels_or_of_its_own_and_a_channel_may_narrow_that(by: Rules) -> None:
    assert asked(by, Channel(username="Alfa_Demo")) == ["syria", "assad"]
    assert asked(by, Channel(username="beta_demo")) == ["syria", "bases"]
    assert asked(by, Channel(own="Гамма")) == ["syria"]


def test_a_channel_is_meant_by_its_name_or_by_its_id(by: Rules) -> None:
    assert references(Channel(id=-1001, username="Alfa_Demo", title="А")) == (Username("alfa_demo"), ChatId(-1001))
    by = replace(by, channels={ChatId(-1001): ChannelRule(label="Альфа", topics=frozenset())})
    assert asked(by, Channel(id=-1001, username="renamed_demo")) == []
    assert by.labelled(Channel(id=-1001)).shown == "Альфа"


def test_a_channel_that_was_found_under_a_name_is_still_meant_by_it(by: Rules) -> None:
    renamed = Channel(id=-1001, username="gamma_demo")
    assert asked(by, renamed) == ["syria"]
    by = replace(by, found={-1001: (Username("beta_demo"),)})
    assert asked(by, renamed) == ["syria", "bases"]
    assert by.labelled(renamed).title == "Бета"


def test_a_channel_without_a_label_keeps_its_title(by: Rules) -> None:
    assert by.labelled(Channel(username="alfa_demo", title="Альфа")).shown == "Альфа"
    assert by.labelled(Channel(username="beta_demo", title="Бета | Подпишись")).shown == "Бета"


def test_destinations_are_told_once_in_the_order_of_topics(by: Rules) -> None:
    assert by.destinations == (ME, DESK)
    assert [topic.name for topic in by.topics_of(ME)] == ["syria", "bases"]


def test_a_configuration_lays_down_its_rules(lexicon: Lexicon) -> None:
    toml = """
        timezone = "Europe/Kyiv"
        [watch]
        channels = ["@Alfa_Demo", { channel = "-1001234567890", label = "Бета", topics = ["syria"] }]
        [digest]
        chat = "me"
        at = []
        [alerts]
        max_per_minute = 3
        [topics.syria]
        keywords = ["Сирия"]
        deliver = "urgent"
        [topics.assad]
        title = "Асад"
        keywords = ["Асад"]
        chat = "@desk_demo"
        channels = ["@alfa_demo"]
    """
    by = rules_of(parse_settings(toml, "config.toml", {}, str), lexicon)
    assert [(one.name, one.title, one.deliver, one.destination) for one in by.topics.values()] == [
        ("syria", "syria", "urgent", ME),
        ("assad", "Асад", "digest", DESK),
    ]
    assert by.topics["assad"].channels == frozenset({Username("alfa_demo")})
    assert by.channels[ChatId(-1001234567890)] == ChannelRule(label="Бета", topics=frozenset({"syria"}))
    assert (by.zone.key, by.digests, by.max_per_minute, by.quiet) == ("Europe/Kyiv", Never(), 3, None)
    assert not by.forward
    forwarding = toml.replace("max_per_minute = 3", 'form = "forward"')
    assert rules_of(parse_settings(forwarding, "config.toml", {}, str), lexicon).forward
