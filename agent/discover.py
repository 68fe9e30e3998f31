"""`sprue discover`: what is at an address, and the configuration that watches it."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from agent.discovermodbus import MODBUS, UNITS, Ask, address_of, probe
from agent.printed import Found, plain, table_of, toml
from agent.progress import progress_bar
from agent.trust import AskError
from drivers import MachineError
from drivers.expectation import Expected
from drivers.nodes import load_map, shipped
from drivers.session import Session, SessionSettings, open_session
from drivers.signals import SIGNALS
from drivers.survey import FoundMachine, FoundVariable, Survey, matches, survey, ways

NAMED = 40
"""The most signals or fields that a comment lists."""

COOLING = ("cool", "kuehl", "kühl", "refroid", "raffredd", "enfria")
TIME = ("time", "zeit", "temps", "tempo", "tiempo")
SET_POINT = ("set", "soll", "target")
"""What makers call it, in the languages that were met."""


class DiscoverError(Exception):
    """Nothing was found out; the message says why."""


def discover(
    url: str,
    out: Path | None,
    *,
    units: tuple[int, ...] | None = None,
    registers: tuple[int, int] | None = None,
    expect: tuple[Expected, ...] = (),
) -> None:
    """Find out what is at an address, and print a configuration for it or write it to a folder.

    Args:
        url: `opc.tcp://` or `modbus://`.
        out: The folder; None to print.
        units: Modbus: which units to ask; None for the usual ones.
        registers: Modbus: first and last address; None for where makers usually begin.
        expect: Modbus: numbers that a person sees on the machine's screen.

    Raises:
        AskError: the address can't be one, or a word does not go with it.
        DiscoverError: nobody answers there, or nothing that we can watch; or a file is there.
    """
    if url.startswith("modbus:"):
        try:
            host, port = address_of(url)
        except ValueError as error:
            raise AskError(f"{url!r} {MODBUS}") from error
        ask = Ask(host=host, port=port, units=units or UNITS, registers=registers, expect=expect)
        try:
            show(asyncio.run(probe(ask)), out)
        except MachineError as error:
            raise DiscoverError(str(error)) from error
        return
    if units or registers or expect:
        raise AskError("--unit, --registers and --expect are for modbus:// addresses")
    try:
        settings = SessionSettings(name=_name_at(url), url=url)
    except (ValidationError, ValueError) as error:
        raise AskError(
            f"{url!r} should be like opc.tcp://192.168.1.20:4840 or modbus://192.168.1.20:502"
        ) from error
    try:
        found = asyncio.run(_opcua(settings))
    except MachineError as error:
        raise DiscoverError(error.what) from error
    show(found, out)


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


async def _opcua(settings: SessionSettings) -> Found:
    offers = await ways(settings.name, settings.url, settings.timeout_s)
    if "no security" not in offers:
        raise DiscoverError(
            f"{settings.url} lets nobody look around unsecured; it offers {', '.join(offers)}. "
            "Write its [[machine]] with 'security', pin its certificate with `sprue trust`, "
            "and look with `sprue check --connect`"
        )
    async with open_session(settings) as session:
        with progress_bar("Browsing", None) as progress:
            found = await survey(session, offers, progress)
        head = _head(settings.url, found)
        if found.machines:
            return Found(head + "\n".join(_euromap(settings.url, found)))
        flat = await _shipped(session, settings)
        if flat is not None:
            return Found(head + flat)
    if not found.variables:
        raise DiscoverError(
            f"{settings.url} answers, but shows no machine of OPC 40077 and no variable that can "
            "be read; it may show more to somebody who logs in"
        )
    return _skeleton(settings, found, head)


def _head(url: str, found: Survey) -> str:
    lines = [f"# {url} offers {', '.join(found.ways)}."]
    if found.ways != ("no security",):
        lines.append("# Rather use one of the secured ways: `security` in docs/reference/opcua.md.")
    if len(found.machines) != 1:
        for name in found.controllers:
            lines.append(
                f"# {plain(name)} is a temperature control device of OPC 40082-1. Put this"
            )
            lines.append("# below the machine that it stands at:")
            device = {"url": url, "browse_name": name}
            lines += [f"# {line}" for line in table_of("machine.tcd", device).splitlines()]
    if found.is_cut:
        lines.append("# The server has more nodes than were looked at.")
    return "\n".join(lines) + "\n\n"


def _euromap(url: str, found: Survey) -> list[str]:
    serials = [each.identity.get("serial", "") for each in found.machines]
    taken: set[str] = set()
    tables = []
    for each, serial in zip(found.machines, serials, strict=True):
        entries: dict[str, Any] = {"name": _different(serial or each.browse_name, taken)}
        entries |= {"driver": "euromap77", "url": url}
        if len(found.machines) > 1:
            if serial and serials.count(serial) == 1:
                entries["serial"] = serial
            else:
                entries["browse_name"] = each.browse_name
        said = ", ".join(f"{key} {plain(word)}" for key, word in each.identity.items())
        table = f"# {plain(each.browse_name)}: {said or 'says nothing of itself'}.\n"
        tables.append(table + table_of("machine", entries) + _cooling(each))
    if len(found.machines) == 1:
        tables += [*_water(found.controllers)]
    return tables


def _water(controllers: tuple[str, ...]) -> Iterator[str]:
    """The devices on a server with one machine, which are at that machine."""
    for zone, name in enumerate(controllers, 1):
        entries: dict[str, Any] = {"zone": zone} if len(controllers) > 1 else {}
        if len(controllers) > 1:
            entries["browse_name"] = name
        said = f"# {plain(name)}: a temperature control device (OPC 40082-1) on the same server.\n"
        yield said + table_of("machine.tcd", entries)


def _cooling(machine: FoundMachine) -> str:
    """The line that says where the cooling time comes from, and what else there is."""
    likely = [name for name in machine.fields if _has(name, COOLING)]
    sure = [name for name in likely if _has(name, TIME) and not _has(name, SET_POINT)]
    lines = []
    if len(sure) == 1:
        lines.append("# The one field of the maker's that is called so; compare with the screen.")
        lines.append(f"cooling = {toml({'event_field': sure[0]})}")
    elif likely:
        lines.append("# One of these may be the cooling time; compare with the screen.")
        lines += [f"# cooling = {toml({'event_field': name})}" for name in sure or likely]
    else:
        lines.append("# None of the maker's fields is called cooling; see `cooling` in the manual.")
    if machine.fields:
        names = ", ".join(map(plain, machine.fields[:NAMED]))
        lines.append(f"# The maker's own fields of a cycle: {names}.")
    return "\n".join(lines) + "\n"


def _has(name: str, words: tuple[str, ...]) -> bool:
    """Whether the last step of a name contains one of some words."""
    last = name.rpartition("/")[2].lower()
    return any(word in last for word in words)


async def _shipped(session: Session, settings: SessionSettings) -> str | None:
    """The table for a server that a shipped map fits; None where none does."""
    for name in shipped():
        nodes = load_map(name, Path())
        there = await matches(session, nodes)
        if "counter" in there:
            entries = {"name": settings.name, "driver": "opcua", "url": settings.url, "map": name}
            lacking = [node.signal for node in nodes.nodes if node.signal not in there]
            lines = [f"# The shipped map {name} fits; it finds {', '.join(there)}."]
            if lacking:
                lines.append(f"# It does not find {', '.join(lacking)}.")
            return "\n".join(lines) + "\n" + table_of("machine", entries)
    return None


def _skeleton(settings: SessionSettings, found: Survey, head: str) -> Found:
    """A map of everything there is, under the names that the server has for it."""
    file = f"{settings.name}.toml"
    tokens = _tokens()
    spaces = [each.namespace for each in found.variables]
    namespace = max(set(spaces), key=spaces.count)
    taken = set(SIGNALS)  # what is what, only a person can say
    parts = [
        "# Everything that can be read, under the server's own names. Give what you want its name\n"
        "# from docs/reference/signals.md, and take out the rest. Last cycle's values want\n"
        "# 'latched = true' and a 'counter'.\n",
        f"name = {toml(settings.name)}\nnamespace = {toml(namespace)}\n",
    ]
    for each in found.variables:
        entries: dict[str, Any] = {"signal": _different(each.name, taken)}
        entries["id"] = each.id if each.namespace == namespace else _whole_id(each)
        if each.unit:
            entries["unit"] = each.unit
        entries["latched"] = False
        comment = f"# It showed {plain(each.value)[:60]}."
        if (signal := tokens.get(each.id.rpartition(".")[2].removeprefix("s="))) is not None:
            comment += f" By its name it may be {signal}."
        parts.append(f"{comment}\n{table_of('node', entries)}")
    entries = {"name": settings.name, "driver": "opcua", "url": settings.url, "map": file}
    count = len(found.variables)
    note = f"# No shipped map fits. {count} numbers and texts can be read: they are in {file}.\n"
    return Found(head + note + table_of("machine", entries), {file: "\n".join(parts)})


def _tokens() -> Mapping[str, str]:
    """What signal a token is, by the maps that come with Sprue."""
    return {
        node.address.text.removeprefix("s="): node.signal
        for name in shipped()
        for node in load_map(name, Path()).nodes
    }


def _whole_id(variable: FoundVariable) -> str:
    uri = variable.namespace.replace("%", "%25").replace(";", "%3B")
    return f"nsu={uri};{variable.id}"


def _name_at(url: str) -> str:
    """A name for a machine that says none: where it is."""
    parts = urlsplit(url)
    host = (parts.hostname or "").replace(":", "-")
    return f"{host}-{parts.port}" if parts.port else host


def _different(name: str, taken: set[str]) -> str:
    """A name that is not taken yet, and now is."""
    short, number = name[:60], 2
    unique = short
    while unique in taken:
        unique, number = f"{short}-{number}", number + 1
    taken.add(unique)
    return unique
