"""The OPC UA sockets of a simulated machine: says no as real servers do, and lets faults through.

asyncua's own server logs a traceback and keeps silent where a secure channel can't be opened; a
machine answers with an error message and hangs up (OPC 10000-6, 7.1.5).
"""

import logging
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import uatcp_to_binary
from cryptography.exceptions import InvalidSignature

from simulators.wire import Wire

logging.getLogger("asyncua.server").setLevel(logging.ERROR)
"""It warns of endpoints without security and of clients that come and go: both are meant."""

MEANT = ("sending service fault response", "Rejected active session")
"""How errors begin that a simulated machine answers on purpose."""

SESSION_REQUESTS = frozenset(
    {
        ua.NodeId(ua.ObjectIds.CreateSessionRequest_Encoding_DefaultBinary),
        ua.NodeId(ua.ObjectIds.ActivateSessionRequest_Encoding_DefaultBinary),
    }
)


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(MEANT)


for _name in ("uaprocessor", "internal_session"):
    logging.getLogger(f"asyncua.server.{_name}").addFilter(_is_news)


class Sockets(BinaryServer):  # type: ignore[misc]  # asyncua is untyped to us
    """Listens for clients; all links run over the wire, where there is one."""

    def __init__(self, iserver: Any, host: str, port: int, limits: Any, wire: Wire | None) -> None:
        super().__init__(iserver, host, port, limits)
        self._wire = wire
        connection = self._new_connection
        self._make_protocol = connection if wire is None else wire.wrap(connection)

    async def start(self) -> None:
        """Take clients from now on.

        Raises:
            OSError: the port is taken.
        """
        await super().start()
        if self._wire is not None:
            self._wire.listens(self._server.sockets)

    async def stop(self) -> None:
        """Take no clients any more; asyncua's own goes on taking them while it says goodbye."""
        if self._server is not None:
            self._server.close()
        if self._wire is not None:
            self._wire.drop_all()
        await super().stop()

    def _new_connection(self) -> "Connection":
        return Connection(
            iserver=self.iserver,
            policies=self._policies,
            clients=self.clients,
            closing_tasks=self.closing_tasks,
            limits=self.limits,
        )


class Connection(OPCUAProtocol):  # type: ignore[misc]
    """One client's connection."""

    processor: "Processor | None"

    def connection_made(self, transport: Any) -> None:
        """Talk to a client."""
        super().connection_made(transport)
        if self.processor is not None:  # it is None where there are too many connections
            self.processor = Processor(self.iserver, transport, self.limits)
            self.processor.set_policies(self.policies)


class Processor(UaProcessor):  # type: ignore[misc]
    """Answers one client's messages."""

    async def process(self, header: Any, body: Any) -> bool:
        """Answer a message; whether the connection goes on."""
        try:
            return bool(await super().process(header, body))
        except (ua.UaError, InvalidSignature, ValueError) as error:
            if header.MessageType != ua.MessageType.SecureOpen:
                raise
            status = ua.StatusCode(getattr(error, "code", ua.StatusCodes.BadSecurityChecksFailed))
            refusal = ua.ErrorMessage(status, status.doc)
            self._transport.write(uatcp_to_binary(ua.MessageType.Error, refusal))
            return False

    def send_response(
        self,
        requesthandle: int,
        seqhdr: Any,
        response: Any,
        msgtype: Any = ua.MessageType.SecureMessage,
    ) -> None:
        """Send an answer, with the time that the control takes it to be."""
        now = self.iserver.now()
        response.ResponseHeader.Timestamp = now
        if isinstance(response, ua.PublishResponse):
            response.Parameters.NotificationMessage.PublishTime = now
        super().send_response(requesthandle, seqhdr, response, msgtype)

    def open_secure_channel(self, algohdr: Any, seqhdr: Any, body: Any) -> None:
        """Open or renew a secure channel.

        Raises:
            asyncua.ua.UaStatusCodeError: BadCertificateUntrusted.
        """
        if algohdr.SenderCertificate and not self.iserver.trusts_clients:
            raise ua.UaStatusCodeError(ua.StatusCodes.BadCertificateUntrusted)
        super().open_secure_channel(algohdr, seqhdr, body)

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        """No session without security where there should be some; asking for endpoints is free."""
        in_clear = self._connection.security_policy.URI == SecurityPolicyNone.URI
        if in_clear and self.iserver.is_secured and typeid in SESSION_REQUESTS:
            raise ServiceError(ua.StatusCodes.BadSecurityPolicyRejected)
        return await super()._process_message(typeid, requesthdr, seqhdr, body)
