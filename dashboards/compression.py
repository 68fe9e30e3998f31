"""Which messages of the live channel are compressed: those where it is worth a viewer's wait.

A change is some hundred bytes. To compress it for each of fifty viewers would cost the agent more
than all the rest of it; a snapshot is worth it.
"""

from collections.abc import Sequence

from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame
from websockets.typing import ExtensionParameter

WORTH_BYTES = 4096

SETTINGS = {"memLevel": 5}
WINDOW_BITS = 12


class LargeOnly(ServerPerMessageDeflateFactory):
    """Agrees with a browser on permessage-deflate (RFC 7692), and uses it for large messages."""

    def __init__(self) -> None:
        super().__init__(
            server_max_window_bits=WINDOW_BITS,
            client_max_window_bits=WINDOW_BITS,
            compress_settings=SETTINGS,
        )

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """Answer what a browser offers."""
        answer, agreed = super().process_request_params(params, accepted_extensions)
        return answer, _LargeOnly(
            agreed.remote_no_context_takeover,
            agreed.local_no_context_takeover,
            agreed.remote_max_window_bits,
            agreed.local_max_window_bits,
            SETTINGS,
        )


class _LargeOnly(PerMessageDeflate):
    def encode(self, frame: Frame) -> Frame:
        return frame if len(frame.data) < WORTH_BYTES else super().encode(frame)
