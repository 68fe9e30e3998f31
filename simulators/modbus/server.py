"""A Modbus server on one TCP port: its units, the line they hang on, its links and its power."""

import asyncio
from collections.abc import Mapping

from simulators.faults import Active, Faults
from simulators.modbus.framing import FRAMINGS, FramingName, Request
from simulators.modbus.line import Baud, Line
from simulators.modbus.link import ModbusLink
from simulators.modbus.tls import Tls
from simulators.modbus.unit import TARGET_SILENT, Unit, refusal
from simulators.wire import Wire


class ModbusServer:
    """Answers for its units.

    Without `baud` the one unit has the port itself: it answers at once, and without power nobody
    listens. With `baud` it is a gateway, and the units hang on a serial line behind it: they are
    served one after the other, and the others wait while it waits for one that is silent.

    Args:
        units: By their unit ids.
        host: Where it listens.
        port: 0 for any free one.
        framing: "tcp", or "rtu" for RTU frames over TCP.
        baud: Of the line behind a gateway.
        patience_s: How long a gateway waits for a unit.
        tls: Modbus/TCP Security; None: in clear.
    """

    def __init__(
        self,
        units: Mapping[int, Unit],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        framing: FramingName = "tcp",
        baud: Baud | None = None,
        patience_s: float = 0.0,
        tls: Tls | None = None,
    ) -> None:
        self.units = units
        self.host = host
        self.port = port
        """0 until it has started, if it was not given."""
        self._framing = FRAMINGS[framing]
        self._has_ids = framing == "tcp"
        self._baud = baud
        self._patience_s = patience_s
        self._tls = tls
        self._line = Line(self._exchange)
        machines = {id(unit.faults): unit.faults for unit in units.values()}
        self._faults = tuple(machines.values())
        self._wire = Wire(self._faults)
        for each in self._faults:
            each.followers.append(self)
        self._server: asyncio.Server | None = None
        self._returning: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._listens = asyncio.Event()

    @property
    def address(self) -> str:
        """Where it listens, for a person."""
        scheme = "modbus" if self._tls is None else "mbaps"
        return f"{scheme}://{self.host}:{self.port}?unit={','.join(map(str, self.units))}"

    async def start(self) -> None:
        """Listen, unless there is no power.

        Raises:
            OSError: the port is taken.
        """
        async with self._changing:
            self._server = await self._bound()
            await self._listen()

    async def stop(self) -> None:
        """Stop listening and drop every link; the machines go on."""
        async with self._changing:
            if self._server is not None:
                self._hang_up(self._server)
                await self._server.wait_closed()
                self._server = None

    async def listens(self) -> None:
        """Wait until it answers clients: at once, unless it is restarting or without power."""
        await self._listens.wait()

    async def tick(self) -> None:
        """Nothing to do: requests compute their answer."""

    async def fault_changed(self, active: Active, *, on: bool) -> None:
        """Restart, or lose power and get it back."""
        restarts = active.name == "server_restart" and on
        powers = active.name == "power_off" and self._baud is None
        if not restarts and not powers:
            return
        async with self._changing:
            if self._server is None:
                return
            self._hang_up(self._server)
            self._server = await self._bound()
            if restarts:
                self._returning = asyncio.create_task(
                    self._come_back(active["down_s"]), name=f"restart of {self.address}"
                )
            else:
                await self._listen()

    def answer(self, unit: int, request: bytes) -> bytes | None:
        """The answer to one request, without its frame; None where there is none."""
        return self._answer(self.units.get(unit), request)[1]

    async def _bound(self) -> asyncio.Server:
        """A server that has its port and does not listen yet: whoever connects is refused."""
        loop = asyncio.get_running_loop()
        factory = self._wire.wrap(lambda: ModbusLink(self._framing, self._line.ask))
        context = self._tls.context(self._name) if self._tls is not None else None
        server = await loop.create_server(
            factory, self.host, self.port, ssl=context, start_serving=False
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _listen(self) -> None:
        own_power = self._baud is not None or all(map(self._is_powered, self.units.values()))
        if self._server is not None and own_power:
            await self._server.start_serving()
            self._wire.listens(self._server.sockets)
            self._listens.set()

    async def _come_back(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._returning = None
        async with self._changing:
            await self._listen()

    def _hang_up(self, server: asyncio.Server) -> None:
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None
        self._listens.clear()
        server.close()
        self._wire.drop_all()
        self._line.clear()

    @property
    def _name(self) -> str:
        """Of the machine, or of the first behind a gateway."""
        return self._faults[0].machine

    def _exchange(self, request: Request) -> tuple[float, bytes | None]:
        """How long the line is busy with a request, and the frame that is sent then."""
        unit = self.units.get(request.unit)
        seconds, pdu = self._answer(unit, request.pdu)
        if pdu is None:
            return seconds, None
        transaction = _transaction(request.transaction, unit.faults if unit else None)
        return seconds, self._framing.frame(transaction, request.unit, pdu)

    def _answer(self, unit: Unit | None, request: bytes) -> tuple[float, bytes | None]:
        silence = refusal(request[0], TARGET_SILENT) if self._has_ids else None
        if unit is None or not self._is_powered(unit):
            return self._patience_s, silence
        dead = unit.faults.active("dead_unit")
        if dead is not None:
            if not self._has_ids:
                return 0.0, None  # a device server passes frames on and waits for nobody
            return dead["wait_s"], None if dead["silent"] else silence
        pdu = unit.answer(request)
        return self._baud.seconds(request, pdu) if self._baud else 0.0, pdu

    def _is_powered(self, unit: Unit) -> bool:
        return unit.faults.active("power_off") is None


def _transaction(asked: int, faults: Faults | None) -> int:
    """The id that an answer carries."""
    if faults is None:
        return asked
    if faults.active("transaction_id_zero"):
        return 0
    if faults.active("wrong_transaction_id"):
        return asked % 0xFFFF + 1  # the next request's, and never 0, which some clients let through
    return asked
