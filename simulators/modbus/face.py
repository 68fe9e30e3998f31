"""A press behind a retrofit PLC: a Modbus server that answers for this one unit."""

from simulators.modbus.framing import FramingName
from simulators.modbus.plc import press_unit
from simulators.modbus.server import ModbusServer
from simulators.modbus.tls import Tls
from simulators.modbus.unit import MAX_WORDS
from simulators.press import Press


class ModbusFace(ModbusServer):
    """Publishes one press on one TCP port.

    Args:
        press: Whose PLC it is.
        host: Where it listens.
        port: 0 for any free one.
        unit: Its id.
        framing: "tcp", or "rtu" for RTU frames over TCP.
        max_words: Registers that one request may read.
        tls: Modbus/TCP Security; None: in clear.
    """

    def __init__(
        self,
        press: Press,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        unit: int = 1,
        framing: FramingName = "tcp",
        max_words: int = MAX_WORDS,
        tls: Tls | None = None,
    ) -> None:
        units = {unit: press_unit(press, max_words=max_words)}
        super().__init__(units, host=host, port=port, framing=framing, tls=tls)
        self.press = press
        self.unit = unit
