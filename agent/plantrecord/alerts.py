"""Alerts on molds' lives over all agents: found where all of them are counted."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from agent import schema
from agent.anomalyrows import RAISED, anomaly_of, anomaly_row
from agent.audit import change
from agent.molds.moldlife import MoldLife
from agent.molds.shelf import read_shelf
from agent.plantrecord.tables import changes


def judge_lives(url: str, now: datetime) -> int:
    """Raise and close what is due; whoever does it, and however many do.

    Args:
        url: Of the plant record.
        now: Our clock.

    Returns:
        How many alerts were raised or closed.

    Raises:
        RecordError: it can't be read or written.
    """
    anomaly, machine, mold = schema.anomaly, schema.machine, schema.mold
    open_ = (
        select(anomaly, machine.c.name.label("machine"), mold.c.name.label("mold"))
        .select_from(anomaly.outerjoin(machine).outerjoin(mold))
        .where(anomaly.c.kind == "mold_life", anomaly.c.closed_ns.is_(None))
    )
    with change(url) as connection:
        held = [anomaly_of(row) for row in connection.execute(open_).mappings()]
        found = MoldLife(read_shelf(connection), held).tick(now)
        molds = {row.name: row.id for row in connection.execute(select(mold.c.name, mold.c.id))}
        places = {row.name: row.id for row in connection.execute(select(machine))}
        for each in found:
            row = anomaly_row(each) | {
                "machine_id": places.get(each.machine or ""),
                "mold_id": molds.get(each.mold or ""),
                "changed": changes.next_value(),
            }
            statement = insert(anomaly).values(**row)
            new = {
                name: statement.excluded[name] for name in row if name not in (*RAISED, "key")
            } | {"changed": changes.next_value()}
            connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=new))
    return len(found)
