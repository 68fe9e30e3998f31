"""`sprue trust`: a person looks at a machine's certificate and says that it is the right one."""

import asyncio
import sys
from collections.abc import Callable

from agent.config import AnyMachine, Loaded
from drivers import MachineError
from drivers.certificate import described, fingerprint, out_of_date, printable
from drivers.pin import store_pin
from drivers.security import Security, shown_certificate, trusted_certificate
from drivers.session import SessionSettings


class TrustError(Exception):
    """Nothing was pinned; the message says why."""


class AskError(TrustError):
    """The command can't be carried out as it was given."""


def trust(
    loaded: Loaded,
    machine: str,
    *,
    yes: bool,
    ignore_dates: bool,
    ask: Callable[[str], bool] | None = None,
) -> None:
    """Show a machine's certificate and, if a person says so, pin it.

    Args:
        loaded: The configuration.
        machine: Name of the machine.
        yes: Pin what is shown without a question.
        ignore_dates: Pin it even if it has expired, and do not look at its dates later.
        ask: Puts a question; by default on the terminal.

    Raises:
        AskError: there is no such machine, it is not secured, or nobody is there to be asked.
        TrustError: the machine can't be reached, or the person said no.
    """
    settings, security = _secured(loaded, machine)
    try:
        before = trusted_certificate(machine, security)
        found = asyncio.run(shown_certificate(security, settings))
    except MachineError as error:
        raise TrustError(str(error)) from error
    print(f"{machine} at {settings.url} shows this certificate:")
    for heading, words in described(found):
        print(f"  {heading:<16} {words}")
    late = out_of_date(found)
    same = before is not None and before.certificate == found
    if before is not None and same and (before.ignore_dates or not (late or ignore_dates)):
        print(f"It is {before.source} already.")
        return
    if security.server_certificate is not None:
        if same:
            how = "`ignore_dates = true` in its 'security' makes that no matter"
            raise TrustError(f"{machine}: it {late or 'is the configured one'}; {how}")
        what = "another certificate is configured; the key server_certificate is for you to change"
        raise TrustError(f"{machine}: {what}")
    if before is not None and not same:
        print(f"Pinned until now: {fingerprint(before.certificate)}")
    if late and not ignore_dates:
        how = "--ignore-dates pins it all the same"
        raise TrustError(f"{machine}: its certificate {late}; {how}")
    ask = ask or (_on_terminal if sys.stdin.isatty() else None)
    if not yes and ask is None:
        raise AskError("nobody is there to say yes; --yes pins what is shown above")
    if not yes and ask is not None and not ask("Does the machine's own screen show the same?"):
        raise TrustError("not pinned")
    try:
        file = store_pin(security.pki, machine, found, ignore_dates=ignore_dates)
    except OSError as error:
        raise TrustError(f"{error.filename}: {error.strerror}") from error
    print(f"Pinned in {file}.")


def _secured(loaded: Loaded, machine: str) -> tuple[SessionSettings, Security]:
    settings = next((each for each in loaded.config.machine if each.name == machine), None)
    if settings is None:
        names = ", ".join(each.name for each in loaded.config.machine)
        raise AskError(f"{loaded.path}: there is no machine {printable(machine)!r}; it has {names}")
    if not isinstance(settings, SessionSettings) or settings.security is None:
        raise AskError(f"{machine} has no certificate: {_why_none(settings)}")
    return settings, settings.security


def _why_none(settings: AnyMachine) -> str:
    if isinstance(settings, SessionSettings):
        return "it has no 'security' in the configuration"
    return f"driver {settings.driver!r} knows none"


def _on_terminal(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
