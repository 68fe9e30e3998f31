"""The live channel: one WebSocket a tab, what changed as it changes, and a beat every second.

    client                                    server
    {"sub": ["plant"], "seq": 0}        ->    hello, snapshot
                                              change                     as things change
    {"sub": ["plant", "press:6"]}       ->    the same, and the shot that runs on press 6,
                                              counted from 0: shot (text), samples (bytes)
    {"seq": 17}                         <-    beat, seq 17             every second

One task tells all viewers what changed, in one text. A viewer that has not taken the last one yet
gets whole rows of what it lacks, once it takes something again.

The beat carries the server's time and the age of every source: a page that hears no beat knows that
it is late or lost, whatever its socket says. A viewer that answers beats is closed once it is more
than `lag_s` beats behind, and any viewer once its socket takes nothing for `lag_s`.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Literal, NoReturn, cast

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import PlainTextResponse
from pydantic import Field, ValidationError

from agent.live import Inbox, Plant, Update
from dashboards.face import shown_long
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

SNAPSHOT, CHANGE, BEAT = Update("snapshot", ""), Update("change", ""), Update("beat", "")

REFUSED, LAGGED = 1008, 1013

Thing = tuple[Topic | Literal["news"], str]
"""What changes: columns of a press, or what the record says."""

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
        layout: Gives the digest of the machines and their order; the same.
        lag_s: How far a viewer may fall behind.
    """

    def __init__(
        self, plant: Plant, *, build: str, layout: Callable[[], str], lag_s: float
    ) -> None:
        self.plant = plant
        self.lag_s = lag_s
        self.shots = ShotFrames(plant)
        self._rows = Rows(plant)
        self._build = build
        self._layout = layout
        self._viewers: set[_Viewer] = set()
        self._some = asyncio.Event()
        self._inbox = Inbox()
        self.seq = 0
        """Number of the newest beat."""

    async def pulse(self) -> NoReturn:
        """Tell all viewers what changes, and beat, as long as pages are served."""
        loop = asyncio.get_running_loop()
        async with self.plant.watch() as self._inbox:
            while True:
                await self._some.wait()
                beat_at = math.floor(loop.time()) + 1
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(beat_at):
                        while self._viewers:
                            await self._inbox.wait()
                            self.tell()
                            await asyncio.sleep(GATHER_S)
                if self._viewers:
                    self._beat()

    async def serve(self, websocket: WebSocket) -> None:
        """One viewer, from its first word to its last."""
        if not same_origin(websocket.headers.get("origin"), websocket.headers.get("host", "")):
            refusal = "This page is not one of ours, so it may not watch the plant.\n"
            await websocket.send_denial_response(PlainTextResponse(refusal, 403))
            return
        await websocket.accept()
        async with self.plant.viewing() as inbox:
            viewer = _Viewer(self, websocket, inbox)
            try:
                async with asyncio.timeout(HELLO_S):
                    while not viewer.subscribed:
                        if not await viewer.read_one():
                            return
            except TimeoutError:
                await viewer.close(REFUSED, 'Say {"sub": ["plant"]} first.')
                return
            self._viewers.add(viewer)
            self._some.set()
            try:
                async with asyncio.TaskGroup() as tasks:
                    writer = tasks.create_task(viewer.write(), name="write to a viewer")
                    while await viewer.read_one():
                        pass
                    writer.cancel()
            finally:
                self._viewers.discard(viewer)
                if not self._viewers:
                    self._some.clear()

    def tell(self) -> None:
        """Hand all viewers what changed since they were told last."""
        rows: dict[Topic, list[str]] = {topic: [] for topic in COLUMNS}
        told: list[Thing] = []
        updates = self._inbox.empty()
        if any(update.topic == "layout" for update in updates):
            self._begin_anew()
            return
        for update in updates:
            if update.topic == "news":
                told.append(("news", ""))
                continue
            topic = cast(Topic, update.topic)
            if row := self._rows.change(topic, update.key):
                rows[topic].append(row)
                told.append((topic, update.key))
        if told:
            text = self._change(rows, news=("news", "") in told)
            for viewer in self._viewers:
                viewer.hand(text, told)

    def _begin_anew(self) -> None:
        """Other machines: places are others, and pages load themselves anew."""
        self._rows, self.shots = Rows(self.plant), ShotFrames(self.plant)
        for viewer in self._viewers:
            viewer.begin_anew()

    def whole(self, lacks: Iterable[Thing]) -> str:
        """All of what a viewer lacks."""
        rows: dict[Topic, list[str]] = {topic: [] for topic in COLUMNS}
        news = False
        for topic, machine in lacks:
            if topic == "news":
                news = True
            else:
                rows[topic].append(self._rows.whole(topic, machine))
        return self._change(rows, news=news)

    def _change(self, rows: Mapping[Topic, Sequence[str]], *, news: bool) -> str:
        parts = [f'"{topic}":[{",".join(some)}]' for topic, some in rows.items() if some]
        if news:
            parts.append(f'"news":{encoded(news_values(self.plant))}')
        return f'{{"t":"change",{",".join(parts)}}}'

    def hello(self) -> str:
        """The first message: what this is, and how rows are to be read."""
        site = self.plant.site
        return encoded(
            {
                "t": "hello",
                "schema": SCHEMA,
                "build": self._build,
                "layout": self._layout(),
                "now": epoch(self.plant.clock()),
                "zone": site.timezone,
                "columns": COLUMNS,
            }
        )

    def snapshot(self) -> str:
        """Everything, in the same rows in which changes travel, as it was told."""
        body = ",".join(
            f'"{topic}":[{",".join(self._rows.whole(topic, each) for each in self.plant.machines)}]'
            for topic in COLUMNS
        )
        head = encoded(
            {"t": "snapshot", "seq": self.seq, **self._pulse(), "news": news_values(self.plant)}
        )
        return f"{head[:-1]},{body}}}"

    def _beat(self) -> None:
        self.seq += 1
        text = encoded({"t": "beat", "seq": self.seq, **self._pulse()})
        for viewer in self._viewers:
            viewer.beat(text)

    def _pulse(self) -> dict[str, object]:
        return {
            "now": epoch(self.plant.clock()),
            "ages": ages(self.plant),
            "today": today_values(self.plant.today),
            "trouble": shown_long(self.plant.trouble),
        }


