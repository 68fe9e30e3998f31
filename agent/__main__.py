"""The command line, and the one place that puts agent, pages and simulators together."""

import argparse
import asyncio
import contextlib
import logging
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent import (
    anomalycommands,
    backupcommands,
    checking,
    demo,
    listing,
    usercommands,
    watchcommands,
)
from agent.anomaly import AnomalyError
from agent.arguments import (
    ArgumentsError,
    add_filter,
    add_format,
    add_record,
    address_range,
    expectation,
    factor,
    filter_of,
    host_and_port,
    positive,
    record_of,
    tcp_port,
    unit_id,
    whole,
    zone,
)
from agent.backup import BackupError
from agent.certificates import expiring
from agent.config import ConfigError, Loaded, load
from agent.console import Format, complain, print_json, print_table
from agent.discover import discover
from agent.discoveropcua import Visit
from agent.export import ExportError
from agent.export import commands as exportcommands
from agent.files import RecordError, main_path, trouble_of
from agent.forward import commands as outbox
from agent.forward import reach
from agent.history import open_history
from agent.live import Plant
from agent.molds import commands as moldcommands
from agent.molds.desk import MoldError
from agent.printed import DiscoverError
from agent.progress import progress_bar
from agent.recording import RecordingError
from agent.replay import Printer, Replay, print_sums, replay_file, replay_record
from agent.run import now, run
from agent.trust import AskError, TrustError, trust
from agent.users.error import UserError
from agent.verifycommands import add_verify
from agent.watchwords import WatchError
from dashboards.server import ServeError, serve
from drivers.secret import Secret
from drivers.security import POLICIES
from simulators.actions import ACTIONS
from simulators.control import PORT as CONTROL_PORT
from simulators.control import send as send_order
from simulators.faults import FaultError
from simulators.fleet import Fleet, FleetError
from simulators.fleet import load as load_fleet
from simulators.menu import MENU
from simulators.orders import parsed
from simulators.printedconfig import print_config
from simulators.serve import serve as simulate

DONE, FAILED, MISUSED = 0, 1, 2

