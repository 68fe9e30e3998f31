"""`sprue discover opc.tcp://`: what is on a server, looked at in clear or over a secured link."""

import asyncio
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from pydantic import TypeAdapter, ValidationError

from agent.devices import AnyMachine
from agent.printed import DiscoverError, Found, plain, table_of, toml
from agent.progress import progress_bar
from agent.trust import Ask, AskError, Confirm, asked_on, confirm_certificate
from drivers import MachineError
from drivers.beside import FOLDER, PKI
from drivers.credentials import trusted_certificate
from drivers.nodes import load_map, shipped
from drivers.pin import store_pin
from drivers.secret import Secret
from drivers.security import Security
from drivers.session import Session, SessionSettings, open_session
from drivers.signals import SIGNALS
from drivers.survey import FoundMachine, FoundVariable, Survey, matches, survey, ways

NAMED = 40
"""The most signals or fields that a comment lists."""

COOLING = ("cool", "kuehl", "kühl", "refroid", "raffredd", "enfria")
TIME = ("time", "zeit", "temps", "tempo", "tiempo")
SET_POINT = ("set", "soll", "target")
"""What makers call it, in the languages that were met."""

IN_CLEAR = "no security"
PREFERRED = ("Aes256_Sha256_RsaPss", "Basic256Sha256", "Aes128_Sha256_RsaOaep")
"""Policies that are taken unasked, the best first; the old Basic256 only by its name."""
MODES = ("SignAndEncrypt", "Sign")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How a person wants an OPC UA server to be looked into."""

    url: str
    policy: str | None = None
    """None: the best that the server offers, and in clear where it lets us and nobody logs in."""
    user: str | None = None
    password: Secret | None = None
    pki: Path = Path("pki")
    """Folder of our own key and of what is pinned; made where it is needed."""
    yes: bool = False
    """Pin what the server shows without a question."""
    ignore_dates: bool = False
    ask: Ask | None = None
    """Puts a question; None: on the terminal, if there is one."""

    @property
    def is_secured(self) -> bool:
        """Whether the person asks for more than a look in clear."""
        return self.policy is not None or self.user is not None


def look(visit: Visit) -> Found:
    """Look into a server; what was found, as a configuration.

    Raises:
        AskError: the address can't be one, or nobody is there to confirm a certificate.
        TrustError: the person said no.
        DiscoverError: nobody answers there, or nothing that we can watch.
    """
    try:
        settings = SessionSettings(name=name_at(visit.url), url=visit.url)
    except (ValidationError, ValueError) as error:
        raise AskError(
            f"{visit.url!r} should be like opc.tcp://192.168.1.20:4840 or modbus://192.168.1.20:502"
        ) from error
    if visit.password is not None and visit.user is None:
        raise AskError("--password-env needs a --user")
    try:
        offers = asyncio.run(ways(settings.name, settings.url, settings.timeout_s))
        pinned = None
        if visit.is_secured or IN_CLEAR not in offers:
            settings = _secured(settings, visit, offers)
            pinned = confirmed(settings, visit)
        found = asyncio.run(_look(settings, offers))
    except MachineError as error:
        raise DiscoverError(error.what) from error
    if pinned is not None:
        _pin_all(found, visit.pki, *pinned)
    return found


def _secured(settings: SessionSettings, visit: Visit, offers: Sequence[str]) -> SessionSettings:
    """The settings with what secures the connection.

    Raises:
        DiscoverError: the server does not offer it, or nothing better than the old Basic256.
    """
    wanted = PREFERRED if visit.policy is None else (visit.policy,)
    for policy in wanted:
        for mode in MODES:
            if f"{policy} with {mode}" in offers:
                security = Security.model_validate(
                    {"policy": policy, "mode": mode, "pki": visit.pki.absolute()}
                )
                return settings.model_copy(
                    update={
                        "security": security,
                        "user": visit.user,
                        "password": visit.password,
                    }
                )
    what = f"{visit.url} does not offer {' or '.join(wanted)}; it offers {', '.join(offers)}"
    if visit.policy is None and any(offer.startswith("Basic256 ") for offer in offers):
        what += ". `--security Basic256` takes that old policy all the same"
    raise DiscoverError(what)


def confirmed(settings: SessionSettings, visit: Visit) -> tuple[x509.Certificate, bool]:
    """The server's certificate, which a person has said is the right one, now or before.

    What is shown goes to standard error, since the configuration goes to standard output.

    Raises:
        TrustError: the person said no, or nobody was there to be asked.
        MachineError: nobody answers.
    """
    assert settings.security is not None
    on_terminal = asked_on(sys.stderr) if sys.stdin.isatty() else None
    confirm = Confirm(yes=visit.yes, ask=visit.ask or on_terminal)
    confirm_certificate(
        settings, settings.security, confirm, ignore_dates=visit.ignore_dates, out=sys.stderr
    )
    trusted = trusted_certificate(settings.name, settings.security)
    assert trusted is not None
    return trusted.certificate, trusted.ignore_dates


def _pin_all(found: Found, pki: Path, certificate: x509.Certificate, ignore_dates: bool) -> None:
    """Pin what was confirmed for every machine and device that is printed: it is one server's."""
    context = {FOLDER: Path.cwd(), PKI: pki}
    for table in tomllib.loads(found.config).get("machine", []):
        machine: Any = TypeAdapter(AnyMachine).validate_python(table, context=context)
        for each in (machine, *machine.tcd):
            store_pin(pki, each.name, certificate, ignore_dates=ignore_dates)


