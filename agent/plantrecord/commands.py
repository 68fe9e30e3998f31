"""`sprue plant ...`: what only a plant record has; and delivery to it without an agent."""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import select

from agent import schema
from agent.arguments import add_author, add_format, add_record, author_of, record_of
from agent.audit import change, note
from agent.console import ago, complain, print_json, print_table
from agent.ending import DONE, FAILED
from agent.files import RecordError, is_plant
from agent.forward.settings import PlantSettings
from agent.forward.standing import Standing, standings
from agent.history import open_history
from agent.plantrecord.address import address_of, telling
from agent.plantrecord.making import bring_up_to_date
from agent.plantrecord.tables import lease, member
from agent.rows import from_ns

LOOK_S = 0.5


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue plant`."""
    actions = one.add_subparsers(required=True, metavar="ACTION")

    each = actions.add_parser("agents", help="who writes there, and since when it was not heard of")
    _add_address(each)
    add_format(each)
    each.set_defaults(command=_agents)

    each = actions.add_parser("machines", help="whose each machine is")
    _add_address(each)
    add_format(each)
    each.set_defaults(command=_machines)

    each = actions.add_parser(
        "release", help="let other agents have a machine whose agent is gone for good"
    )
    each.add_argument("machine", metavar="MACHINE")
    _add_address(each)
    add_author(each)
    each.set_defaults(command=_release)

    each = actions.add_parser("upgrade", help="bring an older one up to date; back it up before")
    _add_address(each)
    each.set_defaults(command=_upgrade)

    each = actions.add_parser(
        "deliver", help="tell it what an agent's record holds, while that agent does not run"
    )
    add_record(each)
    each.add_argument(
        "--to", metavar="URL", help="the plant record; default: the configuration's [[forward]]"
    )
    each.set_defaults(command=_deliver)


def _add_address(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--record", required=True, metavar="URL", help="postgresql://USER@HOST:5432/DATABASE"
    )


def _refuse_others(url: str) -> None:
    if not is_plant(url):
        raise RecordError(f"record: {url} is no plant record (postgresql://USER@HOST/DATABASE)")


def _agents(args: argparse.Namespace) -> int:
    _refuse_others(args.record)
    now = datetime.now(UTC)
    with open_history(args.record) as history, history.connect() as connection:
        rows = connection.execute(select(member).order_by(member.c.name)).mappings().all()
    if args.format == "json":
        print_json(
            {"agent": row["agent"], "name": row["name"], "sprue": row["sprue"],
             "seen_at": from_ns(row["seen_ns"])}
            for row in rows
        )  # fmt: skip
        return DONE
    print_table(
        ["agent", "name", "sprue", "heard of"],
        (
            [row["agent"], row["name"], row["sprue"], f"{ago(from_ns(row['seen_ns']), now)} ago"]
            for row in rows
        ),
    )
    return DONE


def _machines(args: argparse.Namespace) -> int:
    _refuse_others(args.record)
    machine = schema.machine
    query = (
        select(machine.c.name, lease, member.c.name.label("by"))
        .join(lease, lease.c.machine_id == machine.c.id)
        .outerjoin(member, member.c.agent == lease.c.agent)
        .order_by(machine.c.name)
    )
    with open_history(args.record) as history, history.connect() as connection:
        rows = connection.execute(query).mappings().all()
    if args.format == "json":
        print_json(
            {"machine": row["name"], "agent": row["agent"], "name": row["by"],
             "shared": bool(row["shared"]), "term": row["term"],
             "until": from_ns(row["until_ns"]) if row["shared"] else None}
            for row in rows
        )  # fmt: skip
        return DONE
    print_table(
        ["machine", "agent", "name", "shared", "term"],
        (
            [row["name"], row["agent"], row["by"] or "", "yes" if row["shared"] else "no",
             row["term"]]
            for row in rows
        ),
        right=("term",),
    )  # fmt: skip
    return DONE


def _release(args: argparse.Namespace) -> int:
    _refuse_others(args.record)
    author, machine = author_of(args), schema.machine
    with change(args.record) as connection:
        found = connection.execute(
            select(lease, machine.c.name)
            .join(machine, machine.c.id == lease.c.machine_id)
            .where(machine.c.name == args.machine)
        ).first()
        if found is None:
            complain(f"no agent has told anything of a machine {args.machine}")
            return FAILED
        connection.execute(
            lease.update()
            .where(lease.c.machine_id == found.machine_id)
            .values(shared=1, until_ns=0)
        )
        old = {"agent": found.agent, "shared": bool(found.shared)}
        note(connection, author, "release", "machine", args.machine, old=old)
    print(f"{args.machine}: the next agent that shares it has it")
    return DONE


def _upgrade(args: argparse.Namespace) -> int:
    _refuse_others(args.record)
    address = address_of(args.record)
    engine = address.engine()
    try:
        with telling(address), engine.connect() as connection:
            before = bring_up_to_date(connection, address)
    finally:
        engine.dispose()
    if before is None:
        print(f"{address.place} is up to date")
    else:
        print(f"{address.place} had schema {before}, and is up to date now")
    return DONE


def _deliver(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    machines: Mapping[str, bool] = {}
    if args.to:
        sinks = [PlantSettings.model_validate({"kind": "postgresql", "url": args.to})]
    elif args.record:
        complain("say where to: --to postgresql://USER@HOST/DATABASE")
        return FAILED
    else:
        from agent.config import load

        loaded = load(args.config)
        sinks = [each for each in loaded.config.forward if isinstance(each, PlantSettings)]
        machines = loaded.shared
        if not sinks:
            complain(f'{args.config}: no [[forward]] of kind "postgresql"')
            return FAILED
    asyncio.run(_delivered(url, sinks, machines))
    return DONE


async def _delivered(
    url: str, sinks: Sequence[PlantSettings], machines: Mapping[str, bool]
) -> None:
    """Forward until every sink has all."""
    from agent.files import main_path
    from agent.forward.forwarding import forward
    from agent.record import open_record

    path = main_path(url)
    if not path.is_file():
        raise RecordError(f"record: there is no {path}")
    async with open_record(url) as record:
        work = asyncio.create_task(
            forward(sinks, record, path, lambda: datetime.now(UTC), machines)
        )
        told = ""
        try:
            while not work.done():
                await asyncio.sleep(LOOK_S)
                found = await asyncio.to_thread(_standings, url, [each.name for each in sinks])
                if found is not None and not any(each.waiting for each in found):
                    break
                for each in found or ():
                    if each.trouble and each.trouble != told:
                        told = each.trouble
                        complain(f"{each.place}: {told}; tried again until you stop it")
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
    for sink in sinks:
        print(f"{sink.place} has all of {path}")


def _standings(url: str, names: Sequence[str]) -> list[Standing] | None:
    """How the sinks do; None while one is not known to the record yet."""
    with open_history(url) as history, history.connect() as connection:
        begun = set(connection.execute(select(schema.lane.c.sink).distinct()).scalars())
    if not begun.issuperset(names):
        return None
    return [each for each in standings(url) if each.name in names]
