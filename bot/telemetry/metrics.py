"""Metrics as Prometheus reads them: families of samples, over HTTP, at /metrics and nowhere else.

The server has threads of its own, so whoever scrapes holds up nothing; what they call has to bear that.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import asyncio
import socket
import socketserver
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.config.values import Address
from bot.errors import ListenError
from bot.telemetry.log import logger

_log = logger(__name__)

_PATH = "/metrics"
_COUNTER = "_total"
#: In seconds: how long somebody may take to ask, and how soon the server sees that it is to stop.
_PATIENCE = 5.0
_POLL = 0.1


class Metric(NamedTuple):
    """One name of the page. A name that ends in ``_total`` is of a counter, any other of a gauge."""

    name: str
    what: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value, and the values of the metric's labels. No two of a metric have the same ones."""

    value: float
    labels: tuple[str, ...] = ()


#: All that there is to be told at this moment; called on the server's threads.
Read = Callable[[], Iterable[tuple[Metric, Iterable[Sample]]]]


@asynccontextmanager
async def served(listen: Address, read: Read) -> AsyncIterator[int]:
    """Serves until it is left; the port at which it does, which the system chooses for port 0.

    Memory and processor time of this process are told besides. Raises ListenError where nobody can listen there.
    """
    server = _opened(listen, read)
    thread = threading.Thread(target=server.serve_forever, args=[_POLL], name="metrics", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        # Not in the loop's way; and to the end, even if this is cancelled once more.
        await asyncio.shield(asyncio.to_thread(_closed, server))


def _closed(server: _Server) -> None:
    server.shutdown()
    server.server_close()


def _opened(listen: Address, read: Read) -> _Server:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Families(read))
    try:
        family, *_, address = socket.getaddrinfo(*listen, type=socket.SOCK_STREAM)[0]
        return _Server(family, address, registry)
    except (OSError, ValueError) as error:  # ValueError: no host can be called that
        raise ListenError(
            f"[metrics] listen: nobody can listen at {listen} ({_why(error)}); "
            "end what listens there, or write another port or an address of this machine"
        ) from None


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "there is no such address"


class _Families(Collector):
    def __init__(self, read: Read) -> None:
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing, so that nothing is read when this is registered."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        for metric, samples in self._read():
            of = CounterMetricFamily if metric.name.endswith(_COUNTER) else GaugeMetricFamily
            family = of(metric.name, metric.what, labels=metric.labels)
            for sample in samples:
                family.add_metric(sample.labels, sample.value)
            yield family


class _Server(ThreadingHTTPServer):
    #: Who is still being answered holds up no end.
    daemon_threads = True
    block_on_close = False

    def __init__(self, family: socket.AddressFamily, address: tuple[object, ...], registry: CollectorRegistry) -> None:
        self.address_family = family
        self.registry = registry
        super().__init__(address, _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Without asking the network for its own name, as the standard library's does."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up or says nothing sensible is no trouble of ours; the standard library prints a traceback."""
        _log.debug("scrape broken off")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE
    server_version, sys_version = "vedette", ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != _PATH:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", f"look at {_PATH}\n".encode())
            return
        try:
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            body = encode(self.server.registry)
        except Exception:  # noqa: BLE001 - whatever is wrong with one value must not look like a crash
            _log.exception("metrics not told")
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", b"look at the log\n")
            return
        self._answer(HTTPStatus.OK, kind, body)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
        """Nobody reads that somebody has looked."""