LISTING = ("anomalies", "molds", "outbox", "tokens", "users", "watch")
"""Commands with actions, of which `list` is the one that needs not be said."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0 done, 1 failed, 2 misused."""
    args = parser().parse_args(with_action(sys.argv[1:] if argv is None else argv))
    try:
        status: int = args.command(args)
    except (ConfigError, FleetError, AskError, RecordingError, ArgumentsError) as error:
        complain(error)
        return MISUSED
    except (
        RecordError, AnomalyError, ExportError, DiscoverError, demo.DemoError, ServeError,
        FaultError, TrustError, BackupError, WatchError, MoldError, UserError,
    ) as error:  # fmt: skip
        complain(error)
        return FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def with_action(argv: Sequence[str]) -> list[str]:
    """The words of a command line; a command that lists where nobody says otherwise lists.

    >>> with_action(["anomalies", "--limit", "5"])
    ['anomalies', 'list', '--limit', '5']
    """
    words = list(argv)
    if words[:1] and words[0] in LISTING:
        option = len(words) == 1 or words[1].startswith("-")
        if option and words[1:2] not in (["-h"], ["--help"]):
            words.insert(1, "list")
    return words


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="sprue", description="Watches injection molding: one record per shot."
    )
    top.add_argument("--version", action="version", version=f"sprue {version('sprue')}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_running(commands)
    _add_simulate(commands)
    _add_reading(commands)
    return top


def _add_running(commands: Any) -> None:
    one = commands.add_parser("demo", help="a simulated plant, the agent and its pages")
    one.add_argument("--machines", type=positive, default=12, metavar="N")
    one.add_argument("--speed", type=factor, default=1.0, metavar="X")
    one.add_argument("--seed", type=int, default=0, metavar="N")
    one.add_argument("--for", dest="seconds", type=factor, metavar="SECONDS")
    one.add_argument("--record", metavar="URL", help="default: in a temporary folder")
    one.add_argument("--listen", default="127.0.0.1:8420", metavar="HOST:PORT")
    one.set_defaults(command=_demo)

    one = commands.add_parser("run", help="the agent")
    one.add_argument("config", type=Path, metavar="CONFIG")
    one.set_defaults(command=_run)

    one = commands.add_parser("check", help="is the configuration right?")
    one.add_argument("config", type=Path, metavar="CONFIG")
    one.add_argument(
        "--connect",
        action="store_true",
        help="read every machine once, and ask every sink; nothing is stored",
    )
    add_format(one)
    one.set_defaults(command=_check)

    one = commands.add_parser("discover", help="what is at an address; prints a configuration")
    one.add_argument(
        "url",
        metavar="URL",
        help="opc.tcp://HOST:PORT, modbus://HOST:PORT, modbus+rtu://HOST:PORT or "
        "modbus+serial:DEVICE",
    )
    one.add_argument(
        "--expect", type=expectation, action="append", default=[], metavar="SIGNAL=NUMBER",
        help="Modbus: where does this number of the machine's screen stand? may be repeated",
    )  # fmt: skip
    one.add_argument(
        "--unit", type=unit_id, action="append", metavar="N", help="Modbus: ask this unit only"
    )
    one.add_argument(
        "--registers", type=address_range, metavar="FIRST-LAST", help="Modbus: look in these only"
    )
    one.add_argument("--out", type=Path, metavar="DIR", help="write files instead of printing")
    one.add_argument(
        "--security", choices=[*POLICIES], metavar="POLICY",
        help="OPC UA: secured by this policy; default: the best that the server offers, where it "
        "lets nobody in unsecured",
    )  # fmt: skip
    one.add_argument("--user", metavar="NAME", help="OPC UA: log in as this user, secured")
    one.add_argument(
        "--password-env", metavar="VARIABLE", help="the environment variable with the password"
    )
    one.add_argument(
        "--pki", type=Path, metavar="DIR",
        help="folder of our key and of what is pinned; default: pki, beside the configuration",
    )  # fmt: skip
    one.add_argument("--yes", action="store_true", help="pin what is shown without a question")
    one.add_argument(
        "--ignore-dates", action="store_true", help="whether it has expired does not matter"
    )
    one.set_defaults(command=_discover)

    one = commands.add_parser("trust", help="show a machine's certificate, and pin it")
    one.add_argument("machine", metavar="MACHINE")
    one.add_argument("--config", type=Path, default=Path("sprue.toml"), metavar="FILE")
    one.add_argument("--yes", action="store_true", help="pin what is shown without a question")
    one.add_argument(
        "--ignore-dates", action="store_true", help="whether it has expired does not matter"
    )
    one.set_defaults(command=_trust)


def _add_simulate(commands: Any) -> None:
    one = commands.add_parser("simulate", help="simulated presses alone")
    one.add_argument("fleet", metavar="FLEET", help="a fleet file, or a shipped fleet's name")
    one.add_argument("--truth", type=Path, metavar="FILE", help="log of what really happened")
    one.add_argument("--speed", type=factor, default=1.0, metavar="X")
    one.add_argument("--seed", type=int, default=0, metavar="N")
    one.add_argument("--machines", type=positive, metavar="N", help="that many of its presses")
    one.add_argument("--free-ports", action="store_true", help="any ports that are free")
    one.add_argument("--config-out", type=Path, metavar="FILE", help="write a fitting sprue.toml")
    one.add_argument("--print-config", action="store_true", help="print it and end")
    one.add_argument("--state", type=Path, metavar="FILE", help="counters outlive a restart")
    one.add_argument(
        "--nodesets",
        type=Path,
        metavar="DIR",
        help="official NodeSet files for the Euromap 77 side",
    )
    one.add_argument(
        "--certificates",
        type=Path,
        metavar="DIR",
        help="keys and certificates of secured presses; default: made anew in a temporary folder",
    )
    one.add_argument(
        "--control",
        type=tcp_port,
        metavar="PORT",
        help=f"takes orders of `sprue fault`; default {CONTROL_PORT}, 0 for any free one",
    )
    one.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)
    one.set_defaults(command=_simulate)

    one = commands.add_parser("fault", help="break a press of a running simulator, or mend it")
    one.add_argument(
        "press", nargs="?", metavar="PRESS", help="a name, several with commas, or '*'"
    )
    one.add_argument("order", nargs="*", metavar="FAULT", help="a fault or action, then KEY=VALUE")
    one.add_argument("--for", dest="seconds", type=factor, metavar="SECONDS", help="then off again")
    one.add_argument("--off", action="store_true", help="switch it off")
    one.add_argument("--list", action="store_true", help="print the menu and end")
    one.add_argument(
        "--at",
        type=host_and_port,
        default=("127.0.0.1", CONTROL_PORT),
        metavar="HOST:PORT",
        help=f"where the simulator takes orders; default 127.0.0.1:{CONTROL_PORT}",
    )
    one.set_defaults(command=_fault)


