"""A listening socket that hears nothing: whoever connects waits until his own time limit.

A process that accepts no connections is no black hole, since its kernel shakes hands for it. Linux
can be told to drop whatever comes in, as a pulled cable does; another system goes on shaking hands,
and only what follows is not answered.

Source:
    Linux, Documentation/networking/filter.rst: a classic BPF program of one instruction, `ret #0`.
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
RETURN_NOTHING = struct.pack("@HBBI", 0x06, 0, 0, 0)


def cover(listening: socket.socket) -> None:
    """Let nothing through from now on."""
    if sys.platform == "linux":
        instruction = ctypes.create_string_buffer(RETURN_NOTHING)
        program = struct.pack("@HP", 1, ctypes.addressof(instruction))
        with suppress(OSError):  # a sandbox may know no filters
            listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def uncover(listening: socket.socket) -> None:
    """Hear again; what tried meanwhile tries anew by itself, after a second or more."""
    if sys.platform == "linux":
        with suppress(OSError):  # it was not covered
            listening.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
