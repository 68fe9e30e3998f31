"""Where the time of a poll over OPC UA goes, part by part, without a socket: our own code and
asyncua's beside it.

    python -m bench.pollparts

What is left of the price that `bench.polling` measures is the socket and the loop: to wake up, to
send, to be woken by the answer, and to receive it.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asyncua import ua
from asyncua.common.connection import SecureConnection, TransportLimits
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.ua.ua_binary import header_from_binary, struct_from_binary, struct_to_binary

from bench.devices import NODE, VALUES
from bench.polling import bench_nodes
from drivers.plainanswer import decode
from drivers.points import decoded
from drivers.reading import ReadRequest, told_time

TURNS, CALLS = 5, 300
"""The quickest turn counts: the others had to share the processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One step of a poll, processor time in us."""

    what: str
    ours_us: float
    asyncua_us: float | None = None
    """None where asyncua does not do it; the same number where we leave it to asyncua."""


def parts() -> Sequence[Part]:
    """Measure every step of a poll of as many nodes as `bench.polling` reads."""
    token = ua.NodeId(bytes(32), 0, ua.NodeIdType.ByteString)
    ids = [ua.NodeId(NODE.format(number), 2) for number in range(VALUES)]
    wanted = [ua.ReadValueId(NodeId=each, AttributeId=ua.AttributeIds.Value) for each in ids]
    prepared = ReadRequest(wanted)

    def request() -> bytes:
        header = ua.RequestHeader(AuthenticationToken=token)
        asked = [ua.ReadValueId(NodeId=each, AttributeId=ua.AttributeIds.Value) for each in ids]
        made: bytes = struct_to_binary(
            ua.ReadRequest(RequestHeader=header, Parameters=ua.ReadParameters(NodesToRead=asked))
        )
        return made

    channel = SecureConnection(SecurityPolicyNone(), TransportLimits())
    channel.security_token.ChannelId = channel.security_token.TokenId = 1
    body, answer = request(), _answer()
    came = channel.message_to_binary(answer, request_id=1)

    def receive() -> None:
        channel._peer_sequence_number = None
        data = Buffer(came)
        channel.receive_from_header_and_body(header_from_binary(data), data)

    nodes, values = bench_nodes().nodes, decode(answer).Results

    def signals() -> None:
        for node, value in zip(nodes, values, strict=True):
            decoded(node, value)
            told_time(value.SourceTimestamp)

    out, into = _us(lambda: channel.message_to_binary(body, request_id=1)), _us(receive)
    return (
        Part(
            what="the request made",
            ours_us=_us(lambda: prepared.body(token, 4.0, 1)),
            asyncua_us=_us(request),
        ),
        Part(what="framed, nothing signed", ours_us=out, asyncua_us=out),
        Part(what="the answer's frame read", ours_us=into, asyncua_us=into),
        Part(
            what="its values decoded, with status and time",
            ours_us=_us(lambda: decode(answer)),
            asyncua_us=_us(lambda: struct_from_binary(ua.ReadResponse, Buffer(answer))),
        ),
        Part(what="made signals: converted, judged", ours_us=_us(signals)),
    )


def table(found: Sequence[Part]) -> str:
    """The parts, as a table of the page."""
    rows = (
        f"| {part.what} | {part.ours_us:.0f} | "
        f"{'' if part.asyncua_us is None else f'{part.asyncua_us:.0f}'} |"
        for part in found
    )
    ours = sum(part.ours_us for part in found)
    theirs = sum(part.asyncua_us or 0.0 for part in found)
    return "\n".join(
        ("| step of a poll | ours, us | asyncua, us |", "|---|---|---|", *rows,
         f"| **together** | **{ours:.0f}** | **{theirs:.0f}** |")
    )  # fmt: skip


def _answer() -> bytes:
    """An answer as a press gives it: numbers, each set at another moment."""
    began = datetime.now(UTC)
    values = [
        ua.DataValue(
            ua.Variant(20.0 + number / 8, ua.VariantType.Double),
            SourceTimestamp=began + timedelta(milliseconds=number),
        )
        for number in range(VALUES)
    ]
    made: bytes = struct_to_binary(ua.ReadResponse(Results=values))
    return made


def _us(call: Callable[[], object]) -> float:
    call()  # what is made on first use
    turns = []
    for _ in range(TURNS):
        began = time.process_time()
        for _ in range(CALLS):
            call()
        turns.append((time.process_time() - began) / CALLS * 1e6)
    return min(turns)


def main() -> int:
    """Measure, and print the table."""
    print(table(parts()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
