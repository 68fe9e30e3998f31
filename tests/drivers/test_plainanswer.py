"""The lean decoder of a read's answer beside asyncua's own, on answers of every kind."""

import math
import struct
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from asyncua.ua.uatypes import win_epoch_to_datetime
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.plainanswer import decode

T = ua.VariantType
BITS = {
    T.SByte: (-(2**7), 2**7 - 1),
    T.Byte: (0, 2**8 - 1),
    T.Int16: (-(2**15), 2**15 - 1),
    T.UInt16: (0, 2**16 - 1),
    T.Int32: (-(2**31), 2**31 - 1),
    T.UInt32: (0, 2**32 - 1),
    T.Int64: (-(2**63), 2**63 - 1),
    T.UInt64: (0, 2**64 - 1),
}
TEXT = st.text(max_size=8)
TIME = st.integers(0, 2_600_000_000 * 10**8).map(win_epoch_to_datetime)
CODE = st.sampled_from([0, 0x408F0000, 0x80340000, 0x80000000, 0x480, 0x12345678])
NODE_ID = st.builds(ua.NodeId, st.integers(1, 2**32 - 1) | TEXT, st.integers(0, 9))
SCALARS: dict[ua.VariantType, st.SearchStrategy[Any]] = {
    T.Boolean: st.booleans(),
    **{kind: st.integers(*ends) for kind, ends in BITS.items()},
    T.Float: st.floats(width=32),
    T.Double: st.floats(),
    T.String: st.none() | TEXT,
    T.DateTime: TIME,
    T.Guid: st.builds(uuid.UUID, int=st.integers(0, 2**128 - 1)),
    T.ByteString: st.none() | st.binary(max_size=6),
    T.XmlElement: st.builds(ua.XmlElement, TEXT),
    T.NodeId: NODE_ID,
    T.ExpandedNodeId: NODE_ID,
    T.StatusCode: st.builds(ua.StatusCode, CODE),
    T.QualifiedName: st.builds(ua.QualifiedName, TEXT, st.integers(0, 9)),
    T.LocalizedText: st.builds(ua.LocalizedText, st.none() | TEXT, st.none() | TEXT),
    T.ExtensionObject: st.builds(ua.EUInformation, NamespaceUri=TEXT, UnitId=st.integers(0, 99)),
    T.DataValue: st.builds(ua.DataValue, st.builds(ua.Variant, st.floats(), st.just(T.Double))),
}
VARIANT = st.one_of(
    st.just(ua.Variant(None, T.Null)),
    *(st.builds(ua.Variant, each, st.just(kind)) for kind, each in SCALARS.items()),
    *(
        st.builds(ua.Variant, st.lists(each, max_size=4), st.just(kind), is_array=st.just(True))
        for kind, each in SCALARS.items()
    ),
    st.just(ua.Variant(None, T.Double, is_array=True)),
    st.just(ua.Variant([[1, 2], [3, 4]], T.Int16)),
)
VALUE = st.builds(
    ua.DataValue,
    VARIANT,
    st.none() | st.builds(ua.StatusCode, CODE),
    st.none() | TIME,
    st.none() | TIME,
    st.none() | st.integers(0, 9999),
    st.none() | st.integers(0, 9999),
)
ANSWER = st.builds(
    ua.ReadResponse,
    ResponseHeader=st.builds(
        ua.ResponseHeader,
        Timestamp=TIME,
        RequestHandle=st.integers(0, 2**32 - 1),
        ServiceResult=st.builds(ua.StatusCode, CODE),
        StringTable=st.lists(TEXT, max_size=1),
    ),
    Results=st.lists(VALUE, max_size=5),
    DiagnosticInfos=st.lists(st.builds(ua.DiagnosticInfo), max_size=1),
)
PLAIN = ua.ReadResponse(
    Results=[
        ua.DataValue(ua.Variant(20.5, T.Double), SourceTimestamp=datetime.now(UTC)),
        ua.DataValue(ua.Variant("J-1", T.String), ua.StatusCode(0x80340000)),
        ua.DataValue(ua.Variant([1.0, math.nan], T.Float)),
    ]
)


def outcome(decoder: Any, body: bytes) -> str:
    """What comes out, with every field; or what is raised."""
    try:
        answer = decoder(body)
    except Exception as error:  # noqa: BLE001 - whatever it is, it should be the same
        return f"{type(error).__name__}: {error}"
    return f"{answer.ResponseHeader!r} {answer.Results!r}"


def by_asyncua(body: bytes) -> Any:
    return struct_from_binary(ua.ReadResponse, Buffer(body))


@given(ANSWER)
@settings(max_examples=400, deadline=None)
def test_every_answer_is_decoded_as_asyncua_does(answer: ua.ReadResponse) -> None:
    body = struct_to_binary(answer)
    assert outcome(decode, body) == outcome(by_asyncua, body)


@given(ANSWER, st.data())
@settings(max_examples=400, deadline=None)
def test_bytes_that_are_no_answer_fail_as_they_do_in_asyncua(
    answer: ua.ReadResponse, data: st.DataObject
) -> None:
    body = bytearray(struct_to_binary(answer))
    for at in data.draw(st.lists(st.integers(4, len(body) - 1), max_size=3)):
        body[at] = data.draw(st.integers(0, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    assert outcome(decode, cut) == outcome(by_asyncua, cut)


@pytest.mark.parametrize("length", range(len(struct_to_binary(PLAIN))))
def test_an_answer_cut_short_anywhere_is_never_taken_for_whole(length: int) -> None:
    cut = struct_to_binary(PLAIN)[:length]
    assert outcome(decode, cut) == outcome(by_asyncua, cut)


def test_a_plain_answer_needs_nothing_of_asyncua(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise AssertionError("asyncua's own decoder was asked")

    body = struct_to_binary(PLAIN)
    expected = outcome(by_asyncua, body)
    monkeypatch.setattr("drivers.plainanswer.struct_from_binary", fails)
    assert outcome(decode, body) == expected


def test_a_list_that_claims_to_be_longer_than_its_answer_is_not_made() -> None:
    body = bytearray(struct_to_binary(ua.ReadResponse(Results=[PLAIN.Results[2]])))
    at = body.index(struct.pack("<i", 2) + struct.pack("<f", 1.0))
    body[at : at + 4] = struct.pack("<i", 2**31 - 1)
    assert outcome(decode, bytes(body)) == outcome(by_asyncua, bytes(body))
