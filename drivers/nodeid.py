"""Where an OPC UA node is, written so that it survives a restart of the server.

A namespace's index may differ after every restart (OPC 40083 §6.1), so a configuration names the
namespace by its URI, and the index is looked up on every connect.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from asyncua import ua

CORE = "http://opcfoundation.org/UA/"
"""Namespace 0, the one whose index never changes."""

_ID = re.compile(r"^(?:nsu=(?P<uri>[^;]+);)?(?P<kind>[isgb])=(?P<text>.+)$", re.DOTALL)
_STEP = re.compile(r"(?:\{(?P<uri>[^}]*)\})?(?P<name>(?:[^/&{]|&.)+)")

Identifier = int | str | bytes | uuid.UUID


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A node by its own id."""

    uri: str
    kind: str
    """`i`, `s`, `g` or `b`, as OPC UA writes the four kinds of identifier."""
    identifier: Identifier
    text: str
    """As it was written, for a person."""

    @property
    def whole(self) -> str:
        """As it is written where no namespace is given.

        >>> parse_id("s=ActTimCyc", "urn:maker").whole
        'nsu=urn:maker;s=ActTimCyc'
        """
        own = self.text.partition(";")[2] if self.text.startswith("nsu=") else self.text
        return f"nsu={self.uri};{own}"

    def node_id(self, index_of: Callable[[str], int | None]) -> ua.NodeId | None:
        """The id in one connection; None where the server has no such namespace."""
        index = index_of(self.uri)
        return None if index is None else ua.NodeId(self.identifier, index)


@dataclass(frozen=True, slots=True)
class PathAddress:
    """A node by the browse names that lead to it from the Objects folder."""

    steps: tuple[tuple[str, str], ...]
    """Namespace URI and name of each step."""
    text: str

    def relative(self, index_of: Callable[[str], int | None]) -> ua.RelativePath | None:
        """The path in one connection; None where the server has not all of its namespaces."""
        elements = []
        for uri, name in self.steps:
            index = index_of(uri)
            if index is None:
                return None
            elements.append(
                ua.RelativePathElement(
                    ReferenceTypeId=ua.NodeId(ua.ObjectIds.HierarchicalReferences),
                    IsInverse=False,
                    IncludeSubtypes=True,
                    TargetName=ua.QualifiedName(name, index),
                )
            )
        return ua.RelativePath(Elements=elements)


Address = NodeAddress | PathAddress


def parse_id(text: str, namespace: str | None) -> NodeAddress:
    """Read a node id: `s=ActTimCyc`, `i=42`, `g=...`, `b=...`, or `nsu=URI;` before one of them.

    Args:
        text: What a person wrote.
        namespace: URI for an id that names none.

    Raises:
        ValueError: it is no such id; the message says what would be right.

    >>> parse_id("nsu=urn:maker;s=ActTimCyc", None).uri
    'urn:maker'
    >>> parse_id("i=42", "urn:maker").identifier
    42
    """
    if text.startswith("ns="):
        raise ValueError(
            f"{text!r} names a namespace by index, which may differ after every restart of the "
            "server; write 'nsu=URI;s=...', or give the map a 'namespace'"
        )
    match = _ID.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no node id; write 's=Name', 'i=42' or 'nsu=URI;s=Name'")
    uri = match["uri"].replace("%3B", ";").replace("%25", "%") if match["uri"] else namespace
    if uri is None:
        raise ValueError(f"{text!r} names no namespace; write 'nsu=URI;{text}'")
    return NodeAddress(uri, match["kind"], _identifier(match["kind"], match["text"]), text)


def _identifier(kind: str, text: str) -> Identifier:
    try:
        match kind:
            case "i":
                number = int(text)
                if not 0 <= number < 2**32:
                    raise ValueError(text)
                return number
            case "g":
                return uuid.UUID(text)
            case "b":
                return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        right = {"i": "a number from 0 to 4294967295", "g": "a GUID", "b": "base64"}[kind]
        raise ValueError(f"'{kind}=' wants {right}, found {text!r}") from None
    return text


def parse_path(text: str, namespace: str | None) -> PathAddress:
    """Read a browse path from the Objects folder: names with slashes between them.

    A step in a namespace of its own is written `{URI}Name`; a slash, a brace or an ampersand that
    belongs to a name is written with an ampersand before it.

    Raises:
        ValueError: it is no such path; the message says what would be right.

    >>> parse_path("Machine/{urn:other}Values/Cycle&/s", "urn:maker").steps
    (('urn:maker', 'Machine'), ('urn:other', 'Values'), ('urn:maker', 'Cycle/s'))
    """
    steps: list[tuple[str, str]] = []
    rest = text.removeprefix("/")
    while rest:
        match = _STEP.match(rest)
        if match is None or rest[match.end() : match.end() + 1] not in ("", "/"):
            raise ValueError(f"{text!r} is no browse path; write 'Machine/Values/CycleTime'")
        uri = match["uri"] if match["uri"] is not None else namespace
        if uri is None:
            raise ValueError(
                f"{text!r} names no namespace; write '{{URI}}{match['name']}', "
                "or give the map a 'namespace'"
            )
        steps.append((uri, re.sub(r"&(.)", r"\1", match["name"])))
        rest = rest[match.end() + 1 :]
    if not steps:
        raise ValueError("an empty browse path; write 'Machine/Values/CycleTime'")
    return PathAddress(tuple(steps), text)


def parse_address(text: str, namespace: str | None) -> Address:
    """Read a node id or a browse path, whichever it looks like.

    Raises:
        ValueError: it is neither.
    """
    if re.match(r"^(?:nsu?=|[isgb]=)", text):
        return parse_id(text, namespace)
    return parse_path(text, namespace)
