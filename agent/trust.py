"""`sprue trust`: a person looks at what a machine shows and says that it is the right one."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from cryptography import x509

from agent.canary import Canary, worded
from agent.config import Loaded
from agent.ending import MISUSED, CommandError
from agent.machine import direct_opener, nodes_file
from drivers import MachineError
from drivers.certificate import described, fingerprint, out_of_date, printable
from drivers.credentials import Credentials, identity, trusted_certificate
from drivers.knownnodes import KnownNodes
from drivers.modbus import ModbusSettings
from drivers.modbusplace import Port
from drivers.modbustls import Tls
from drivers.modbustls import shown_certificate as shown_by_tls
from drivers.nodes import NodeMap
from drivers.opcua import OpcUaSettings, with_cooling
from drivers.pin import store_pin
from drivers.security import shown_certificate as shown_by_opc_ua
from drivers.session import SessionSettings, open_session
from drivers.settings import MachineSettings

Ask = Callable[[str], bool]


class TrustError(CommandError):
    """Nothing was pinned; the message says why."""


class AskError(TrustError):
    """The command can't be carried out as it was given."""

    status = MISUSED


def trust(
    loaded: Loaded, machine: str, *, yes: bool, ignore_dates: bool, ask: Ask | None = None
) -> None:
    """Show a machine's certificate, its nodes and who it is, and keep them if a person says so.

    Args:
        loaded: The configuration.
        machine: Name of the machine.
        yes: Keep what is shown without a question.
        ignore_dates: Pin a certificate even if it has expired, and do not look at its dates later.
        ask: Puts a question; by default on the terminal.

    Raises:
        AskError: there is no such machine, it has nothing to be trusted, or nobody is there to be
            asked.
        TrustError: the machine can't be reached, or the person said no.
    """
    settings = next((each for each in loaded.connections if each.name == machine), None)
    if settings is None:
        names = ", ".join(each.name for each in loaded.connections)
        raise AskError(f"{loaded.path}: there is no machine {printable(machine)!r}; it has {names}")
    credentials = settings.credentials
    canary = Canary(loaded.pki, machine)
    on_terminal = asked_on(sys.stdout) if sys.stdin.isatty() else None
    confirm = Confirm(yes=yes, ask=ask or on_terminal)
    try:
        if credentials is not None:
            confirm_certificate(settings, credentials, confirm, ignore_dates=ignore_dates)
        nodes = nodes_file(loaded, machine)
        named = isinstance(settings, OpcUaSettings) and nodes.exists()
        if isinstance(settings, OpcUaSettings) and named:
            asyncio.run(_nodes(loaded, settings, nodes, confirm))
        if canary.known():
            asyncio.run(_identity(loaded, settings, canary, confirm))
        elif credentials is None and not named:
            raise AskError(f"{machine} has no certificate, and has not been seen yet")
    except MachineError as error:
        raise TrustError(str(error)) from error
    except OSError as error:
        raise TrustError(f"{error.filename}: {error.strerror}") from error


class Confirm:
    """A person's yes.

    Args:
        yes: It is given already.
        ask: Puts a question; None where nobody is there.
    """

    def __init__(self, *, yes: bool, ask: Ask | None) -> None:
        self._yes = yes
        self._ask = ask

    def __call__(self, question: str) -> None:
        """Go on, or raise.

        Raises:
            AskError: nobody is there to be asked.
            TrustError: the person said no.
        """
        if self._yes:
            return
        if self._ask is None:
            raise AskError("nobody is there to say yes; --yes takes what is shown above")
        if not self._ask(question):
            raise TrustError("nothing was changed")


async def _shown(settings: MachineSettings) -> tuple[str, x509.Certificate]:
    """Where a machine is, and the certificate that it shows."""
    match settings:
        case SessionSettings(security=security) if security is not None:
            return settings.url, await shown_by_opc_ua(security, settings)
        case ModbusSettings(tls=tls, place=Port() as place) if tls is not None:
            within_s = settings.connect_timeout_s
            return str(place), await shown_by_tls(settings.name, tls, place, within_s)
    raise ValueError(f"{settings.name} has no certificate")