def _add_reading(commands: Any) -> None:
    one = commands.add_parser("status", help="machines, links, blind intervals, what was lost")
    add_record(one)
    add_format(one)
    one.set_defaults(command=_status)

    one = commands.add_parser("cycles", help="the newest cycles")
    one.add_argument("--limit", type=whole, default=20, metavar="N", help="0 for all")
    add_filter(one)
    add_record(one)
    add_format(one)
    one.set_defaults(command=_cycles)

    anomalycommands.add(commands)
    watchcommands.add(commands)
    outbox.add(commands)
    backupcommands.add(commands)
    add_verify(commands)
    usercommands.add(commands)

    moldcommands.add(commands)

    one = commands.add_parser("replay", help="past cycles through assembly, ledger and watch")
    one.add_argument(
        "file", metavar="FILE", help="CSV or JSON lines, an export say; or a record's URL"
    )
    one.add_argument(
        "--ledger", action="store_true", help="what every mold revision took, at the end"
    )
    one.add_argument("--all", action="store_true", help="changes of state of anomalies too")
    one.add_argument("--together", action="store_true", help="look at all signals together too")
    one.add_argument(
        "--fail-on-anomaly", action="store_true", help="exit with 1 where there is any"
    )
    one.add_argument("--machine", metavar="NAME", help="of rows that name none")
    one.add_argument(
        "--zone", type=zone, default=ZoneInfo("UTC"), metavar="NAME",
        help="of times without an offset, such as Europe/Berlin; default UTC",
    )  # fmt: skip
    one.set_defaults(command=_replay)

    exportcommands.add(commands)


def _run(args: argparse.Namespace) -> int:
    _log()
    return _until_stopped(_agent(load(args.config)))


async def _agent(loaded: Loaded) -> None:
    host, port = loaded.config.web.address

    async def pages(plant: Plant) -> None:
        await serve(plant, host, port, _say_where, record=loaded.record_url)

    await run(loaded, pages)


def _say_where(address: str) -> None:
    print(f"Sprue: {address}", flush=True)


def _demo(args: argparse.Namespace) -> int:
    _log(logging.ERROR)
    return _until_stopped(_demo_plant(args))


async def _demo_plant(args: argparse.Namespace) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sprue-demo-", ignore_cleanup_errors=True) as name,
        demo.record_folder(args.record) as record,
    ):
        folder = Path(name)
        async with demo.simulated_plant(args.machines, args.speed, args.seed, folder) as machines:
            loaded = load(demo.write_config(machines, record, args.listen, folder))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(args.seconds):
                    await _agent(loaded)


def _check(args: argparse.Namespace) -> int:
    loaded = load(args.config)
    if not args.connect:
        machines, molds = len(loaded.config.machine), len(loaded.config.mold)
        print(f"{args.config}: right. Machines: {machines}, molds: {molds}.")
        return DONE
    readings = asyncio.run(checking.connect_all(loaded))
    checking.show(readings, json=args.format == "json")
    sinks = asyncio.run(reach.reach_all(loaded.config.forward))
    reach.show(sinks, json=args.format == "json")
    wrong = [each.error for each in readings] + [each.error for each in sinks]
    return FAILED if any(wrong) else DONE


def _discover(args: argparse.Namespace) -> int:
    _log(logging.ERROR)
    pki = args.pki or (args.out or Path()) / "pki"
    visit = Visit(
        url=args.url,
        policy=args.security,
        user=args.user,
        password=Secret(env=args.password_env) if args.password_env else None,
        pki=pki,
        yes=args.yes,
        ignore_dates=args.ignore_dates,
    )
    discover(
        visit,
        args.out,
        units=tuple(args.unit) if args.unit else None,
        registers=args.registers,
        expect=tuple(args.expect),
    )
    return DONE


def _trust(args: argparse.Namespace) -> int:
    trust(load(args.config), args.machine, yes=args.yes, ignore_dates=args.ignore_dates)
    return DONE


def _simulate(args: argparse.Namespace) -> int:
    fleet: Fleet = load_fleet(args.fleet)
    if args.machines:
        fleet = fleet.first(args.machines)
    if args.print_config:
        print(print_config(fleet, fleet.ports(), certificates=args.certificates), end="")
        return DONE
    _log(logging.ERROR)
    try:
        return _until_stopped(_simulated_plant(fleet, args))
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return FAILED