class _Viewer:
    """One open page: a task that reads and a task that writes."""

    def __init__(self, channel: Channel, websocket: WebSocket, inbox: Inbox) -> None:
        self._channel = channel
        self._websocket = websocket
        self._inbox = inbox
        self._shots: dict[str, Sent] = {}
        self._change: tuple[str, Sequence[Thing]] | None = None
        self._lacks: dict[Thing, None] = {}
        self._newest_beat = ""
        self._closing = False
        self.subscribed = False
        self._sent_seq = 0
        self._answered_seq: int | None = None

    def hand(self, text: str, told: Sequence[Thing]) -> None:
        """What changed for everybody; where the last one waits still, whole rows of both."""
        if self._change is not None:
            self._lacks.update(dict.fromkeys((*self._change[1], *told)))
        self._change = (text, told)
        self._inbox.put(CHANGE)

    def _changes(self) -> str:
        """What changed since the last time; empty for nothing."""
        if self._change is None:
            return ""
        text = self._channel.whole(self._lacks) if self._lacks else self._change[0]
        self._change = None
        self._lacks.clear()
        return text

    def begin_anew(self) -> None:
        """Everything again, as at the beginning."""
        self._change = None
        self._lacks.clear()
        self._inbox.put(SNAPSHOT)

    def beat(self, text: str) -> None:
        """The newest beat."""
        self._newest_beat = text
        self._inbox.put(BEAT)

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
        while True:
            updates = await self._inbox.take()
            if SNAPSHOT in updates:
                await self._send_all()
                continue
            if text := self._changes():
                await self._send(text)
            if self._newest_beat:
                await self._send_beat()
            if shots := [each.key for each in updates if each.topic == "shot"]:
                await self._send_shots(shots)
                await asyncio.sleep(FOLLOW_S)

    async def _send_all(self) -> None:
        self._channel.tell()  # so that what was told is what there is
        self._change = None
        self._lacks.clear()
        hello, snapshot = self._channel.hello(), self._channel.snapshot()
        self._sent_seq = self._channel.seq
        await self._send(hello)
        await self._send(snapshot)
        await self._send_shots(self._inbox.follows)

    async def _send_beat(self) -> None:
        if self._answered_seq is not None:
            behind = self._sent_seq - self._answered_seq
            if behind > self._channel.lag_s:
                await self.close(LAGGED, f"This page is more than {behind - 1} s behind.")
                raise WebSocketDisconnect(LAGGED)
        text, self._newest_beat, self._sent_seq = self._newest_beat, "", self._channel.seq
        await self._send(text)

    async def _send_shots(self, machines: Iterable[str]) -> None:
        for machine in machines:
            sent = self._shots.get(machine, (0, 0, 0))
            messages, self._shots[machine] = self._channel.shots.lacking(machine, sent)
            for each in messages:
                await self._send(each)

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