def confirm_certificate(
    settings: MachineSettings,
    credentials: Credentials,
    confirm: Confirm,
    *,
    ignore_dates: bool,
    out: TextIO | None = None,
) -> None:
    """Show a machine's certificate, and pin it if a person says that it is the right one.

    Args:
        settings: The machine.
        credentials: What its connection rests on.
        confirm: The person's yes.
        ignore_dates: Pin one that has expired, too.
        out: Where it is shown; None: standard output.

    Raises:
        TrustError: the person said no, or a configured certificate is another one.
        MachineError: nobody answers.
    """
    machine = settings.name
    if isinstance(credentials, Tls) and credentials.ca is not None:
        print(
            f"{machine}'s certificate is not pinned: the authority of tls.ca vouches for it.",
            file=out,
        )
        return
    before = trusted_certificate(machine, credentials)
    place, found = asyncio.run(_shown(settings))
    print(f"{machine} at {place} shows this certificate:", file=out)
    for heading, words in described(found):
        print(f"  {heading:<16} {words}", file=out)
    late = out_of_date(found)
    same = before is not None and before.certificate == found
    if before is not None and same and (before.ignore_dates or not (late or ignore_dates)):
        print(f"It is {before.source} already.", file=out)
        return
    if credentials.server_certificate is not None:
        if same:
            how = f"`ignore_dates = true` in its '{credentials.KEY}' makes that no matter"
            raise TrustError(f"{machine}: it {late or 'is the configured one'}; {how}")
        what = "another certificate is configured; the key server_certificate is for you to change"
        raise TrustError(f"{machine}: {what}")
    if before is not None and not same:
        print(f"Pinned until now: {fingerprint(before.certificate)}", file=out)
    if late and not ignore_dates:
        how = "--ignore-dates pins it all the same"
        raise TrustError(f"{machine}: its certificate {late}; {how}")
    confirm("Does the machine's own screen show the same?")
    file = store_pin(credentials.pki, machine, found, ignore_dates=ignore_dates)
    print(f"Pinned in {file}.", file=out)
    ours = identity(machine, credentials)
    file = credentials.certificate or ours.file.with_suffix(".der")
    print(f"The machine must trust ours too: {file}", file=out)
    print(f"  {'SHA-256':<16} {fingerprint(ours.certificate)}", file=out)


async def _nodes(loaded: Loaded, settings: OpcUaSettings, file: Path, confirm: Confirm) -> None:
    """Have a person look at nodes whose names have changed, and forget the old ones."""
    found = loaded.maps[settings.name]
    assert isinstance(found, NodeMap)
    known = KnownNodes(settings.name, file)
    known.load()
    mapped = (*with_cooling(settings, found).nodes, *(found.curves.nodes if found.curves else ()))
    async with open_session(settings) as session:
        await known.find(session, [node.address for node in mapped])
    if not known.faults:
        print(f"Its {len(known)} nodes are called as before.")
        return
    print("Nodes of the map that are called otherwise than before:")
    for address, fault in known.faults.items():
        print(f"  {address}: {fault.partition(';')[0]}")
    confirm("Do they show what the map says all the same?")
    file.unlink(missing_ok=True)
    print("What they are called is learned anew on the next connection.")


async def _identity(
    loaded: Loaded, settings: MachineSettings, canary: Canary, confirm: Confirm
) -> None:
    async with direct_opener(settings, loaded)() as press:
        shown = press.identity
    print(f"{settings.name} is {worded(shown)}.")
    if worded(shown) == worded(canary.known()):
        print("It is the machine that was there before.")
        return
    print(f"Before, it was {worded(canary.known())}.")
    confirm("Is this the machine that belongs here now?")
    canary.keep(shown)
    print("From now on, it is this one.")


def asked_on(out: TextIO) -> Ask:
    """Puts questions on a terminal."""

    def ask(question: str) -> bool:
        print(f"{question} [y/N] ", end="", file=out, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask
