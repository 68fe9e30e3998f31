"""A Modbus gateway: several units on the serial line behind one TCP port."""

from collections.abc import Mapping

from simulators.modbus.framing import FramingName
from simulators.modbus.line import Baud
from simulators.modbus.server import ModbusServer
from simulators.modbus.tls import Tls
from simulators.modbus.unit import Unit

BITS_PER_S = 115_200
"""A read of 36 registers takes about 9 ms."""
PATIENCE_S = 1.0


class Gateway(ModbusServer):
    """Publishes several units.

    Args:
        units: By their unit ids, as `press_unit` and `tcu_unit` make them.
        host: Where it listens.
        port: 0 for any free one.
        framing: "tcp"; "rtu" for a device server that passes RTU frames on as they are.
        bits_per_s: Of the line; its time is the wall's.
        patience_s: Wall seconds that it waits for a unit.
        tls: Modbus/TCP Security; None: in clear.
    """

    def __init__(
        self,
        units: Mapping[int, Unit],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        framing: FramingName = "tcp",
        bits_per_s: float = BITS_PER_S,
        patience_s: float = PATIENCE_S,
        tls: Tls | None = None,
    ) -> None:
        super().__init__(
            units,
            host=host,
            port=port,
            framing=framing,
            baud=Baud(bits_per_s),
            patience_s=patience_s if framing == "tcp" else 0.0,
            tls=tls,
        )
