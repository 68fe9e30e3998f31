"""The answer to a read over OPC UA, decoded without asyncua's object for every field.

What nearly every answer is made of is decoded here: numbers, truth values, texts, times, and lists
of numbers, each with its status and times; and structures, units above all, which are the same at
every poll. Anything else is left to asyncua, value by value, and an answer that is not built as it
should be is left to it as a whole: what comes out is the same, and so is what is raised.

Source:
    OPC 10000-6 §5.2.2: the binary encoding of a DataValue and a Variant. `docs/reference/
    performance.md` has what it saves.
"""

import struct
from collections.abc import Callable
from functools import lru_cache

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import extensionobject_from_binary, struct_from_binary
from asyncua.ua.uatypes import win_epoch_to_datetime

_ANSWER = bytes((1, 0)) + struct.pack("<H", ua.ObjectIds.ReadResponse_Encoding_DefaultBinary)
"""The type of an answer, as a node id of four bytes."""
_HEAD = struct.Struct("<4sqIIBi3sI")
"""Type, time, handle, result, no diagnostics, texts, nothing further, and how many values."""
_NO_MORE = (struct.pack("<i", -1), struct.pack("<i", 0))
"""No diagnostics behind the values."""

_VALUE, _STATUS, _SOURCE, _SERVER = 0x01, 0x02, 0x04, 0x08
_PICOSECONDS = 0xF0
_STRING, _TIME = int(ua.VariantType.String), int(ua.VariantType.DateTime)
_STRUCTURE, _LIST = int(ua.VariantType.ExtensionObject), 0x80
_FORMATS = {
    ua.VariantType.Boolean: "?",
    ua.VariantType.SByte: "b",
    ua.VariantType.Byte: "B",
    ua.VariantType.Int16: "h",
    ua.VariantType.UInt16: "H",
    ua.VariantType.Int32: "i",
    ua.VariantType.UInt32: "I",
    ua.VariantType.Int64: "q",
    ua.VariantType.UInt64: "Q",
    ua.VariantType.Float: "f",
    ua.VariantType.Double: "d",
}
_NUMBERS: dict[int, tuple[Callable[..., tuple[object, ...]], int, ua.VariantType]] = {
    int(kind): (each.unpack_from, each.size, kind)
    for kind, each in ((kind, struct.Struct(f"<{code}")) for kind, code in _FORMATS.items())
}
_LISTS = {_LIST | int(kind): (code, kind) for kind, code in _FORMATS.items()}
_INT32, _UINT32, _INT64 = (struct.Struct(code).unpack_from for code in ("<i", "<I", "<q"))


class _NotPlainError(Exception):
    """Something that asyncua shall decode."""


def decode(body: bytes) -> ua.ReadResponse:
    """An answer's body: what the server says of the read, and one value for each node.

    Of the header only time and result are of this answer, where the answer is plain.

    Raises:
        Exception: whatever asyncua raises over these bytes.
    """
    try:
        return _plain(body)
    except (_NotPlainError, struct.error, IndexError, UnicodeError):
        answer: ua.ReadResponse = struct_from_binary(ua.ReadResponse, Buffer(body))
        return answer


def _plain(body: bytes) -> ua.ReadResponse:
    kind, told_at, handle, result, diagnostics, texts, further, count = _HEAD.unpack_from(body)
    if kind != _ANSWER or diagnostics or texts > 0 or further != b"\0\0\0" or count > len(body):
        raise _NotPlainError
    values, at = _values(body, _HEAD.size, count)
    if body[at:] not in _NO_MORE:
        raise _NotPlainError
    header = ua.ResponseHeader(
        Timestamp=win_epoch_to_datetime(told_at),
        RequestHandle=handle,
        ServiceResult=status(result),
    )
    return ua.ReadResponse(ResponseHeader=header, Results=values)