async def _look(settings: SessionSettings, offers: tuple[str, ...]) -> Found:
    async with open_session(settings) as session:
        with progress_bar("Browsing", None) as progress:
            found = await survey(session, offers, progress)
        head = _head(settings, found)
        if found.machines:
            return Found(head + "\n".join(_euromap(settings, found)))
        flat = await _shipped(session, settings)
        if flat is not None:
            return Found(head + flat)
    if not found.variables:
        raise DiscoverError(
            f"{settings.url} answers, but shows no machine of OPC 40077 and no variable that can "
            "be read; it may show more to somebody who logs in (--user)"
        )
    return _skeleton(settings, found, head)


def _head(settings: SessionSettings, found: Survey) -> str:
    lines = [f"# {settings.url} offers {', '.join(found.ways)}."]
    if settings.security is None and found.ways != (IN_CLEAR,):
        lines.append("# Rather use one of the secured ways: `--security` looks in by one.")
    if settings.security is not None:
        lines.append(f"# Our key, and what was pinned, are in {settings.security.pki}: [pki].")
    if len(found.machines) != 1:
        for name in found.controllers:
            lines.append(
                f"# {plain(name)} is a temperature control device of OPC 40082-1. Put this"
            )
            lines.append("# below the machine that it stands at:")
            device = {"url": settings.url, "browse_name": name} | _login(settings)
            lines += [f"# {line}" for line in table_of("machine.tcd", device).splitlines()]
    if found.is_cut:
        lines.append("# The server has more nodes than were looked at.")
    return "\n".join(lines) + "\n\n"


def _login(settings: SessionSettings) -> dict[str, Any]:
    """The keys that say how the connection is secured, and who logs in."""
    entries: dict[str, Any] = {}
    if settings.security is not None:
        entries["security"] = {"policy": settings.security.policy, "mode": settings.security.mode}
    if settings.user is not None:
        entries["user"] = settings.user
    if settings.password is not None and settings.password.env is not None:
        entries["password"] = {"env": settings.password.env}
    elif settings.password is not None:
        entries["password"] = {"file": str(settings.password.file)}
    return entries


def _euromap(settings: SessionSettings, found: Survey) -> list[str]:
    serials = [each.identity.get("serial", "") for each in found.machines]
    taken: set[str] = set()
    tables = []
    for each, serial in zip(found.machines, serials, strict=True):
        entries: dict[str, Any] = {"name": _different(serial or each.browse_name, taken)}
        entries |= {"driver": "euromap77", "url": settings.url} | _login(settings)
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
            entries = _entries(settings, name)
            lacking = [node.signal for node in nodes.nodes if node.signal not in there]
            lines = [f"# The shipped map {name} fits; it finds {', '.join(there)}."]
            if lacking:
                lines.append(f"# It does not find {', '.join(lacking)}.")
            return "\n".join(lines) + "\n" + table_of("machine", entries)
    return None


def _entries(settings: SessionSettings, map_: str) -> dict[str, Any]:
    entries: dict[str, Any] = {"name": settings.name, "driver": "opcua", "url": settings.url}
    return entries | _login(settings) | {"map": map_}


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
    entries = _entries(settings, file)
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


def name_at(url: str) -> str:
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