async def _simulated_plant(fleet: Fleet, args: argparse.Namespace) -> None:
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(
            simulate(
                fleet,
                speed=args.speed,
                seed=args.seed,
                truth=args.truth,
                free_ports=args.free_ports,
                config_out=args.config_out,
                state=args.state,
                nodesets=args.nodesets,
                certificates=args.certificates,
                control=_control_port(args),
            )
        )
        if args.until_stdin_closes:  # so that a demo's plant does not outlive the demo
            asyncio.get_running_loop().add_reader(sys.stdin, work.cancel)


def _control_port(args: argparse.Namespace) -> int:
    if args.control is not None:
        return int(args.control)
    return 0 if args.free_ports else CONTROL_PORT


def _fault(args: argparse.Namespace) -> int:
    if args.list:
        rows = [[fault.name, fault.what, ", ".join(fault.parameters)] for fault in MENU.values()]
        rows += [
            [name, action.what, ", ".join((*action.needs, *action.takes))]
            for name, action in ACTIONS.items()
        ]
        print_table(["fault or action", "what happens", "parameters"], rows)
        return DONE
    if args.press is None or not args.order:
        complain("say which press and which fault, as in `sprue fault IMM-03 black_hole --for 30`")
        return MISUSED
    words = [args.press, *(["off"] if args.off else []), *args.order]
    words += [f"for={args.seconds}"] if args.seconds else []
    try:
        order = shlex.join(words)
        parsed(order)  # what no simulator would understand needs none to say so
    except FaultError as error:
        complain(error)
        return MISUSED
    host, port = args.at
    print(asyncio.run(send_order(host, port, order)))
    return DONE


def _status(args: argparse.Namespace) -> int:
    loaded = None if args.record else load(args.config)
    with open_history(loaded.record_url if loaded else args.record) as history:
        ends = expiring(loaded, now()) if loaded else {}
        listing.status(history, now(), form=args.format, expiring=ends)
    print_trouble(main_path(loaded.record_url if loaded else args.record), args.format)
    outbox.print_status(loaded.record_url if loaded else args.record, now(), args.format)
    return DONE


def print_trouble(path: Path, form: Format) -> None:
    """Why the agent can't write its record now, where it can't."""
    words = trouble_of(path)
    if words and form == "json":
        print_json([{"record": str(path), "trouble": words}])
    elif words:
        print(f"record: {path}: {words}")


def _cycles(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history:
        listing.cycles(history, filter_of(args), limit=args.limit, form=args.format, zone=zone)
    return DONE


def _replay(args: argparse.Namespace) -> int:
    replay, printer = Replay(together=args.together), Printer(every=args.all)
    if args.file.startswith("sqlite:"):
        if args.ledger:
            complain("of a record, 'sprue molds list' says what every mold revision took")
            return MISUSED
        with progress_bar("Replaying", 1000) as progress:
            for anomalies in replay_record(args.file, together=args.together, progress=progress):
                printer.take(anomalies)
        return FAILED if args.fail_on_anomaly and printer.opened else DONE
    with progress_bar("Replaying", 1000) as progress:
        for outcome in replay_file(
            Path(args.file),
            replay,
            zone=args.zone,
            machine=args.machine,
            complain=complain,
            progress=progress,
        ):
            if outcome.anomalies and not args.ledger:
                printer.take(outcome.anomalies)
    if args.ledger:
        print_sums(replay.sums)
    return FAILED if args.fail_on_anomaly and printer.opened else DONE


def _log(level: int = logging.INFO) -> None:
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for noisy in ("asyncua", "pymodbus", "uvicorn", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _until_stopped(work: Coroutine[Any, Any, None]) -> int:
    """Run until it ends, or until SIGINT or SIGTERM; both are an ordinary end.

    Raises:
        RecordError, ServeError, FleetError, DemoError, ConfigError, OSError: what ended it.
    """
    try:
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(_stoppable(work))
    except BaseExceptionGroup as group:
        # What else is in the group came of the end: links that were cut while they opened.
        for kinds in ((RecordError, ServeError, FleetError, demo.DemoError, ConfigError), OSError):
            if (known := group.subgroup(kinds)) is not None:
                raise _first(known) from None
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


if __name__ == "__main__":
    sys.exit(main())
