"""Rows of an agent's record as the plant record is sent them: JSON, a row each."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from agent import curves as codec
from agent.forward.settings import PlantSettings
from agent.forward.topics import CURVES, Row
from agent.plantrecord.topics import ELSEWHERE
from agent.rows import to_ns

OF_ONE_AGENT = "mold_life"
"""Alerts on a mold's life: an agent's are about what it counted itself, a part of the whole."""


def packer(settings: PlantSettings) -> Callable[[str, Row], bytes]:
    """What makes rows into bodies; empty ones where the plant record has no use for a row.

    Whom closings were moved to after they were booked is found out anew there, over all agents.
    """

    def pack(topic: str, row: Row) -> bytes:
        if topic == CURVES:
            wanted = {name: each for name, each in row[CURVES].items() if settings.wants(name)}
            return _body(_curves({**row, CURVES: wanted})) if wanted else b""
        return _of_agents(topic, row)

    return pack


def _of_agents(topic: str, row: Row) -> bytes:
    told = row.get("audit_origin") or (row.get("origin") if topic == "audit" else None)
    if told == ELSEWHERE or row.get("kind") in (OF_ONE_AGENT, "moved"):
        return b""
    return _body(row)


def unpack(body: bytes) -> dict[str, Any]:
    """The row behind a body."""
    row: dict[str, Any] = json.loads(body)
    return row


def _curves(row: Row) -> Mapping[str, Any]:
    return {
        "machine": row["machine"],
        "segment": row["segment"],
        "counter": row["counter"],
        CURVES: [
            {
                "signal": signal,
                "samples": len(curve.values),
                "started_ns": to_ns(curve.started_at),
                "data": b64encode(codec.encode(curve)).decode(),
            }
            for signal, curve in row[CURVES].items()
        ],
    }


def _body(row: Row) -> bytes:
    # What a database's texts can't hold, a machine may well say.
    return json.dumps(dict(row)).replace("\\u0000", "\\ufffd").encode()
