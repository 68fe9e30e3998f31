"""Counters and mold ids, as a client sees them that subtracts and trusts: plain pymodbus."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asyncua import Client
from pymodbus.client import AsyncModbusTcpClient

from simulators.fleet import Fleet
from simulators.orders import Order
from simulators.plant import Plant, open_plant

COUNTER, MOLD_ID = 0, 20


def fleet(protocol: str = "modbus", **press: Any) -> Fleet:
    entry = {"name": "IMM-01", "protocol": protocol, "mold": "A-1", "job": "J-1", "counter": 5000}
    return Fleet.model_validate(
        {"press": [entry | press], "mold": [{"id": "A-1", "cavities": 2}, {"id": "A-2"}]}
    )


class Naive:
    """A plant with one press that molds by hand, and a client that counts by subtraction."""

    def __init__(self, plant: Plant, client: AsyncModbusTcpClient) -> None:
        self.plant = plant
        self.press = plant.presses["IMM-01"]
        self._client = client

    async def counter(self) -> int:
        high, low = (await self._client.read_holding_registers(COUNTER, count=2)).registers
        return int(high << 16 | low)

    async def mold_id(self) -> str:
        words = (await self._client.read_holding_registers(MOLD_ID, count=8)).registers
        return b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0").decode()

    async def shots_while(self, closings: int) -> int:
        """What it takes for the shots of that many closings."""
        before = await self.counter()
        for _ in range(closings):
            await self.press.mold()
        return await self.counter() - before


@asynccontextmanager
async def naive(**press: Any) -> AsyncGenerator[Naive]:
    async with open_plant(fleet(**press), speed=None, free_ports=True) as plant:
        client = AsyncModbusTcpClient("127.0.0.1", port=plant.ports["IMM-01"])
        assert await client.connect()
        try:
            yield Naive(plant, client)
        finally:
            client.close()


async def test_without_a_fault_subtraction_is_right() -> None:
    async with naive() as client:
        assert await client.shots_while(3) == 3


@pytest.mark.parametrize(
    ("fault", "given", "first", "then"),
    [
        pytest.param("counter_reset", {}, -4999, 1, marks=pytest.mark.fault("counter_reset")),
        pytest.param(
            "counter_rolled_back", {"by": 20}, -19, 1,
            marks=pytest.mark.fault("counter_rolled_back"),
        ),
        pytest.param(
            "counter_jump", {"by": 1000}, 1001, 1, marks=pytest.mark.fault("counter_jump")
        ),
        pytest.param("double_pulse", {}, 2, 1, marks=pytest.mark.fault("double_pulse")),
    ],
)  # fmt: skip
async def test_a_counter_that_falls_or_jumps_makes_wrong_shots(
    fault: str, given: dict[str, float], first: int, then: int
) -> None:
    async with naive() as client:
        before = await client.counter()
        await client.plant.inject("IMM-01", fault, **given)
        await client.press.mold()

        assert await client.counter() - before == first
        assert await client.shots_while(1) == then


@pytest.mark.fault("counter_wrap")
@pytest.mark.parametrize("limit", [65536, 10_000])
async def test_a_counter_that_wraps_takes_back_all_its_shots(limit: int) -> None:
    async with naive() as client:
        await client.plant.inject("IMM-01", "counter_wrap", limit=limit, before=2)

        assert [await client.shots_while(1) for _ in range(4)] == [1, 1 - limit, 1, 1]


async def test_a_counter_is_as_wide_as_the_fleet_says() -> None:
    async with naive(counter=9999, counter_limit=10_000) as client:
        assert await client.shots_while(1) == -9999


@pytest.mark.fault("counter_stuck")
async def test_a_stuck_counter_hides_shots_for_good() -> None:
    async with naive() as client:
        await client.plant.inject("IMM-01", "counter_stuck")
        assert await client.shots_while(3) == 0
        assert client.press.counters.good == 6

        await client.plant.clear("IMM-01", "counter_stuck")
        assert await client.shots_while(1) == 1


@pytest.mark.fault("power_off")
@pytest.mark.parametrize(
    ("kept", "shots"), [("always", 0), ("saved", -30), ("lost", -5030)]
)  # fmt: skip
async def test_a_control_without_power_forgets_what_it_has_not_saved(kept: str, shots: int) -> None:
    async with naive(counter_kept=kept, save_every=100) as client:
        assert await client.shots_while(30) == 30
        before = client.press.counter

        await client.plant.inject("IMM-01", "power_off")
        assert not client.press.running
        await client.plant.clear("IMM-01", "power_off")

        assert client.press.running
        assert client.press.counter - before == shots


@pytest.mark.fault("job_counter_reset")
async def test_a_job_that_is_reset_starts_anew_in_its_middle() -> None:
    node = "ns=5;s=IMM_SprueSim_IMM-01.Jobs.ActiveJobValues.JobCycleCounter"
    plan = fleet("euromap77", job_counter=400)
    async with (
        open_plant(plan, speed=None, free_ports=True) as plant,
        Client(plant.faces["IMM-01"].address) as client,
    ):
        before = await client.get_node(node).read_value()
        await plant.inject("IMM-01", "job_counter_reset")
        await plant.presses["IMM-01"].mold()
        after = await client.get_node(node).read_value()

    assert (before, after) == (400, 1)


@pytest.mark.fault("mold_id_late")
async def test_a_late_mold_id_books_shots_on_the_mold_of_before() -> None:
    async with naive() as client:
        await client.plant.inject("IMM-01", "mold_id_late", shots=3)
        await client.press.change_mold(client.plant.fleet.molds["A-2"])

        seen = []
        for _ in range(4):
            shot = await client.press.mold()
            seen.append((shot.mold.id, await client.mold_id()))

    assert seen == [("A-2", "A-1"), ("A-2", "A-1"), ("A-2", "A-2"), ("A-2", "A-2")]


@pytest.mark.fault("mold_id_never")
async def test_a_mold_id_that_nobody_enters_stays_until_somebody_does() -> None:
    async with naive() as client:
        await client.plant.inject("IMM-01", "mold_id_never")
        await client.press.change_mold(client.plant.fleet.molds["A-2"])
        for _ in range(30):
            shot = await client.press.mold()

        assert (shot.mold.id, await client.mold_id()) == ("A-2", "A-1")
        await client.plant.clear("IMM-01", "mold_id_never")
        assert await client.mold_id() == "A-2"


async def test_a_blocked_cavity_is_in_the_parts_only() -> None:
    async with naive() as client:
        await client.plant.order("IMM-01", Order(what="cavities", given={"open": 1}))
        shot = await client.press.mold()

        assert (shot.parts_good, shot.mold.cavities) == (1, 2)


@pytest.mark.fault("power_off", "late_publication")
async def test_a_closing_that_would_have_shown_late_is_lost_with_the_power() -> None:
    fleet = Fleet.model_validate(
        {
            "press": [{"name": "IMM-01", "protocol": "modbus", "mold": "A-1"}],
            "mold": [{"id": "A-1"}],
        }
    )
    async with open_plant(fleet, speed=1000, free_ports=True) as plant:
        press = plant.presses["IMM-01"]
        await press.until(1)
        await plant.inject("IMM-01", "late_publication", by_s=600)
        await plant.clock.until(press.at_s + press.late_s + 100)
        await plant.inject("IMM-01", "power_off")
        async with asyncio.timeout(10):
            await press.paused()

        assert press.counter == 1
