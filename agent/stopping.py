"""Long commands: they run until they end, or until somebody stops them."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from agent.ending import DONE, CommandError


def log_to_stderr(level: int = logging.INFO) -> None:
    """What we have to say goes to stderr; libraries that chat say only what went wrong."""
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for noisy in ("asyncua", "pymodbus", "uvicorn", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def until_stopped(work: Coroutine[Any, Any, None], *known: type[Exception]) -> int:
    """Run until it ends, or until SIGINT or SIGTERM; both are an ordinary end.

    Args:
        work: What to run.
        known: Errors besides `CommandError` that are said instead of the group they came in.

    Raises:
        CommandError, OSError: what ended it, or one of `known`.
    """
    try:
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(_stoppable(work))
    except BaseExceptionGroup as group:
        # What else is in the group came of the end: links that were cut while they opened.
        ours: tuple[type[Exception], ...] = (CommandError,)
        for kinds in (ours + known, (OSError,)):
            if (told := group.subgroup(kinds)) is not None:
                raise _first(told) from None
        raise
    return DONE


async def _stoppable(work: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C comes as an exception
            loop.add_signal_handler(number, stop)
    try:
        await work
    except asyncio.CancelledError:
        if not stopped:
            raise


def _loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is to be had: a third less CPU for the same polls."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What is said of a group of failures: the first one."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
