"""What comes in as text is checked as a whole, and every complaint is one a person can act on."""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

SECRETS = frozenset({"password", "token", "user_key"})
"""Keys under which people write secrets, though none belongs into a file."""
USER_INFO = re.compile(r"://([^/@\s]+)@")
"""Name and password in a URL."""


class Checked(BaseModel):
    """Base of everything read from a file: unknown keys are errors, values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)


def read_toml(path: Path) -> dict[str, Any]:
    """One TOML file.

    Raises:
        ValueError: the file can't be read or is not TOML; the message names it and the place.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not TOML: {error}") from error


def complaints(error: ValidationError, file: Path | str, model: type[BaseModel]) -> list[str]:
    """One sentence per mistake: file, key path, what was found, what would be right.

    Args:
        error: What pydantic raised.
        file: Named at the start of each sentence.
        model: The model that was checked; its field names serve to guess a misspelt key.
    """
    return [f"{file}: {sentence}" for sentence in _sentences(error, model)]


def _sentences(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    for item in error.errors(include_url=False):
        where = item["loc"]
        key = key_path(where)
        kind = item["type"]
        if kind == "extra_forbidden":
            yield f"{key}: no such key{_guess(str(where[-1]), model, where)}"
        elif kind == "missing":
            yield f"{key}: missing"
        else:
            yield f"{key}: found {_shown_of(where, item['input'])}; {_right(item)}"


def key_path(where: tuple[int | str, ...]) -> str:
    """A path as it reads in TOML, counted from 1: `machine[2].url`.

    >>> key_path(("machine", 1, "modbus", "url"))
    'machine[2].modbus.url'
    """
    text = ""
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def shown(found: object) -> str:
    """What was found, short enough for a sentence."""
    if isinstance(found, Mapping):
        return "a table"
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."


def _shown_of(where: tuple[int | str, ...], found: object) -> str:
    """What was found under a key; a secret that was written down is not written once more."""
    if isinstance(found, str) and not SECRETS.isdisjoint(where):
        return "a text, not shown"
    if isinstance(found, str) and (within := USER_INFO.search(found)):
        return shown(found.replace(within[1], "..."))
    return shown(found)


def _right(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"it {message}" if message.startswith("should") else message


def _guess(key: str, model: type[BaseModel], where: tuple[int | str, ...]) -> str:
    names = _fields_at(model, where[:-1])
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known here: {', '.join(sorted(names))}" if names else ""


def _fields_at(model: type[BaseModel], where: tuple[int | str, ...]) -> list[str]:
    models = [model]
    for part in where:
        if isinstance(part, int):
            continue
        inner = [
            found
            for each in models
            if part in _by_alias(each)
            for found in _models_in(each.model_fields[_by_alias(each)[part]].annotation)
        ]
        tagged = [each for each in models if _tag(each) == part]
        models = inner or tagged or models
    return sorted({name for each in models for name in _by_alias(each)})


def _by_alias(model: type[BaseModel]) -> dict[str, str]:
    return {field.alias or name: name for name, field in model.model_fields.items()}


def _tag(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("driver") or model.model_fields.get("kind")
    args = get_args(field.annotation) if field else ()
    return args[0] if args and isinstance(args[0], str) else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for arg in get_args(annotation) for found in _models_in(arg)]
