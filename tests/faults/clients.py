"""Clients as their README has them, for tests that show what they see."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from pymodbus.client import AsyncModbusTcpClient

from simulators.modbus.server import ModbusServer

COUNTER, COOLING_TIME = 0, 101
"""Addresses in the retrofit PLC."""


@asynccontextmanager
async def modbus_client(
    server: ModbusServer, **options: Any
) -> AsyncGenerator[AsyncModbusTcpClient]:
    """A plain pymodbus client that has connected; impatient, so that tests are quick."""
    client = AsyncModbusTcpClient(
        server.host, port=server.port, **{"timeout": 0.4, "retries": 0} | options
    )
    try:
        assert await client.connect()
        yield client
    finally:
        client.close()


async def registers(client: AsyncModbusTcpClient, first: int, count: int = 1) -> list[int]:
    """What a program reads that takes every answer for one."""
    return list((await client.read_holding_registers(first, count=count)).registers)


async def shots(client: AsyncModbusTcpClient) -> int:
    """The shot counter."""
    high, low = await registers(client, COUNTER, 2)
    return high << 16 | low
