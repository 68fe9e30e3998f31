"""`sprue discover`: what is at an address, and the configuration that watches it."""

import asyncio
from pathlib import Path

from agent.discovermodbus import UNITS, Ask, is_modbus, place_at, probe
from agent.discoveropcua import Visit, look
from agent.printed import DiscoverError, Found
from agent.trust import AskError
from drivers import MachineError
from drivers.expectation import Expected


def discover(
    visit: Visit,
    out: Path | None,
    *,
    units: tuple[int, ...] | None = None,
    registers: tuple[int, int] | None = None,
    expect: tuple[Expected, ...] = (),
) -> None:
    """Find out what is at an address, and print a configuration for it or write it to a folder.

    Args:
        visit: Where, `opc.tcp://`, `modbus://`, `modbus+rtu://` or `modbus+serial:`; and for OPC
            UA how it is secured.
        out: The folder; None to print.
        units: Modbus: which units to ask; None for the usual ones.
        registers: Modbus: first and last address; None for where makers usually begin.
        expect: Modbus: numbers that a person sees on the machine's screen.

    Raises:
        AskError: the address can't be one, or a word does not go with it.
        TrustError: nobody has confirmed the server's certificate.
        DiscoverError: nobody answers there, or nothing that we can watch; or a file is there.
    """
    url = visit.url
    if is_modbus(url):
        if visit.is_secured:
            raise AskError("--security and --user are for opc.tcp:// addresses")
        try:
            place = place_at(url)
        except ValueError as error:
            raise AskError(str(error)) from error
        ask = Ask(place=place, units=units or UNITS, registers=registers, expect=expect)
        try:
            show(asyncio.run(probe(ask)), out)
        except MachineError as error:
            raise DiscoverError(str(error)) from error
        return
    if units or registers or expect:
        raise AskError("--unit, --registers and --expect are for Modbus addresses")
    show(look(visit), out)


def show(found: Found, out: Path | None) -> None:
    """Print what was found, or write it into a folder.

    Raises:
        DiscoverError: a file is there already, or can't be written.
    """
    if out is None:
        print(found.config, end="")
        for name, text in found.files.items():
            print(f"\n# ---- {name}: a file of its own beside the configuration (--out DIR) ----\n")
            print(text, end="")
        return
    files = {"sprue.toml": found.config, **found.files}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in files:
            if (out / name).exists():
                raise DiscoverError(f"{out / name} is there already; nothing was written")
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8")
            print(out / name)
    except OSError as error:
        raise DiscoverError(f"{error.filename}: {error.strerror}") from error
