"""A simulated plant, the agent and the pages in one process tree, with nothing else installed."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from agent.ending import CommandError
from agent.place import ConfigError

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 1.0


class DemoError(CommandError):
    """The demo can't start; the message says why."""


@contextmanager
def record_folder(record: str | None) -> Iterator[str]:
    """The URL of the record: the given one, or one in a temporary folder that goes with it."""
    if record is not None:
        yield record
        return
    with tempfile.TemporaryDirectory(prefix="sprue-demo-", ignore_cleanup_errors=True) as folder:
        yield f"sqlite:///{folder}/demo.db"


@asynccontextmanager
async def simulated_plant(
    machines: int, speed: float, seed: int, folder: Path
) -> AsyncGenerator[str]:
    """Simulated presses in a process of their own; it ends with ours, whatever happens to us.

    Yields:
        The machines and molds of a `sprue.toml` that fits them.

    Raises:
        DemoError: they did not come up.
    """
    config = folder / "plant.toml"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agent", "simulate", "demo",
        "--machines", str(machines), "--speed", str(speed), "--seed", str(seed),
        "--free-ports", "--config-out", str(config), "--until-stdin-closes",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches us only; we end it in order
    )  # fmt: skip
    try:
        yield await _ready(process, config)
    finally:
        await _stop(process)


async def _ready(process: asyncio.subprocess.Process, config: Path) -> str:
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while not config.exists():
                if process.returncode is not None:
                    raise DemoError(
                        f"the simulated plant ended at once with status {process.returncode}"
                    )
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 0.05)
    except TimeoutError as error:
        raise DemoError(f"the simulated plant was not ready in {READY_WITHIN_S:.0f} s") from error
    return config.read_text(encoding="utf-8")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def write_config(machines: str, record: str, listen: str, folder: Path) -> Path:
    """The demo's `sprue.toml`.

    Raises:
        ConfigError: the folder can't be written to.
    """
    path = folder / "sprue.toml"
    text = (
        '[site]\nname = "Demo plant"\n\n'
        f"[record]\nurl = {_quoted(record)}\nreserve_mb = 0\n\n"
        f"[web]\nlisten = {_quoted(listen)}\n\n{machines}"
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: can't be written: {error.strerror}"]) from error
    return path


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
