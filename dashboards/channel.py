"""The live channel: one WebSocket a tab, what changed as it changes, and a beat every second.

    client                                    server
    {"sub": ["plant"], "seq": 0}        ->    hello, snapshot
                                              tiles, cycle, phase, news   as things change
    {"sub": ["plant", "press:6"]}       ->    the same, and the shot that runs on press 6,
                                              counted from 0: shot (text), samples (bytes)
    {"seq": 17}                         <-    beat, seq 17             every second

The beat carries the server's time and the age of every source: a page that hears no beat knows that
it is late or lost, whatever its socket says. A viewer that answers beats is closed once it is more
than `lag_s` beats behind, and any viewer once its socket takes nothing for `lag_s`.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, NoReturn

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import PlainTextResponse
from pydantic import Field, ValidationError

from agent.live import SPARK_CYCLES, Inbox, Plant, Update
from dashboards.headers import same_origin
from dashboards.shotframes import Sent, ShotFrames
from dashboards.wire import (
    COLUMNS,
    SCHEMA,
    Rows,
    Topic,
    ages,
    encoded,
    epoch,
    message,
    news_values,
    today_values,
)
from drivers.checked import Checked

GATHER_S = 0.05
"""Changes that come this close together travel in one message."""

HELLO_S = 10.0
"""A viewer that has not said by then what it wants is closed."""

FOLLOW_S = 0.1
"""The same for a viewer that draws a running shot: ten frames a second move as well as more."""

SNAPSHOT = Update("snapshot", "")

REFUSED, LAGGED = 1008, 1013

Abort = Callable[[WebSocket], None]
"""Drops a connection without a farewell: what is left for a viewer that takes nothing any more."""


Subject = Annotated[str, Field(pattern=r"^(plant|press:\d{1,5})$")]
"""The plant, or a press by its place in the configuration."""


class Said(Checked):
    """What a viewer says: what it wants to see, or the beat that it has seen."""

    sub: Annotated[tuple[Subject, ...], Field(min_length=1, max_length=8)] | None = None
    seq: int = 0


class Channel:
    """Serves the viewers of one plant.

    Args:
        plant: What they see.
        build: Digest of the pages; a page of another build loads itself anew.
        layout: Digest of the machines and their order; the same.
        lag_s: How far a viewer may fall behind.
    """

    def __init__(self, plant: Plant, *, build: str, layout: str, lag_s: float) -> None:
        self.plant = plant
        self.lag_s = lag_s
        self.rows = Rows(plant)
        self.shots = ShotFrames(plant)
        self._build = build
        self._layout = layout
        self._beat = ""
        self._beat_second = -1
        self._news = (-1, "")
        self.seq = 0
        """Number of the newest beat."""

    async def serve(self, websocket: WebSocket) -> None:
        """One viewer, from its first word to its last."""
        if not same_origin(websocket.headers.get("origin"), websocket.headers.get("host", "")):
            refusal = "This page is not one of ours, so it may not watch the plant.\n"
            await websocket.send_denial_response(PlainTextResponse(refusal, 403))
            return
        await websocket.accept()
        async with self.plant.watch() as inbox:
            viewer = _Viewer(self, websocket, inbox)
            try:
                async with asyncio.timeout(HELLO_S):
                    while not viewer.subscribed:
                        if not await viewer.read_one():
                            return
            except TimeoutError:
                await viewer.close(REFUSED, 'Say {"sub": ["plant"]} first.')
                return
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(viewer.write(), name="write to a viewer")
                while await viewer.read_one():
                    pass
                writer.cancel()

    def hello(self) -> str:
        """The first message: what this is, and how rows are to be read."""
        site = self.plant.site
        return encoded(
            {
                "t": "hello",
                "schema": SCHEMA,
                "build": self._build,
                "layout": self._layout,
                "now": epoch(self.plant.clock()),
                "zone": site.timezone,
                "columns": COLUMNS,
            }
        )

    def snapshot(self) -> str:
        """Everything, in the same rows in which changes travel."""
        machines = self.plant.machines
        rows = {
            topic: [self.rows.row(topic, machine, SPARK_CYCLES) for machine in machines]
            for topic in COLUMNS
        }
        body = ",".join(f'"{topic}":[{",".join(of_topic)}]' for topic, of_topic in rows.items())
        head = encoded(
            {"t": "snapshot", "seq": self.seq, **self._pulse(), "news": news_values(self.plant)}
        )
        return f"{head[:-1]},{body}}}"

    def news(self) -> str:
        """What is open in the record; the same text for all viewers."""
        if self._news[0] != self.plant.news.version:
            text = encoded({"t": "news", **news_values(self.plant)})
            self._news = self.plant.news.version, text
        return self._news[1]

    def beat(self, second: int) -> str:
        """The beat of one second of the loop's clock; the same text for all viewers."""
        if second != self._beat_second:
            self._beat_second = second
            self.seq += 1
            self._beat = encoded({"t": "beat", "seq": self.seq, **self._pulse()})
        return self._beat

    def _pulse(self) -> dict[str, object]:
        return {
            "now": epoch(self.plant.clock()),
            "ages": ages(self.plant),
            "today": today_values(self.plant.today),
        }


