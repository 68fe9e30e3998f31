"""Registers are read in as few requests as the device and the map allow."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.blocks import Block, merged
from drivers.register import Register
from tests.drivers.registermakers import a_register

KINDS: list[dict[str, Any]] = [
    {"type": "int16", "scale": 0.1},
    {"type": "uint32", "order": "CDAB"},
    {"type": "float32", "order": "DCBA"},
    {"type": "uint64", "order": "BADC"},
    {"type": "bit", "bit": 9},
    {"type": "text", "length": 3},
    {"type": "int16", "invalid": [-1]},
]


@st.composite
def registers(draw: st.DrawFn) -> list[Register]:
    """Registers one behind the other with gaps, in any order."""
    made, address = [], 0
    for number in range(draw(st.integers(1, 30))):
        address += draw(st.integers(0, 12))
        keys = draw(st.sampled_from(KINDS)) | {"function": draw(st.sampled_from([3, 4]))}
        register = a_register(f"value_{number}", address, **keys)
        made.append(register)
        address = register.end
    return draw(st.permutations(made))


def at(address: int, **keys: Any) -> Register:
    return a_register(f"value_{address}", address, **keys)


@settings(max_examples=40)
@given(registers(), st.integers(4, 125), st.integers(0, 20))
def test_every_register_is_read_once_and_no_block_is_too_long(
    wanted: list[Register], max_block: int, gap: int
) -> None:
    groups = merged(wanted, max_block=max_block, gap=gap)

    read = [register.signal for group in groups for register in group.registers]
    assert sorted(read) == sorted(register.signal for register in wanted)
    for group in groups:
        assert group.block.length <= max_block
        for register in group.registers:
            assert register.function == group.block.function
            assert group.block.first <= register.address
            assert register.end <= group.block.first + group.block.length


@settings(max_examples=40)
@given(registers(), st.data())
def test_a_register_shows_the_same_alone_and_in_a_block(
    wanted: list[Register], data: st.DataObject
) -> None:
    memory = data.draw(st.binary(min_size=1200, max_size=1200))

    def read(block: Block) -> bytes:
        return memory[2 * block.first : 2 * (block.first + block.length)]

    together: dict[str, object] = {}
    alone: dict[str, object] = {}
    for where, gap in ((together, 125), (alone, 0)):
        for group in merged(wanted, max_block=125 if gap else 4, gap=gap):
            shown = zip(group.registers, *group.decode(read(group.block)), strict=True)
            where.update({register.signal: (value, quality) for register, value, quality in shown})

    assert together == alone


def test_a_gap_is_read_in_vain_up_to_the_budget_and_not_beyond() -> None:
    wanted = [at(0), at(5), at(30)]

    assert [group.block for group in merged(wanted, max_block=125, gap=4)] == [
        (3, 0, 6),
        (3, 30, 1),
    ]
    assert [group.block for group in merged(wanted, max_block=125, gap=3)] == [
        (3, 0, 1),
        (3, 5, 1),
        (3, 30, 1),
    ]


def test_no_value_is_cut_by_the_end_of_a_block() -> None:
    groups = merged(
        [at(address, type="float32") for address in range(0, 200, 2)], max_block=41, gap=0
    )

    assert [group.block.length for group in groups] == [40] * 5


def test_functions_are_never_mixed() -> None:
    groups = merged([at(0), at(1, function=4), at(2)], max_block=125, gap=8)

    assert [group.block for group in groups] == [(3, 0, 3), (4, 1, 1)]


def test_bits_come_packed_eight_to_a_byte_from_the_lowest() -> None:
    wanted = [at(address, function=2) for address in (3, 10, 11, 250)]
    near, far = merged(wanted, max_block=125, gap=8)

    assert (near.block, near.block.size) == ((2, 3, 9), 2)
    assert near.decode(bytes([0b1000_0000, 0b1]))[0] == [False, True, True]
    assert far.block == (2, 250, 1)


def test_one_request_takes_up_to_2000_bits() -> None:
    groups = merged(
        [at(address, function=1) for address in range(0, 4000, 10)], max_block=125, gap=8
    )

    assert [group.block.length for group in groups] == [1991, 1991]


def test_a_group_is_split_at_its_widest_gap() -> None:
    [group] = merged([at(0), at(1), at(4), at(5)], max_block=125, gap=8)

    first, second = group.split()

    assert (first.block, second.block) == ((3, 0, 2), (3, 4, 2))


def test_a_group_without_gaps_is_split_in_the_middle() -> None:
    [group] = merged([at(address) for address in range(5)], max_block=125, gap=8)

    first, second = group.split()

    assert (first.block, second.block) == ((3, 0, 2), (3, 2, 3))


def test_one_register_can_not_be_split() -> None:
    [group] = merged([at(0)], max_block=125, gap=8)

    with pytest.raises(ValueError, match="can't be split"):
        group.split()


def test_forty_registers_of_mixed_types_are_one_request() -> None:
    [group] = merged(
        [at(2 * n, type="float32", order="CDAB") for n in range(40)], max_block=125, gap=8
    )
    numbers = [n / 4 for n in range(40)]
    data = b"".join(struct.pack(">f", n)[2:] + struct.pack(">f", n)[:2] for n in numbers)

    assert group.decode(data)[0] == numbers
