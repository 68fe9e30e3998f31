"""`sprue simulate` and `sprue fault`: simulated presses alone, and their faults."""

import argparse
import asyncio
import logging
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.arguments import factor, host_and_port, positive, tcp_port
from agent.console import complain, print_table
from agent.ending import DONE, FAILED, MISUSED
from agent.stopping import log_to_stderr, until_stopped
from simulators.actions import ACTIONS
from simulators.control import PORT as CONTROL_PORT
from simulators.control import send as send_order
from simulators.faults import FaultError
from simulators.menu import MENU
from simulators.orders import parsed

if TYPE_CHECKING:  # a fleet comes with its protocols' libraries, which a fault needs not
    from simulators.fleet import Fleet


def add_simulate(one: argparse.ArgumentParser) -> None:
    """What follows `sprue simulate`."""
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


def add_fault(one: argparse.ArgumentParser) -> None:
    """What follows `sprue fault`."""
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


def _simulate(args: argparse.Namespace) -> int:
    from simulators.fleet import FleetError, load
    from simulators.printedconfig import print_config

    try:
        fleet = load(args.fleet)
        if args.machines:
            fleet = fleet.first(args.machines)
        if args.print_config:
            print(print_config(fleet, fleet.ports(), certificates=args.certificates), end="")
            return DONE
        log_to_stderr(logging.ERROR)
        return until_stopped(_simulated_plant(fleet, args), FleetError)
    except FleetError as error:
        complain(error)
        return MISUSED
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return FAILED


async def _simulated_plant(fleet: "Fleet", args: argparse.Namespace) -> None:
    from simulators.serve import serve

    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(
            serve(
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
    try:
        print(asyncio.run(send_order(host, port, order)))
    except FaultError as error:
        complain(error)
        return FAILED
    return DONE
