"""What a machine is known by that has no agreed place for it: a value, read at connecting."""

from typing import Annotated

from pydantic import Field

from drivers.checked import Checked
from drivers.errors import MistakenError, RefusedError
from drivers.observations import Value

KEY = "identity"
"""Under which `Press.identity` has it."""


class NodeIdentity(Checked):
    """An OPC UA node whose value no other machine has: a serial number, a name."""

    node: Annotated[str, Field(min_length=1)]
    """`nsu=URI;s=...`, or a browse path; the map's namespace where it names none."""
    value: str | None = None
    """What it must be. None: what it is when first seen."""


class RegisterIdentity(Checked):
    """A register of the map whose value no other machine has."""

    register_: Annotated[str, Field(alias="register", min_length=1)]
    """Its signal in the map; it is read at connecting only."""
    value: str | None = None
    """What it must be. None: what it is when first seen."""


def proved(machine: str, source: str, found: Value | None, wanted: str | None) -> str:
    """What the machine is known by, as text.

    Raises:
        RefusedError: it shows nothing there.
        MistakenError: it is not the machine that is wanted.
    """
    text = "" if found is None else str(found).strip().strip("\0")
    if not text:
        raise RefusedError(machine, f"identity: {source} holds nothing")
    if wanted is not None and text != wanted:
        raise MistakenError(
            machine, f"another machine answers: {source} is {text!r}; it should be {wanted!r}"
        )
    return text
