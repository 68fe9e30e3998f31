"""What the plant record is told of: more than other sinks, and with what rows refer to.

Order matters: rows that others refer to come first.
"""

from typing import Any

from sqlalchemy import Column, FromClause, Select, Table, select

from agent import schema
from agent.forward.topics import CURVES, Topic
from agent.schema import (
    adjustment,
    anomaly,
    anomaly_action,
    audit,
    blind,
    context,
    cycle,
    golden,
    machine,
    mold,
    mold_revision,
    mount,
    mount_entry,
    mute,
    notice,
    provenance,
    run,
    segment,
    service,
    sheet_limit,
    unmute,
)

ELSEWHERE = "plant record"
"""Origin of what an agent was told by the plant record, and does not tell it again."""

AUDIT = tuple(column for column in audit.c if column is not audit.c.id)


def _query(table: Table, *more: Column[Any]) -> Select[Any]:
    """A table's rows with the names, and the audit row, that they refer to."""
    columns: list[Any] = [table, *more]
    joined: FromClause = table
    if "machine_id" in table.c:
        columns.append(machine.c.name.label("machine"))
        joined = joined.outerjoin(machine, machine.c.id == table.c.machine_id)
    if "mold_id" in table.c:
        columns.append(mold.c.name.label("mold"))
        joined = joined.outerjoin(mold, mold.c.id == table.c.mold_id)
    if "audit_id" in table.c:
        columns += [column.label(f"audit_{column.name}") for column in AUDIT]
        joined = joined.outerjoin(audit, audit.c.id == table.c.audit_id)
    return select(*columns).select_from(joined)


def _added(name: str, table: Table, at: Column[int]) -> Topic:
    """Rows that are only ever added."""
    return Topic(name=name, order=table.c.id, key=table.c.id, at=at, query=_query(table))


_AUDIT = (
    select(audit, *(column.label(f"mold_{column.name}") for column in mold.c))
    .select_from(audit.outerjoin(mold, (audit.c.kind == "mold") & (mold.c.name == audit.c.subject)))
)  # fmt: skip

_CYCLES = _query(cycle).add_columns(provenance.c.body.label("provenance"))
_CYCLES = _CYCLES.join(provenance, provenance.c.id == cycle.c.provenance_id)

_ACTIONS = _query(anomaly_action).add_columns(anomaly.c.key.label("anomaly"), anomaly.c.kind)
_ACTIONS = _ACTIONS.join(anomaly, anomaly.c.id == anomaly_action.c.anomaly_id)

_CURVES = select(
    cycle.c.id, cycle.c.segment, cycle.c.counter, cycle.c.time_ns, cycle.c.revision,
    machine.c.name.label("machine"), mold.c.name.label("mold"),
).select_from(cycle.join(machine).outerjoin(mold))  # fmt: skip

_UNMUTES = select(
    unmute, *(column.label(f"audit_{column.name}") for column in AUDIT)
).select_from(unmute.join(audit, audit.c.id == unmute.c.audit_id))  # fmt: skip

PLANT_TOPICS = (
    Topic(name="audit", order=audit.c.id, key=audit.c.id, at=audit.c.at_ns, query=_AUDIT),
    _added("revisions", mold_revision, mold_revision.c.since_ns),
    _added("segments", segment, segment.c.opened_ns),
    _added("mounts", mount, mount.c.since_ns),
    _added("entries", mount_entry, mount_entry.c.since_ns),
    Topic(name="cycles", order=cycle.c.id, key=cycle.c.id, at=cycle.c.received_ns, query=_CYCLES),
    Topic(name="ledger", order=run.c.changed, key=run.c.id, at=run.c.until_ns, query=_query(run)),
    _added("adjustments", adjustment, adjustment.c.at_ns),
    _added("notices", notice, notice.c.received_ns),
    Topic(name="blinds", order=blind.c.changed, key=blind.c.id, at=blind.c.since_ns,
          query=_query(blind)),
    Topic(name="anomalies", order=anomaly.c.changed, key=anomaly.c.id, at=anomaly.c.time_ns,
          query=_query(anomaly)),
    Topic(name="actions", order=anomaly_action.c.id, key=anomaly_action.c.id,
          at=anomaly_action.c.at_ns, query=_ACTIONS),
    _added("services", service, service.c.at_ns),
    _added("mutes", mute, mute.c.since_ns),
    Topic(name="unmutes", order=unmute.c.audit_id, key=unmute.c.mute_id, at=unmute.c.at_ns,
          query=_UNMUTES),
    _added("limits", sheet_limit, sheet_limit.c.since_ns),
    _added("goldens", golden, golden.c.at_ns),
    _added("contexts", context, context.c.at_ns),
    Topic(name=CURVES, order=cycle.c.id, key=cycle.c.id, at=cycle.c.received_ns, query=_CURVES),
)  # fmt: skip

TABLES: dict[str, Table] = {
    "adjustments": schema.adjustment,
    "notices": schema.notice,
    "actions": schema.anomaly_action,
    "entries": schema.mount_entry,
    "services": schema.service,
    "mutes": schema.mute,
    "limits": schema.sheet_limit,
    "goldens": schema.golden,
    "contexts": schema.context,
}
"""Topics of rows without a key of their own."""
