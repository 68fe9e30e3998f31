"""The agent's own death, at any moment, loses and doubles nothing at the sink."""

import asyncio
import random
import sys
import textwrap
from pathlib import Path

from agent.history import Filter, open_history
from tests.forward.forwarded import Influx, until

SCRIPT = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from tests.forward.forwarded import a_record, influxdb
    from tests.agent.makers import cycle, ledger

    async def work(folder, url, bucket, most):
        async with a_record(Path(folder)) as plant:
            before = plant.record.before.get("IMM-01")
            if before is not None:
                plant.book = ledger(standing=before.standing)
                n = before.standing.counter
            else:
                n = 0
            async with plant.to(influxdb(url, bucket=bucket)):
                while True:
                    if n < int(most):
                        n += 1
                        await (await plant.keep(cycle(n, 20 * n)))
                    await asyncio.sleep(0.002)

    asyncio.run(work(*sys.argv[1:]))
""")
MOST = 1000
LIVES = 5


async def test_every_cycle_is_in_the_sink_once_whenever_the_agent_is_killed(
    tmp_path: Path, influx_v2: str, database: Influx
) -> None:
    rng = random.Random(7)
    arguments = [sys.executable, "-c", SCRIPT, str(tmp_path), influx_v2, database.database]

    async def whole() -> bool:
        return len(await database.counters()) == MOST

    for life in range(LIVES):
        agent = await asyncio.create_subprocess_exec(*arguments, str(MOST))
        try:
            if life == LIVES - 1:
                await until("everything has arrived", whole)
            else:
                await asyncio.sleep(rng.uniform(1.0, 2.5))  # a moment is what it is about
        finally:
            assert agent.returncode is None
            agent.kill()
            await agent.wait()

    with open_history(f"sqlite:///{tmp_path}/plant.db") as history:
        kept = [booked.cycle.counter for booked in history.cycles(Filter())]
    assert kept == list(range(1, MOST + 1))
    assert await database.counters() == kept
