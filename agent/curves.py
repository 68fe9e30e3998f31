"""Curves as bytes: exact to the sensor's resolution, small, and versioned.

Values become whole multiples of the resolution where it is known (float32 where not), times whole
microseconds; both as differences, bytes sorted by significance, compressed by zlib.
"""

import struct
import zlib
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from agent.cycle import Curve

VERSION = 1
HEAD = struct.Struct("<BBId")  # version, layout, samples, resolution
WHOLE, FLOAT = 0, 1


def encode(curve: Curve) -> bytes:
    """One curve as bytes; `decode` gives it back within half its resolution and a microsecond."""
    times = _packed(np.round(curve.t_s * 1e6).astype(np.int64))
    whole = np.round(curve.values / curve.resolution) if curve.resolution else None
    if whole is not None and np.all(np.isfinite(whole)) and np.all(np.abs(whole) < 2**31):
        layout, body = WHOLE, _packed(whole.astype(np.int64))
    else:
        layout, body = FLOAT, _shuffled(curve.values.astype(np.float32))
    head = HEAD.pack(VERSION, layout, len(curve.values), curve.resolution or 0.0)
    return head + zlib.compress(times + body, 6)


def decode(data: bytes, started_at: datetime) -> Curve:
    """The curve that `encode` made bytes of.

    Raises:
        ValueError: the bytes are of a newer version, or damaged.
    """
    version, layout, samples, resolution = HEAD.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"curve of version {version}; this Sprue reads up to {VERSION}")
    try:
        raw = zlib.decompress(data[HEAD.size :])
    except zlib.error as error:
        raise ValueError(f"damaged curve: {error}") from error
    split = samples * 8
    t_s = _unpacked(raw[:split]) / 1e6
    if layout == WHOLE:
        values = _unpacked(raw[split:]) * resolution
    else:
        values = _unshuffled(raw[split:], np.dtype("<f4")).astype(np.float64)
    return Curve(started_at=started_at, t_s=t_s, values=values, resolution=resolution or None)


def _packed(whole: NDArray[np.int64]) -> bytes:
    return _shuffled(np.diff(whole, prepend=0).astype("<i8"))


def _unpacked(raw: bytes) -> NDArray[np.float64]:
    return np.cumsum(_unshuffled(raw, np.dtype("<i8"))).astype(np.float64)


def _shuffled(values: NDArray[np.generic]) -> bytes:
    """Bytes sorted by significance: the upper ones are mostly alike, which zlib likes."""
    width = values.dtype.itemsize
    return values.view(np.uint8).reshape(-1, width).T.tobytes()


def _unshuffled(raw: bytes, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, -1)
    return np.ascontiguousarray(planes.T).view(dtype).ravel()
