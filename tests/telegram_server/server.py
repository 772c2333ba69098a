"""The server: listens on a loopback address, keeps keys and sign-ins, carries out calls and pushes what happens."""

from __future__ import annotations

import asyncio
import base64
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession
from telethon.tl import functions, types

from tests.telegram_server.asking import Ask
from tests.telegram_server.channel import Event, Kind, WorldChannel
from tests.telegram_server.differences import TOO_LONG
from tests.telegram_server.faults import Delivery, Fault, Faults, Treatment
from tests.telegram_server.keys import PUBLIC_KEY
from tests.telegram_server.methods import CLOSED, OPEN
from tests.telegram_server.mtproto import Connection, Key, key_id, new_salt
from tests.telegram_server.sending import Content, Sent, write
from tests.telegram_server.signing_in import Logins
from tests.telegram_server.views import Views
from tests.telegram_server.wire import Raw, Refusal, method_of
from tests.telegram_server.world import World
from tests.telegram_server.writes import Stage, Write, write_of

_WRAPPERS = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeAfterMsgRequest,
)
_PINGS = (functions.PingRequest, functions.PingDelayDisconnectRequest)


class Call(NamedTuple):
    """A call that arrived, whatever became of it. ``at`` is in seconds of the faults' time."""

    at: float
    method: str
    request: Any
    person: int | None


