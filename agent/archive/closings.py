"""What stays in the record of cycles that were moved: which closings they were, and when.

So that shots can be counted onto a mold that somebody entered late, or a life be looked up at a
time gone by, without the files that the cycles went to. Some three bytes a cycle.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VERSION = 1
HEAD = struct.Struct("<BI")  # version, cycles

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closings:
    """Cycles by their numbers, each array of shape (cycles,), in the order of their ids."""

    ids: Whole
    segments: Whole
    counters: Whole
    times_ns: Whole
    shots: Whole
    """1 where plastic was injected, 0 for a dry cycle."""

    def within(self, segment: int, first: int, last: int) -> "Closings":
        """Those of a segment between two counters, both included."""
        chosen = (self.segments == segment) & (self.counters >= first) & (self.counters <= last)
        return Closings(
            ids=self.ids[chosen],
            segments=self.segments[chosen],
            counters=self.counters[chosen],
            times_ns=self.times_ns[chosen],
            shots=self.shots[chosen],
        )


def joined(several: Sequence[Closings]) -> Closings:
    """Those of several files as one."""

    def of(arrays: list[Whole]) -> Whole:
        return np.concatenate(arrays) if arrays else np.empty(0, np.int64)

    return Closings(
        ids=of([each.ids for each in several]),
        segments=of([each.segments for each in several]),
        counters=of([each.counters for each in several]),
        times_ns=of([each.times_ns for each in several]),
        shots=of([each.shots for each in several]),
    )


def encode(closings: Closings) -> bytes:
    """As bytes; `decode` gives the same back."""
    columns = (
        closings.ids,
        closings.segments,
        closings.counters,
        closings.times_ns,
        closings.shots,
    )
    steps = np.concatenate([np.diff(each, prepend=0) for each in columns]).astype("<i8")
    planes = steps.view(np.uint8).reshape(-1, 8).T.tobytes()
    return HEAD.pack(VERSION, len(closings.ids)) + zlib.compress(planes, 6)


def decode(data: bytes) -> Closings:
    """What `encode` made bytes of.

    Raises:
        ValueError: the bytes are of a newer version, or damaged.
    """
    version, cycles = HEAD.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"closings of version {version}; this Sprue reads up to {VERSION}")
    try:
        raw = zlib.decompress(data[HEAD.size :])
    except zlib.error as error:
        raise ValueError(f"damaged closings: {error}") from error
    planes = np.frombuffer(raw, np.uint8).reshape(8, -1)
    steps = np.ascontiguousarray(planes.T).view("<i8").reshape(5, cycles)
    ids, segments, counters, times_ns, shots = (np.cumsum(each) for each in steps)
    return Closings(ids=ids, segments=segments, counters=counters, times_ns=times_ns, shots=shots)
