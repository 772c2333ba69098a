"""Each metric is on its page, each metric of the page is told, and what it says is what was seen."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.metering.table import METRICS, MOST, Look, Reached, told
from bot.ports import Lane
from bot.storage.counts import Fate
from bot.vitals import Link, Vitals
from tests.made import at

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
PAGE = Path(__file__).parents[2].joinpath("docs", "metrics.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `(vedette_\w+)` \|(.*?)\|", PAGE, re.MULTILINE))
LOOK = Look(
    at=at(10),
    vitals=Vitals(
        started=at(0),
        written=at(10),
        link=Link.UP,
        answered=at(9),
        passed=at(8),
        behind=0,
        waiting=3,
        skew=timedelta(seconds=-40),
        sweep_every=timedelta(minutes=1),
        speaker=Link.SIGNED_OUT,
    ),
    stored=100,
    matches={"syria": 7, "drones": 0},
    settled={(Fate.SENT, Lane.ALERT): 5, (Fate.GIVEN_UP, Lane.DIGEST): 1},
    open={Fate.WAITS: 2},
    due=at(4),
    edits=1,
    channels=(Reached("alfa_demo", at(9), 0), Reached("-1001", None, 12)),
    watched=2,
    lost=1,
    missing=4,
    rests={"channels.joinChannel": at(20), "messages.getHistory": at(9)},
    mute=at(11),
    notices=6,
    connections={"reader": 3, "bot": 1},
    calls={("reader", "messages.getHistory"): 50, ("bot", "messages.sendMessage"): 5},
    waits={("reader", "channels.joinChannel"): 2, ("bot", "messages.sendMessage"): 1},
    sweeps=9,
    swept=timedelta(seconds=4.5),
)


def values(look: Look, minutes: float = 10) -> dict[str, dict[tuple[str, ...], float]]:
    return {
        metric.name: {sample.labels: sample.value for sample in samples} for metric, samples in told(look, at(minutes))
    }


def test_the_page_names_every_metric_with_its_labels_and_no_other() -> None:
    labels = {name: tuple(re.findall(r"`(\w+)`", cell)) for name, cell in ROWS.items()}
    assert labels == {metric.name: metric.labels for metric, _ in METRICS}


def test_the_rules_of_the_page_ask_for_metrics_that_there_are() -> None:
    assert set(re.findall(r"vedette_\w+", PAGE)) == {metric.name for metric, _ in METRICS}


def test_each_metric_says_what_was_seen() -> None:
    found = values(LOOK)
    assert all(found.values())
    [(told_version,)] = found["vedette_build_info"]
    assert told_version == tomllib.loads(PROJECT.read_text("utf-8"))["project"]["version"]
    assert found["vedette_start_timestamp_seconds"] == {(): at(0).timestamp()}
    assert found["vedette_clock_skew_seconds"] == {(): -40}
    assert found["vedette_pass_timestamp_seconds"] == {(): at(8).timestamp()}
    assert found["vedette_sweep_seconds_total"] == {(): 4.5}
    assert found["vedette_channel_behind"] == {("alfa_demo",): 0, ("-1001",): 12}
    assert found["vedette_matches_total"] == {("syria",): 7, ("drones",): 0}
    assert found["vedette_messages_sent_total"] == {("urgent",): 0, ("alert",): 5, ("notice",): 0, ("digest",): 0}
    assert found["vedette_messages_refused_total"][("digest",)] == 1
    assert found["vedette_outbox_messages"] == {("waits",): 2, ("tried",): 0, ("refused",): 0}
    assert found["vedette_connections_total"] == {("reader",): 3, ("bot",): 1}
    assert found["vedette_calls_total"] == {("reader", "messages.getHistory"): 50, ("bot", "messages.sendMessage"): 5}
    assert found["vedette_flood_waits_total"] == {
        ("reader", "channels.joinChannel"): 2,
        ("bot", "messages.sendMessage"): 1,
    }


def test_of_the_states_of_an_account_one_is_so() -> None:
    links = values(LOOK)["vedette_link"]
    assert {labels for labels, value in links.items() if value} == {("reader", "up"), ("bot", "signed_out")}
    assert len(links) == 2 * len(Link)


def test_where_the_reader_speaks_no_bot_is_told_of() -> None:
    links = values(replace(LOOK, vitals=replace(LOOK.vitals, speaker=None)))["vedette_link"]
    assert {account for account, _ in links} == {"reader"}


def test_ages_are_counted_to_the_moment_of_asking() -> None:
    assert values(LOOK, 10)["vedette_channel_lag_seconds"] == {("alfa_demo",): 60}
    assert values(LOOK, 12)["vedette_channel_lag_seconds"] == {("alfa_demo",): 180}
    assert values(LOOK, 12)["vedette_outbox_oldest_seconds"] == {(): 480}
    assert values(replace(LOOK, due=None), 12)["vedette_outbox_oldest_seconds"] == {(): 0}


def test_a_clock_that_was_set_back_makes_no_age_negative() -> None:
    found = values(LOOK, -100)
    assert found["vedette_channel_lag_seconds"] == {("alfa_demo",): 0}
    assert found["vedette_outbox_oldest_seconds"] == {(): 0}


def test_a_rest_is_told_of_until_it_is_over() -> None:
    assert values(LOOK, 10)["vedette_flood_wait_seconds"] == {("channels.joinChannel",): 600}
    assert values(LOOK, 10)["vedette_sending_rest_seconds"] == {(): 60}
    assert values(LOOK, 20)["vedette_flood_wait_seconds"] == {}
    assert values(LOOK, 20)["vedette_sending_rest_seconds"] == {(): 0}


def test_what_is_not_known_yet_is_not_told() -> None:
    vitals = replace(LOOK.vitals, passed=None, answered=None, skew=None)
    found = values(replace(LOOK, vitals=vitals))
    assert found["vedette_pass_timestamp_seconds"] == found["vedette_answer_timestamp_seconds"] == {}
    assert found["vedette_clock_skew_seconds"] == {(): 0}


def test_no_metric_has_more_than_so_many_lines() -> None:
    rests = {f"demo.method{number}": at(20) for number in range(MOST + 10)}
    many = {("reader", method): 1 for method in rests}
    found = values(replace(LOOK, calls=many, waits=many, rests=rests))
    asked = ("vedette_calls_total", "vedette_flood_waits_total", "vedette_flood_wait_seconds")
    assert [len(found[name]) for name in asked] == [MOST] * 3
