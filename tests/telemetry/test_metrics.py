"""Metrics are served at one path, in a form that parsers read whatever the values are, and stop when they are to."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPConnection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from bot.config.values import Address
from bot.errors import VedetteError
from bot.telemetry.metrics import Metric, Read, Sample, served

HERE = Address("127.0.0.1", 0)
POSTS = Metric("demo_posts_total", "Posts.", ("channel",))
HOSTILE = ['a"} 9\nowned 1', "\\", "a\\nb", "\r\n", "\x00", "\u202e", "# EOF", "Сирия 🕊", "{}", ""]
OPEN_METRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def reading(*samples: Sample, metric: Metric = POSTS) -> Read:
    return lambda: [(metric, samples)]


async def asked(port: int, path: str = "/metrics", host: str = "127.0.0.1", **headers: str) -> tuple[int, str, str]:
    """Status, content type and text of the answer."""
    return await asyncio.to_thread(_asked, host, port, path, headers)


def _asked(host: str, port: int, path: str, headers: dict[str, str]) -> tuple[int, str, str]:
    with closing(HTTPConnection(host, port, timeout=5)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def values(text: str) -> dict[tuple[str, ...], float]:
    """Of the samples of `POSTS`, by their labels' values."""
    samples = (sample for family in plain_text(text) for sample in family.samples if sample.name == POSTS.name)
    return {tuple(sample.labels.values()): sample.value for sample in samples}


async def test_whoever_asks_reads_what_there_is_just_then() -> None:
    counted = [1]

    def read() -> Iterable[tuple[Metric, Iterable[Sample]]]:
        return [(POSTS, [Sample(counted[0], ("alfa_demo",))])]

    async with served(HERE, read) as port:
        assert values((await asked(port))[2]) == {("alfa_demo",): 1}
        counted[0] = 2
        status, kind, text = await asked(port)
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert values(text) == {("alfa_demo",): 2}
    assert "# TYPE demo_posts_total counter" in text


async def test_memory_and_processor_time_of_the_process_are_told_besides() -> None:
    async with served(HERE, reading()) as port:
        families = {family.name: family for family in plain_text((await asked(port))[2])}
    [memory] = families["process_resident_memory_bytes"].samples
    assert memory.value > 1_000_000
    assert families["process_cpu_seconds"].type == "counter"


async def test_who_asks_for_the_open_form_gets_it() -> None:
    async with served(HERE, reading(Sample(1, ("alfa_demo",)))) as port:
        _, kind, text = await asked(port, **OPEN_METRICS)
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")
    assert "demo_posts" in {family.name for family in open_metrics(text)}  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/metrics/", "/metricsx"])
async def test_there_is_nothing_else_to_be_had(path: str) -> None:
    async with served(HERE, reading(Sample(1, ("alfa_demo",)))) as port:
        status, _, text = await asked(port, path)
    assert (status, text) == (404, "look at /metrics\n")


@given(st.lists(st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=5))
@settings(max_examples=25, deadline=None)
async def test_no_value_of_a_label_breaks_the_form(names: list[str]) -> None:
    async with served(HERE, reading(*(Sample(at, (name,)) for at, name in enumerate(names)))) as port:
        found = values((await asked(port))[2])
        list(open_metrics((await asked(port, **OPEN_METRICS))[2]))  # type: ignore[no-untyped-call]
    assert found == {(name,): at for at, name in enumerate(names)}


async def test_where_another_listens_it_is_said_in_one_sentence() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        there = Address("127.0.0.1", other.getsockname()[1])
        with pytest.raises(VedetteError) as caught:
            async with served(there, reading()):
                pass
    assert str(caught.value) == (
        f"[metrics] listen: nobody can listen at {there} (address already in use); "
        "end what listens there, or write another port or an address of this machine"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "x" * 70])
async def test_an_address_that_is_not_of_this_machine_is_said_in_one_sentence(host: str) -> None:
    with pytest.raises(VedetteError, match=r"^\[metrics\] listen: nobody can listen at .*\n?"):
        async with served(Address(host, 0), reading()):
            pass


async def test_it_listens_at_an_ipv6_address_too() -> None:
    async with served(Address("::1", 0), reading(Sample(1, ("alfa_demo",)))) as port:
        assert values((await asked(port, host="::1"))[2]) == {("alfa_demo",): 1}


async def test_nobody_listens_any_more_when_it_is_left() -> None:
    async with served(HERE, reading()) as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        await asked(port)
    async with served(Address("127.0.0.1", port), reading()) as again:
        assert again == port


async def test_who_connects_and_says_nothing_keeps_nobody_from_reading_and_no_end_from_coming() -> None:
    async with asyncio.timeout(4):
        async with served(HERE, reading(Sample(1, ("alfa_demo",)))) as port:
            with closing(socket.create_connection(("127.0.0.1", port))):
                assert (await asked(port))[0] == 200


def _broken() -> Iterable[tuple[Metric, Iterable[Sample]]]:
    raise ZeroDivisionError


async def test_a_defect_is_logged_without_a_traceback_and_the_next_who_asks_is_answered(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    good = reading(Sample(1, ("alfa_demo",)))
    answers = iter([_broken, good])

    def read() -> Iterable[tuple[Metric, Iterable[Sample]]]:
        return next(answers)()

    with caplog.at_level(logging.DEBUG):
        async with served(HERE, read) as port:
            assert (await asked(port))[0] == 500
            assert (await asked(port))[0] == 200
    assert "metrics not told" in str([record.msg for record in caplog.records])
    assert "Traceback" not in json.dumps(capsys.readouterr())


NONSENSE = [b"GET /metr", b"\x16\x03\x01\x02", b"POST /metrics HTTP/1.1\r\n\r\n", b"GET " + b"x" * 70_000]


@pytest.mark.parametrize("said", NONSENSE)
async def test_who_hangs_up_or_says_nonsense_is_no_trouble(said: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    async with served(HERE, reading(Sample(1, ("alfa_demo",)))) as port:
        rude = socket.create_connection(("127.0.0.1", port))
        rude.sendall(said)
        # What is sent then is a reset.
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await asyncio.sleep(0.05)
        rude.close()
        assert (await asked(port))[0] == 200
        await asyncio.sleep(0.05)
    assert capfd.readouterr() == ("", "")
