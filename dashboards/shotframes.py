"""The running shot of a press on its way to the pages: one text for its phases, bytes for samples.

A frame of samples is little-endian: u8 type (1), u8 numbers of a sample, u16 place of the press in
the configuration, u32 number of the shot, u32 index of the first sample, then float32 sample by
sample: seconds since the shot began, and a value for each of the names that `shot` told.
"""

import struct

from agent.live import Plant
from dashboards.wire import encoded, epoch

HEAD = struct.Struct("<BBHII")
SAMPLES = 1

Sent = tuple[int, int, int]
"""What a viewer has: number of the shot, phases, samples."""


class ShotFrames:
    """Encodes what viewers of a press lack; those that lack the same get the same bytes."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._places = {machine: place for place, machine in enumerate(plant.machines)}
        self._cache: dict[str, tuple[tuple[int, int, int], bytes]] = {}

    def lacking(self, machine: str, sent: Sent) -> tuple[list[str | bytes], Sent]:
        """The messages that bring a viewer from what it was sent to what is there now.

        Args:
            machine: That it follows.
            sent: What it has; `(0, 0, 0)` for nothing.
        """
        shot = self._plant.shot(machine)
        if shot is None or shot.began_at is None:
            return [], sent
        number, phases, first = sent
        messages: list[str | bytes] = []
        if number != shot.number:
            first = 0
        if number != shot.number or phases != len(shot.phases):
            text = {
                "t": "shot",
                "place": self._places[machine],
                "number": shot.number,
                "began": epoch(shot.began_at),
                "names": list(shot.names),
                "phases": [[phase, round(at_s, 2)] for phase, at_s in shot.phases],
            }
            messages.append(encoded(text))
        count = shot.count
        if count > first and shot.names:
            key = (shot.number, first, count)
            cached = self._cache.get(machine)
            if cached is None or cached[0] != key:
                head = HEAD.pack(
                    SAMPLES, shot.width, self._places[machine], shot.number & 0xFFFFFFFF, first
                )
                body = shot.rows[first * shot.width : count * shot.width]
                cached = self._cache[machine] = (key, head + _little(body.tobytes()))
            messages.append(cached[1])
        return messages, (shot.number, len(shot.phases), count)


def _little(data: bytes) -> bytes:
    """Float32 in the order of this computer, as little-endian."""
    if struct.pack("=f", 1.0) == struct.pack("<f", 1.0):
        return data
    return struct.pack(f"<{len(data) // 4}f", *struct.unpack(f"={len(data) // 4}f", data))
