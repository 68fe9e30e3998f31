"""Anomalies as commands print them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.anomalies import Figures, Known
from agent.anomaly import Anomaly
from agent.console import Format, print_json, print_table
from agent.muting import Mute


def anomaly_line(anomaly: Anomaly) -> dict[str, Any]:
    """An anomaly as one JSON object."""
    return {
        "id": anomaly.id,
        "time": anomaly.time,
        "machine": anomaly.machine,
        "mold": anomaly.mold,
        "revision": anomaly.revision,
        "counter": anomaly.counter,
        "kind": anomaly.kind,
        "cause": anomaly.cause,
        "signal": anomaly.signal,
        "value": anomaly.value,
        "expected": anomaly.expected,
        "limit": anomaly.limit,
        "since_counter": anomaly.since_counter,
        "severity": anomaly.severity,
        "message": anomaly.message,
        "short": anomaly.short,
        "likely": anomaly.likely,
        "advice": anomaly.advice,
        "evidence": dict(anomaly.evidence),
        "follows": anomaly.follows,
    }


def change_line(anomaly: Anomaly, *, known: bool) -> dict[str, Any]:
    """The same, with what has become of it: `opened`, `changed` or `closed`.

    Args:
        anomaly: As it stands now.
        known: Whether it was printed before.
    """
    state = "changed" if known else "opened"
    return anomaly_line(anomaly) | {
        "state": state if anomaly.is_open else "closed",
        "closed_at": anomaly.closed_at,
        "until_counter": anomaly.until_counter,
    }


def known_line(known: Known) -> dict[str, Any]:
    """An anomaly of the record as one JSON object, with what people did to it."""
    return anomaly_line(known.anomaly) | {
        "number": known.number,
        "state": known.state,
        "closed_at": known.anomaly.closed_at,
        "until_counter": known.anomaly.until_counter,
        "muted": mute_line(known.muted) if known.muted else None,
        "actions": [
            {
                "time": action.at.isoformat(timespec="microseconds"),
                "who": action.who,
                "action": action.action,
                "text": action.text,
            }
            for action in known.actions
        ],
    }


def mute_line(mute: Mute) -> dict[str, Any]:
    """A mute as one JSON object."""
    return {
        "number": mute.number,
        "machine": mute.machine,
        "mold": mute.mold,
        "kind": mute.kind,
        "cause": mute.cause,
        "signal": mute.signal,
        "since": mute.since,
        "until": mute.until,
        "who": mute.who,
        "reason": mute.reason,
    }


def print_anomalies(found: Iterable[Known], *, form: Format, zone: ZoneInfo) -> None:
    """One row each, oldest first."""
    if form == "json":
        print_json(known_line(each) for each in found)
        return
    heads = [
        "no",
        "raised",
        "machine",
        "mold",
        "what",
        "severity",
        "state",
        "since shot",
        "message",
    ]
    print_table(
        heads,
        (
            [
                each.number,
                _when(each.anomaly.time, zone),
                each.anomaly.machine,
                _mold(each.anomaly),
                f"{each.anomaly.kind}/{each.anomaly.cause}",
                each.anomaly.severity,
                f"{each.state}, muted" if each.muted else each.state,
                each.anomaly.since_counter,
                each.anomaly.message,
            ]
            for each in found
        ),
        right=("no", "from shot"),
    )


def print_anomaly(known: Known, *, form: Format, zone: ZoneInfo) -> None:
    """All that is known of one."""
    if form == "json":
        print_json([known_line(known)])
        return
    anomaly = known.anomaly
    shots = _shots(anomaly)
    rows: list[tuple[str, object]] = [
        ("number", known.number),
        ("id", anomaly.id),
        ("what", f"{anomaly.kind}/{anomaly.cause}, {anomaly.severity}"),
        ("state", known.state),
        ("machine", anomaly.machine),
        ("mold", _mold(anomaly)),
        ("raised", _when(anomaly.time, zone)),
        ("closed", _when(anomaly.closed_at, zone) if anomaly.closed_at else None),
        ("shots", shots),
        ("message", anomaly.message),
        ("likely", anomaly.likely),
        ("try", anomaly.advice),
        ("signal", anomaly.signal),
        ("value", anomaly.value),
        ("expected", anomaly.expected),
        ("limit", anomaly.limit),
        ("follows", anomaly.follows),
        *((f"evidence: {name}", value) for name, value in anomaly.evidence.items()),
    ]
    if known.muted:
        until = _when(known.muted.until, zone)
        rows.append(("muted", f"until {until} by {known.muted.who}: {known.muted.reason}"))
    rows += [
        (f"{action.action}", f"{_when(action.at, zone)} {action.who} {action.text}".rstrip())
        for action in known.actions
    ]
    print_table(["", ""], ([name, value] for name, value in rows if value not in (None, "")))


def print_mutes(mutes: Iterable[Mute], *, form: Format, zone: ZoneInfo) -> None:
    """One row each, oldest first."""
    if form == "json":
        print_json(mute_line(each) for each in mutes)
        return
    print_table(
        ["no", "machine", "mold", "what", "signal", "since", "until", "who", "reason"],
        (
            [
                each.number,
                each.machine,
                each.mold,
                "/".join(word for word in (each.kind, each.cause) if word),
                each.signal,
                _when(each.since, zone),
                _when(each.until, zone),
                each.who,
                each.reason,
            ]
            for each in mutes
        ),
        right=("no",),
    )


def print_figures(figures: Iterable[Figures], *, form: Format) -> None:
    """How every kind and cause has done so far, by the word of people."""
    if form == "json":
        print_json(
            {
                "kind": each.kind,
                "cause": each.cause,
                "raised": each.raised,
                "open": each.open,
                "acknowledged": each.acknowledged,
                "not_a_fault": each.not_a_fault,
                "per_10000": None if each.per_10000 is None else round(each.per_10000, 3),
                "not_a_fault_per_10000": _false_rate(each),
            }
            for each in figures
        )
        return
    numbers = ("raised", "open", "acknowledged", "no fault", "raised/10,000", "no fault/10,000")
    print_table(
        ["what", *numbers],
        (
            [
                f"{each.kind}/{each.cause}",
                each.raised,
                each.open,
                each.acknowledged,
                each.not_a_fault,
                None if each.per_10000 is None else f"{each.per_10000:.2f}",
                _false_rate(each),
            ]
            for each in figures
        ),
        right=numbers,
    )


def _false_rate(each: Figures) -> float | None:
    if each.per_10000 is None:
        return None
    return round(each.per_10000 * each.not_a_fault / each.raised, 3)


def _mold(anomaly: Anomaly) -> str:
    return f"{anomaly.mold} {anomaly.revision or ''}".rstrip() if anomaly.mold else ""


def _when(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _shots(anomaly: Anomaly) -> str:
    if anomaly.since_counter is None:
        return ""
    if anomaly.until_counter is not None:
        return f"{anomaly.since_counter} to {anomaly.until_counter}"
    return f"from {anomaly.since_counter}"
