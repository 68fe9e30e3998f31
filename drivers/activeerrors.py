"""The errors that a device of OPC 40083 shows as active: what they say, for a person.

They are a list of structures of a type of that standard, which are taken apart here: no type of a
server is made known to the process (`docs/explanations/opcua-library.md`).
"""

from asyncua import ua
from asyncua.common.utils import Buffer, NotEnoughData
from asyncua.ua.ua_binary import Primitives, struct_from_binary

from drivers.mappednode import MappedNode
from drivers.observations import Value

NAMED = 5
"""Errors that are named; the others are counted."""


class ErrorsNode(MappedNode):
    """The ActiveErrors of a device: their texts, the most severe first; empty where it has none."""

    def value(self, raw: object) -> Value | None:
        """What the errors say; None where that can't be read."""
        if not isinstance(raw, list):
            return None
        errors = [error for each in raw if (error := _error(each)) is not None]
        if raw and not errors:
            return None
        said = [text for _, text in sorted(errors, key=lambda error: -error[0])][:NAMED]
        left = len(raw) - len(said)  # those that can't be read among them
        return "; ".join([*said, f"{left} more"] if left else said)


def _error(raw: object) -> tuple[int, str] | None:
    """Severity and text of one error; None where it is built otherwise.

    Source:
        OPC 40083 ActiveErrorDataType: Id, Severity, Message. Types derived from it, as
        ClassifiedActiveErrorDataType, begin with the same.
    """
    body = getattr(raw, "Body", None)
    try:
        if isinstance(body, bytes):
            data = Buffer(body)
            name, severity = Primitives.String.unpack(data), Primitives.UInt16.unpack(data)
            message = struct_from_binary(ua.LocalizedText, data)
        else:  # somebody in this process has had asyncua make the type known
            name, severity, message = (getattr(raw, k) for k in ("Id", "Severity", "Message"))
        text, name, severity = (message.Text or "").strip(), (name or "").strip(), int(severity)
    except (AttributeError, NotEnoughData, TypeError, UnicodeError, ValueError):
        return None
    return severity, f"{text} ({name})" if text and name else text or name or "unnamed error"
