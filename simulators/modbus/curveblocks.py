"""A PLC's ring buffers and the last closing's curves, as blocks of registers.

The newest samples of a signal are in one block, so that a client that polls once a second, with one
request a signal, sees every sample and knows which it is. `docs/reference/simulators-modbus.md` is
the page for people.
"""

import struct
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from simulators.modbus.registers import NO_SENSOR, Block
from simulators.physics.curves import SAMPLE_S, Curves
from simulators.press import Press

SIGNALS: Mapping[str, float] = {
    "injection_pressure_bar": 0.1,
    "cavity_pressure_bar": 0.1,
    "screw_position_mm": 0.01,
}
"""Signal and units per count."""

RING_AT, RING_APART = 1000, 200
RING_SAMPLES = 120
"""1.2 s, so that a poll that is a little late misses nothing."""
RING_HEADER = 3
LENGTH_AT, LENGTH_WORDS = 1600, 4
CURVES_AT, CURVES_APART = 2000, 10_000
"""One register a sample; a curve that is longer than 100 s is cut."""

NOTHING = struct.pack(">h", NO_SENSOR)
"""A register without a sample."""

Numbers = NDArray[np.float32]


def curve_blocks(press: Press) -> tuple[Block, ...]:
    """The rings of the sampled signals, and their whole curves."""
    rings = [
        Block.of(
            RING_AT + RING_APART * index,
            RING_HEADER + RING_SAMPLES,
            partial(_ring, press, signal, step),
        )
        for index, (signal, step) in enumerate(SIGNALS.items())
    ]
    curves = [
        Block(
            CURVES_AT + CURVES_APART * index,
            CURVES_APART,
            partial(_curve, press, signal, step),
        )
        for index, (signal, step) in enumerate(SIGNALS.items())
    ]
    length = Block.of(LENGTH_AT, LENGTH_WORDS, partial(_length, press))
    return (*rings, length, *curves)


def _ring(press: Press, signal: str, step: float) -> bytes:
    """Shot counter, number of the newest sample, count of samples; the newest is the last."""
    samples, newest = np.empty(0, np.float32), 0
    if press.curves is not None:
        block = press.curves.newest(press.seconds, RING_SAMPLES)
        samples = getattr(block, signal)
        newest = block.first + len(samples) - 1
    missing = RING_SAMPLES - len(samples)
    if missing and press.last_curves is not None:
        before = _samples(press.last_curves, signal)
        newest = newest if len(samples) else len(before) - 1
        samples = np.concatenate((before[-missing:], samples))
    header = struct.pack(">HHH", press.counter & 0xFFFF, newest & 0xFFFF, len(samples))
    return header + NOTHING * (RING_SAMPLES - len(samples)) + _words(press, samples, step)


def _length(press: Press) -> bytes:
    """Of the last closing: its shot counter, count of samples, and the ms between them."""
    shot, curves = press.last, press.last_curves
    count = 0 if curves is None else min(curves.count, CURVES_APART)
    counter = 0 if shot is None else shot.counter & 0xFFFFFFFF
    return struct.pack(">IHH", counter, count, round(SAMPLE_S * 1000))


def _curve(press: Press, signal: str, step: float, first: int, count: int) -> bytes:
    curves = press.last_curves
    samples = _samples(curves, signal) if curves is not None else np.empty(0, np.float32)
    words = _words(press, samples[first : first + count], step)
    return words + NOTHING * (count - len(words) // 2)


def _samples(curves: Curves, signal: str) -> Numbers:
    samples: Numbers = getattr(curves, signal)
    return samples


def _words(press: Press, samples: Numbers, step: float) -> bytes:
    if press.faults.active("sentinel"):
        return NOTHING * len(samples)
    counts = np.clip(np.rint(samples / step), -0x7FFF, 0x7FFF)
    words: bytes = counts.astype(">i2").tobytes()
    return words
