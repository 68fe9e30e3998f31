"""How a simulated device secures its port: Modbus/TCP Security, over TLS 1.2 or 1.3.

The role that the standard may put into a client's certificate is not looked at: whoever is let in
may read.

Source:
    MODBUS/TCP Security Protocol Specification V21.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from simulators.certificates import identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What a device shows, and what it asks of its clients."""

    folder: Path
    """Where key and certificate lie; they are made when they are first needed."""
    client_certificate: Path | None = None
    """Of the only client that is let in, PEM or DER. None: any client is, without one too."""

    def context(self, name: str) -> ssl.SSLContext:
        """For listening, with the certificate as it is now.

        Args:
            name: Of the device, for its certificate.

        Raises:
            OSError: a file can't be read or written, or is no certificate.
        """
        mine = identity(self.folder, f"urn:sprue:simulated:{name}")
        certificate = self.folder / "server.crt"
        certificate.write_bytes(_pem(mine.certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, self.folder / "server.pem")
        if self.client_certificate is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(
                cadata=_pem(self.client_certificate.read_bytes()).decode()
            )
            context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        return context


def _pem(content: bytes) -> bytes:
    if content.lstrip().startswith(b"-----BEGIN"):
        return content
    return x509.load_der_x509_certificate(content).public_bytes(Encoding.PEM)
