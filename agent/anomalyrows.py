"""Anomalies turned into rows of the record and back."""

import json
from collections.abc import Mapping
from typing import Any

from agent.anomaly import Anomaly
from agent.rows import compact, from_ns, to_ns
from drivers import Value

RAISED = ("time_ns", "segment", "counter")
"""Said when it was raised, and not changed by what comes after."""


def anomaly_row(anomaly: Anomaly) -> dict[str, Any]:
    """Its columns; ids of machine and mold are the writer's to add."""
    return {
        "key": anomaly.id,
        "revision": anomaly.revision,
        "segment": anomaly.segment,
        "counter": anomaly.counter,
        "since_counter": anomaly.since_counter,
        "until_counter": anomaly.until_counter,
        "time_ns": to_ns(anomaly.time),
        "closed_ns": to_ns(anomaly.closed_at) if anomaly.closed_at else None,
        "kind": anomaly.kind,
        "cause": anomaly.cause,
        "signal": anomaly.signal,
        "value": _json(anomaly.value),
        "expected": _json(anomaly.expected),
        "limit": anomaly.limit,
        "severity": anomaly.severity,
        "message": anomaly.message,
        "short": anomaly.short,
        "likely": anomaly.likely,
        "advice": anomaly.advice,
        "evidence": compact(anomaly.evidence) if anomaly.evidence else None,
        "follows": anomaly.follows,
    }


def anomaly_of(row: Mapping[Any, Any]) -> Anomaly:
    """The anomaly behind a row joined with the names of machine and mold."""
    return Anomaly(
        id=row["key"],
        time=from_ns(row["time_ns"]),
        machine=row["machine"],
        mold=row["mold"],
        revision=row["revision"],
        segment=row["segment"],
        counter=row["counter"],
        since_counter=row["since_counter"],
        until_counter=row["until_counter"],
        kind=row["kind"],
        cause=row["cause"],
        signal=row["signal"],
        value=_value(row["value"]),
        expected=_value(row["expected"]),
        limit=row["limit"],
        severity=row["severity"],
        message=row["message"],
        short=row["short"],
        likely=row["likely"],
        advice=row["advice"],
        evidence=json.loads(row["evidence"] or "{}"),
        follows=row["follows"],
        closed_at=from_ns(row["closed_ns"]) if row["closed_ns"] is not None else None,
    )


def _json(value: Value | None) -> str | None:
    return None if value is None else json.dumps(value)


def _value(text: str | None) -> Value | None:
    if text is None:
        return None
    found: Value = json.loads(text)
    return found
