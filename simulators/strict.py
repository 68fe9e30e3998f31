"""What comes from a fleet file: read strictly, and refused in sentences."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

LONGEST_FOUND = 80
"""Characters of what was found that a sentence repeats."""


class FleetError(ValueError):
    """A fleet that can't be used; the message names file, key, what was found and what is right."""


class Strict(BaseModel):
    """A table of a fleet file: no key that it does not know, and no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def hint(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where something known is near, else nothing.

    >>> hint("coling", ["cooling", "hold"])
    "; did you mean 'cooling'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def printable(text: str) -> str:
    """A text of one line, as displays and files show it.

    Raises:
        ValueError: it has a line break, or another character that nobody sees.
    """
    if not text.isprintable():
        raise ValueError("should be one line of characters that can be seen")
    return text


def one_of(name: str, known: Iterable[str]) -> str:
    """The name, if it is known.

    Raises:
        ValueError: it is not; the message says what is.
    """
    known = list(known)
    if name not in known:
        raise ValueError(f"should be one of {', '.join(known)}")
    return name


def sentence(path: Path, item: Any, root: type[BaseModel]) -> str:
    """What pydantic found wrong with a fleet file, for the person who wrote it."""
    where = [part for part in item["loc"] if not _is_type(part)]
    key = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where
    ).lstrip(".")
    if item["type"] == "extra_forbidden":
        known = sorted(_keys(root, where[:-1]))
        near = hint(str(where[-1]), known) or f"; known here: {', '.join(known)}"
        return f"{path}: {key}: no such key{near}"
    if item["type"] == "missing":
        return f"{path}: {key}: missing"
    said = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if not key:
        return f"{path}: {said}"
    if isinstance(item["input"], Mapping) and item["type"] == "value_error":
        return f"{path}: {key}: {said}"
    found = "a table" if isinstance(item["input"], Mapping) else repr(item["input"])
    if len(found) > LONGEST_FOUND:
        found = f"{found[:LONGEST_FOUND]}..."
    return f"{path}: {key}: found {found}; it {said}"


def _is_type(part: int | str) -> bool:
    """Whether a step of a place is none of the file's: pydantic names the types that it tried."""
    return isinstance(part, str) and (part == "str" or "[" in part)


def _keys(model: type[BaseModel], where: list[Any]) -> list[str]:
    """Keys that a table of the file may have, by its place."""
    for part in where:
        if isinstance(part, int):
            continue
        inside = _model_in(model.model_fields[str(part)].annotation)
        if inside is None:
            return []
        model = inside
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model somewhere in `list[X]`, `X | None`, `Annotated[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
