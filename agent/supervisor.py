"""What a service manager such as systemd is told: that we run, how we do, and that we still turn.

Protocol: sd_notify(3), one datagram a message; nothing is sent where nobody asks for it.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping

EVERY_S = 10.0
"""From one word on how we do to the next, unless a watchdog wants to hear more often."""


async def keep_told(how: Callable[[], str], environment: Mapping[str, str] = os.environ) -> None:
    """Tell who started us that all is begun, and from then on how it does, until cancelled.

    That the event loop comes by here is the sign of life for a watchdog: a loop that doesn't turn
    reads no machine. Ends at once where nobody listens.

    Args:
        how: How we do, in one line.
        environment: Where a service manager says what it wants to hear.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    watchdog_s = _watchdog_s(environment)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
        to.setblocking(False)

        def say(word: str) -> None:
            # An @ stands for the zero that begins a name which is in no folder. Where nobody takes
            # it, it is not ours to mend.
            with contextlib.suppress(OSError):
                to.sendto(word.encode(), "\0" + address[1:] if address[0] == "@" else address)

        say("READY=1")
        try:
            while True:
                say(f"STATUS={how()}")
                if watchdog_s is not None:
                    say("WATCHDOG=1")
                await asyncio.sleep(min(EVERY_S, (watchdog_s or EVERY_S) / 2))
        finally:
            say("STOPPING=1")


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """Within what time it must hear of us, or ends us; None where it waits for nothing."""
    us = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(us) / 1e6 if us.isdigit() and int(us) and ours else None
