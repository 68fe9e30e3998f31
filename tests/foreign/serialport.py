"""A serial port that leads to a simulated line, made by socat."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest


@asynccontextmanager
async def serial_port(socat: str, folder: Path, port: int) -> AsyncGenerator[str]:
    """A TCP link as a serial port."""
    device = folder / "tty"
    process = await asyncio.create_subprocess_exec(
        *(socat, "-d", "-d", f"pty,raw,echo=0,link={device}", f"tcp:127.0.0.1:{port}"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(5):
            async for line in process.stderr:
                if b"starting data transfer loop" in line:
                    break
            else:
                pytest.fail("socat ended")
        yield str(device)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