class TelegramServer:
    """Open it with ``async with``. ``keys`` of an earlier server let its clients stay signed in."""

    dc = 2
    host = "127.0.0.1"
    public_key = PUBLIC_KEY

    def __init__(
        self, world: World, faults: Faults | None = None, port: int = 0, *, keys: dict[int, Key] | None = None
    ) -> None:
        self.world = world
        self.faults = faults or Faults(world.seed)
        self.port = port
        self.keys = {} if keys is None else keys
        self.views = Views(world)
        self.logins = Logins()
        self.too_long_after = TOO_LONG
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.writes: list[Write] = []
        #: Hears of each request that writes, at each of its stages, before anything else is done.
        self.wrote: Callable[[Write, Stage], None] = lambda _write, _stage: None
        self.by_random_id: dict[tuple[int, int, int], Sent] = {}
        self.twins: dict[tuple[int, int], tuple[int, int]] = {}
        self.sessions: list[int] = []
        self.defects: list[BaseException] = []
        self.connections: set[Connection] = set()
        self._acting: Connection | None = None
        self._executing: set[tuple[int | None, str]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self.world.listeners.append(self._happened)
        await self.listen_again()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.world.listeners.remove(self._happened)
        await self.stop_listening()
        for task in self._late:
            task.cancel()
        self.cut()
        await asyncio.gather(*self._late, *self._serving, return_exceptions=True)
        if kind is None and self.defects:
            raise self.defects[0]

    # For tests

    async def listen_again(self) -> None:
        self._listener = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """New connections are refused; those there are stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            await asyncio.sleep(0)

    def cut(self) -> None:
        """Breaks all connections off."""
        for connection in list(self.connections):
            connection.abort()

    def count(self, method: str) -> int:
        return sum(call.method == method for call in self.calls)

    def push_raw(self, updates: Any, person: int | None = None) -> None:
        """Pushes any object, or bytes, to everybody or one."""
        for connection in self._listening(None if person is None else {person}):
            connection.push(bytes(updates))

    def push_to(self, person: int, updates: Any, *, but: Connection | None = None) -> None:
        """Pushes updates to all sessions of a person, or all but the one that has caused them."""
        for connection in self._listening({person}):
            if connection is not but:
                connection.push(bytes(updates))

    def revoke(self, person: int, why: str = "SESSION_REVOKED") -> None:
        """Ends all sessions of a person, as from another of their devices."""
        for key in self.keys.values():
            if key.person == person:
                key.revoked = why

    def restore(self, person: int) -> None:
        """Undoes `revoke`."""
        for key in self.keys.values():
            if key.person == person:
                key.revoked = None

    def forget_keys(self) -> None:
        """All keys become unknown, as after a client's session was destroyed; each is answered with -404."""
        self.keys.clear()

    def accept_login(self, token: bytes | str, person: int) -> bool:
        """A person scans a QR code, given as its token or its tg://login address. False for an unknown one."""
        if isinstance(token, str):
            text = token.partition("token=")[2]
            token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        login = self.logins.tokens.get(token)
        if login is None:
            return False
        login.person = person
        update = bytes(types.UpdateShort(types.UpdateLoginToken(), self.world.now()))
        for connection in self.connections:
            if connection.key is login.key:
                connection.push(update)
        return True

    def sign_in_session(self, path: Path, person: int) -> None:
        """Writes a session file of Telethon in which a person has signed in here."""
        auth = AuthKey(os.urandom(256))
        self.keys[key_id(auth)] = Key(auth, new_salt(), person)
        session = SQLiteSession(str(path))
        session.set_dc(self.dc, self.host, self.port)
        session.auth_key = auth
        session.save()
        session.close()
        path.with_name(path.name.removesuffix(".session") + ".session").chmod(0o600)

    def say(self, person: int, to: int, text: str) -> int:
        """A person writes to another, or to a bot; returns the number in the receiver's box."""
        people = self.world.people
        write(self, people[person], people[to], Content(text))
        return max(people[to].messages)

    # For connections

    def time(self) -> float:
        skew = self.faults.skew()
        return time.time() + (skew.seconds if skew else 0.0)

    @property
    def tells_the_time(self) -> bool:
        skew = self.faults.skew()
        return skew is None or skew.told

    @property
    def hangs(self) -> bool:
        return self.faults.has(Fault.HANG)

    def received(self, connection: Connection, message: int, request: Any) -> None:
        """A request has come, wrapped as it is."""
        if isinstance(request, _PINGS):
            if not self.faults.has(Fault.NO_PONGS):
                connection.pong(message, request.ping_id)
            return
        key = connection.key
        if key is None:
            return
        wanted = True
        while isinstance(request, _WRAPPERS):
            wanted = wanted and not isinstance(request, functions.InvokeWithoutUpdatesRequest)
            if isinstance(request, functions.InvokeWithLayerRequest):
                key.layer = request.layer
            request = request.query
        connection.updates = connection.updates or wanted
        method = method_of(request)
        self.calls.append(Call(self.faults.seconds_now(), method, request, key.person))
        write = write_of(request, key.person, self.faults.seconds_now())
        if write is not None:
            self.writes.append(write)
            self.wrote(write, Stage.ARRIVED)
        treatment = self.faults.treatment(method, key.person)
        if treatment.cut_before or (write is not None and write.lost):
            connection.abort()
        elif treatment.slow:
            connection.acknowledge(message)
            self._later(self._slowly(connection, message, request, treatment, write))
        else:
            self._carry_out(connection, message, request, treatment, write)

    async def _slowly(
        self, connection: Connection, message: int, request: Any, treatment: Treatment, write: Write | None
    ) -> None:
        mark = connection.key.person if connection.key else None, str(getattr(request, "random_id", message))
        if mark in self._executing:
            connection.answer(message, Refusal(500, "RANDOM_ID_DUPLICATE"))
            return
        self._executing.add(mark)
        try:
            await asyncio.sleep(treatment.slow)
        finally:
            self._executing.discard(mark)
        self._carry_out(connection, message, request, treatment, write)

    def _carry_out(
        self, connection: Connection, message: int, request: Any, treatment: Treatment, write: Write | None
    ) -> None:
        self._acting, before = connection, len(self.sent)
        try:
            answer = treatment.refusal or self._answer(connection, request)
        except Refusal as refusal:
            answer = refusal
        except Exception as defect:  # noqa: BLE001 - told at the end of the test, and to the client as any server would
            self.defects.append(defect)
            traceback.print_exception(defect)
            answer = Refusal(500, "INTERNAL")
        finally:
            self._acting = None
        if write is not None:
            write.looked_at(self, before, answer.message if isinstance(answer, Refusal) else None)
            self.wrote(write, Stage.DONE)
        if treatment.cut_after:
            connection.abort()
        elif treatment.swallow:
            connection.acknowledge(message)
        else:
            connection.answer(message, answer)
            if write is not None:
                self.wrote(write, Stage.ANSWERED)

    def _answer(self, connection: Connection, request: Any) -> Any:
        key = connection.key
        if key is None:
            raise Refusal(401, "AUTH_KEY_UNREGISTERED")
        ask = Ask(self, connection, key)
        carry_out = OPEN.get(type(request))
        if carry_out is None:
            carry_out = CLOSED.get(type(request))
            _ = ask.me
        if carry_out is None:
            raise Refusal(400, "METHOD_INVALID")
        return carry_out(ask, request)

    # What happens

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
        try:
            await connection.serve()
        finally:
            self.connections.discard(connection)
            if task is not None:
                self._serving.discard(task)

    def _listening(self, people: set[int] | None) -> list[Connection]:
        """Connections whose session wants updates, of some people or all."""
        return [
            one
            for one in self.connections
            if one.updates
            and one.key is not None
            and one.key.revoked is None
            and one.key.person is not None
            and (people is None or one.key.person in people)
        ]

    def _happened(self, channel: WorldChannel, event: Event) -> None:
        """Pushes an event to those who have joined, but for the session that has caused it."""
        people = channel.members | channel.forbidden if event.kind is Kind.CHANNEL else channel.members
        listening = [one for one in self._listening(people) if one is not self._acting]
        if not listening:
            return
        delivery = self.faults.delivery(channel.number, event.pts)
        if event.kind is Kind.CHANNEL:
            delivery = Delivery((0.0,)) if delivery.after else delivery
        if not delivery.after:
            return
        packets: dict[int, bytes] = {}
        for connection in listening:
            person = connection.key.person if connection.key else None
            if person is None:
                continue
            if person not in packets:
                packets[person] = self._packet(channel, event, person, delivery)
            for after in delivery.after:
                if after:
                    asyncio.get_running_loop().call_later(after, connection.push, packets[person])
                else:
                    connection.push(packets[person])

    def _packet(self, channel: WorldChannel, event: Event, viewer: int, delivery: Delivery) -> bytes:
        match delivery.form:
            case Fault.CHANNEL_TOO_LONG:
                update = types.UpdateChannelTooLong(channel.number, event.pts)
            case Fault.UNKNOWN_IN_PUSH:
                update = self.views.unreadable_update(event)
            case _:
                update = self.views.update(channel, event, viewer)
        few = delivery.min_channel
        chat: Raw = self.views.min_channel(channel) if few else self.views.channel(channel, viewer)
        authors = [one.author for number in event.numbers if (one := channel.living(number)) and one.author is not None]
        return bytes(self.views.updates([update], [chat], authors, viewer))

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)
