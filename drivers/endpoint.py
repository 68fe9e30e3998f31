"""What a server offers to anybody: ways of securing a connection, and the certificate for them.

All of it is said without any proof; it serves to compare with what is pinned, and to explain.

Source:
    OPC 10000-4 §5.5.4: GetEndpoints, which needs no security.
"""

import asyncio
from collections.abc import Sequence

from asyncua import Client, ua
from cryptography import x509

from drivers.certificate import load_certificate
from drivers.errors import GarbledError, RefusedError
from drivers.hangup import hang_up
from drivers.uaerrors import told


async def offered(machine: str, url: str, timeout_s: float) -> list[ua.EndpointDescription]:
    """The endpoints of a server.

    Raises:
        MachineError: nobody answers, or not in time; or it is no OPC UA server.
    """
    client = Client(url, timeout=timeout_s)
    try:
        with told(machine, f"asking {url} for its certificate"):
            async with asyncio.timeout(timeout_s):
                await client.connect_socket()
                await client.send_hello()
                await client.open_secure_channel()
                endpoints: list[ua.EndpointDescription] = await client.get_endpoints()
                return endpoints
    finally:
        await hang_up(client, session=False)


def certificate_for(
    machine: str, endpoints: Sequence[ua.EndpointDescription], policy: type, mode: str, name: str
) -> x509.Certificate:
    """The server's certificate for one way of securing.

    Args:
        machine: For errors.
        endpoints: What the server offers.
        policy: asyncua's class.
        mode: `Sign` or `SignAndEncrypt`.
        name: Of the policy, as the configuration has it.

    Raises:
        RefusedError: the server does not offer it.
        GarbledError: what it shows is no certificate.
    """
    uri = getattr(policy, "URI", None)
    for endpoint in endpoints:
        if endpoint.SecurityPolicyUri == uri and endpoint.SecurityMode.name == mode:
            try:
                return load_certificate(endpoint.ServerCertificate or b"")
            except ValueError as error:
                what = f"what it shows as its certificate is none: {error}"
                raise GarbledError(machine, what) from error
    ways = sorted({way(endpoint) for endpoint in endpoints})
    raise RefusedError(
        machine,
        f"it does not offer {name} with {mode}; it offers {', '.join(ways) or 'nothing'}",
    )


def way(endpoint: ua.EndpointDescription) -> str:
    """How a connection to an endpoint is secured, in words."""
    policy = str(endpoint.SecurityPolicyUri).rpartition("#")[2]
    mode = endpoint.SecurityMode.name
    return "no security" if mode == "None_" else f"{policy} with {mode}"