class _Viewer:
    """One open page: a task that reads and a task that writes."""

    def __init__(self, channel: Channel, websocket: WebSocket, inbox: Inbox) -> None:
        self._channel = channel
        self._websocket = websocket
        self._inbox = inbox
        self._sparks: dict[str, int] = {}
        self._shots: dict[str, Sent] = {}
        self._closing = False
        self.subscribed = False
        self._sent_seq = 0
        self._answered_seq: int | None = None

    async def read_one(self) -> bool:
        """Take one message; False when the viewer is gone, or was sent away."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return False
        try:
            said = Said.model_validate_json(message.get("text") or "")
        except ValidationError:
            await self.close(REFUSED, 'Say {"sub": ["plant"], "seq": 0} or {"seq": 17}.')
            return False
        if said.sub:
            self.subscribed = True
            self._inbox.put(SNAPSHOT)
            self._follow(said.sub)
        else:
            self._answered_seq = max(self._answered_seq or 0, said.seq)
        return True

    def _follow(self, subjects: Sequence[str]) -> None:
        machines = self._channel.plant.machines
        self._shots = {}
        for subject in subjects:
            place = subject.partition(":")[2]
            if place and int(place) < len(machines):
                self._channel.plant.follow(self._inbox, machines[int(place)])

    async def write(self) -> None:
        """Send what changes, and the beats, until the viewer is gone or lags."""
        try:
            await self._write()
        except WebSocketDisconnect:
            return
        except TimeoutError:
            self._abort()

    async def _write(self) -> NoReturn:
        loop = asyncio.get_running_loop()
        beat_at = math.floor(loop.time()) + 1
        while True:
            if loop.time() >= beat_at:
                await self._send_beat(math.floor(loop.time()))
                beat_at = math.floor(loop.time()) + 1
            try:
                async with asyncio.timeout_at(beat_at):
                    await self._inbox.wait()
            except TimeoutError:
                continue
            await self._send_updates(self._inbox.empty())
            await asyncio.sleep(FOLLOW_S if self._inbox.follows else GATHER_S)

    async def _send_beat(self, second: int) -> None:
        if self._answered_seq is not None:
            behind = self._sent_seq - self._answered_seq
            if behind > self._channel.lag_s:
                await self.close(LAGGED, f"This page is more than {behind - 1} s behind.")
                raise WebSocketDisconnect(LAGGED)
        await self._send(self._channel.beat(second))
        self._sent_seq = self._channel.seq

    async def _send_updates(self, updates: list[Update]) -> None:
        if SNAPSHOT in updates:
            plant = self._channel.plant
            self._sparks = {machine: plant.spark_count(machine) for machine in plant.machines}
            await self._send(self._channel.hello())
            await self._send(self._channel.snapshot())
            await self._send_shots(self._inbox.follows)
            return
        rows: dict[Topic, list[str]] = {topic: [] for topic in COLUMNS}
        for update in updates:
            for topic in COLUMNS:
                if update.topic == topic:
                    rows[topic].append(self._row(topic, update.key))
        for topic, of_topic in rows.items():
            if of_topic:
                await self._send(message(topic, of_topic))
        if any(update.topic == "news" for update in updates):
            await self._send(self._channel.news())

        await self._send_shots(each.key for each in updates if each.topic == "shot")

    async def _send_shots(self, machines: Iterable[str]) -> None:
        for machine in machines:
            sent = self._shots.get(machine, (0, 0, 0))
            messages, self._shots[machine] = self._channel.shots.lacking(machine, sent)
            for each in messages:
                await self._send(each)

    def _row(self, topic: Topic, machine: str) -> str:
        if topic != "cycle":
            return self._channel.rows.row(topic, machine, 0)
        count = self._channel.plant.spark_count(machine)
        lacking = count - self._sparks[machine]
        self._sparks[machine] = count
        return self._channel.rows.row(topic, machine, min(lacking, SPARK_CYCLES))

    async def _send(self, message: str | bytes) -> None:
        if self._closing:
            raise WebSocketDisconnect
        async with asyncio.timeout(self._channel.lag_s):
            if isinstance(message, bytes):
                await self._websocket.send_bytes(message)
            else:
                await self._websocket.send_text(message)

    async def close(self, code: int, reason: str) -> None:
        """Say farewell, and wait no longer than a moment for it to be taken."""
        self._closing = True
        try:
            async with asyncio.timeout(1):
                await self._websocket.close(code, reason)
        except TimeoutError:
            self._abort()

    def _abort(self) -> None:
        abort: Abort = self._websocket.app.state.abort
        abort(self._websocket)