def _values(body: bytes, at: int, count: int) -> tuple[list[ua.DataValue], int]:
    """So many values from a place on, and the place behind them."""
    values: list[ua.DataValue] = []
    ticks, time = -1, None
    """Of the value before: those of one answer often have the same."""
    for _ in range(count):
        mask = body[at]
        if mask & _PICOSECONDS or not mask & _VALUE:
            value, at = _by_asyncua(body, at)
            values.append(value)
            continue
        kind = body[at + 1]
        if (number := _NUMBERS.get(kind)) is not None:
            unpack, size, variant_type = number
            (found,) = unpack(body, at + 2)
            after = at + 2 + size
        elif kind == _STRING:
            found, after = _text(body, at + 2)
            variant_type = ua.VariantType.String
        elif kind in _LISTS:
            found, after = _list(body, at + 2, _LISTS[kind][0])
            variant_type = _LISTS[kind][1]
        elif kind == _TIME:
            found, after = win_epoch_to_datetime(_INT64(body, at + 2)[0]), at + 10
            variant_type = ua.VariantType.DateTime
        elif kind == _STRUCTURE and body[at + 2] == body[at + 6] == 1:
            after = at + 11 + max(0, _INT32(body, at + 7)[0])
            if after > len(body):
                raise _NotPlainError
            found, variant_type = _structure(body[at + 2 : after]), ua.VariantType.ExtensionObject
        else:
            value, at = _by_asyncua(body, at)
            values.append(value)
            continue
        variant = _new_variant(ua.Variant)  # what its checks are for is known here
        variant.Value, variant.VariantType = found, variant_type
        variant.Dimensions, variant.is_array = None, kind >= _LIST
        value = _new_value(ua.DataValue)
        value.Encoding, value.Value = 0, variant
        value.StatusCode = _GOOD
        value.SourceTimestamp = value.ServerTimestamp = None
        value.SourcePicoseconds = value.ServerPicoseconds = None
        if mask & _STATUS:
            value.StatusCode = status(_UINT32(body, after)[0])
            after += 4
        if mask & _SOURCE:
            if (told := _INT64(body, after)[0]) != ticks:
                ticks, time = told, win_epoch_to_datetime(told)
            value.SourceTimestamp = time
            after += 8
        if mask & _SERVER:
            value.ServerTimestamp = win_epoch_to_datetime(_INT64(body, after)[0])
            after += 8
        values.append(value)
        at = after
    return values, at


def _text(body: bytes, at: int) -> tuple[str | None, int]:
    (length,) = _INT32(body, at)
    if length == -1:
        return None, at + 4
    end = at + 4 + length
    if length < 0 or end > len(body):
        raise _NotPlainError
    return body[at + 4 : end].decode(errors="surrogateescape"), end


def _list(body: bytes, at: int, code: str) -> tuple[list[object] | None, int]:
    (length,) = _INT32(body, at)
    if length == -1:
        return None, at + 4
    if length < 0 or length > len(body):
        raise _NotPlainError
    numbers = struct.Struct(f"<{length}{code}")
    return list(numbers.unpack_from(body, at + 4)), at + 4 + numbers.size


@lru_cache(maxsize=256)
def _structure(made: bytes) -> object:
    """A structure as asyncua decodes it, once for the same bytes; nobody may change it."""
    return extensionobject_from_binary(Buffer(made))


def _by_asyncua(body: bytes, at: int) -> tuple[ua.DataValue, int]:
    rest = Buffer(body, at)
    value: ua.DataValue = struct_from_binary(ua.DataValue, rest)
    return value, rest.cur_pos


@lru_cache(maxsize=256)
def status(code: int) -> ua.StatusCode:
    """One object a code."""
    return ua.StatusCode(code)


_GOOD = status(ua.StatusCodes.Good)
_new_variant: Callable[[type[ua.Variant]], ua.Variant] = ua.Variant.__new__
_new_value: Callable[[type[ua.DataValue]], ua.DataValue] = ua.DataValue.__new__
