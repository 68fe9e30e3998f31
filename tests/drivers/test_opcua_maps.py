"""Node maps: what a person may write, and what is said about the rest."""

import doctest
from pathlib import Path

import pytest

import drivers.nodeid
from drivers import MapError
from drivers.nodeid import NodeAddress, PathAddress, parse_address, parse_id
from drivers.nodes import load_map
from drivers.signals import MODES, SIGNALS


def written(folder: Path, text: str, name: str = "map.toml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def complaint(folder: Path, text: str, name: str = "map.toml") -> str:
    with pytest.raises(MapError) as raised:
        load_map(written(folder, text, name), folder)
    return str(raised.value).replace(f"{folder}/", "")


def test_the_examples_in_docstrings_are_true() -> None:
    assert doctest.testmod(drivers.nodeid).failed == 0


def test_the_shipped_map_has_every_value_of_a_cycle_in_our_words() -> None:
    nodes = load_map("flat-em63", Path("/nowhere"))

    assert all(node.signal in SIGNALS for node in nodes.nodes)
    by_signal = {node.signal: node for node in nodes.nodes}
    assert by_signal["mode"].value(16.0) == "AUTOMATIC"
    assert by_signal["counter"].value(1234.0) == 1234
    assert by_signal["closing"].latched
    assert by_signal["cooling_time_s"].latched
    assert not by_signal["mold_temp_c"].latched


def test_a_map_names_ids_paths_units_and_words(tmp_path: Path) -> None:
    name = written(
        tmp_path,
        """
        name = "A maker's nodes"
        namespace = "urn:maker"
        [[node]]
        signal = "counter"
        id = "nsu=urn:other;i=42"
        width = 16
        [[node]]
        signal = "hold_pressure_bar"
        path = "Machine/Last cycle/Hold"
        unit = "MPa"
        scale = 0.1
        invalid = [-1, 65535]
        [[node]]
        signal = "SpindleLoad"
        id = "s=Load"
        unit = "furlong"
        """,
    )

    counter, hold, load = load_map(name, tmp_path).nodes

    assert counter.address == NodeAddress("urn:other", "i", 42, "nsu=urn:other;i=42")
    assert counter.modulus == 65536
    assert isinstance(hold.address, PathAddress)
    assert hold.address.steps[1] == ("urn:maker", "Last cycle")
    assert hold.value(455) == pytest.approx(455.0)
    assert hold.resolution == pytest.approx(1.0)
    assert hold.value(65535) is None
    assert load.value("12") == "12"
    assert load.unit == "furlong"


def test_a_spreadsheet_is_a_map_too_even_a_german_one(tmp_path: Path) -> None:
    name = written(
        tmp_path,
        "signal;id;unit;scale;states;latched\r\n"
        '"cycle_time_s";"nsu=urn:maker;s=Cyc";s;0,01;;false\r\n'
        ";;;;;\r\n"
        'mode;"nsu=urn:maker;s=Mode";;;1=MANUAL 2=AUTOMATIC;\r\n'
        'mold_temp_c;"nsu=urn:maker;s=Tmp";degF;;;\r\n',
        "map.csv",
    )

    cycle, mode, temperature = load_map(name, tmp_path).nodes

    assert cycle.value(2412) == pytest.approx(24.12)
    assert mode.value(2) == "AUTOMATIC"
    assert temperature.value(212) == pytest.approx(100.0)
    assert not temperature.latched


@pytest.mark.parametrize(
    ("raw", "word"),
    [(16.0, "AUTOMATIC"), (18, "AUTOMATIC"), (2, "SLEEP"), (0, "OTHER"), (64, None), (0.5, None)],
)
def test_a_bit_mask_is_its_highest_bit_that_has_a_word(raw: float, word: str | None) -> None:
    nodes = load_map("flat-em63", Path())
    mode = next(node for node in nodes.nodes if node.signal == "mode")

    assert mode.value(raw) == word


@pytest.mark.parametrize(
    ("signal", "raw", "value"),
    [
        ("counter", 7.5, None),
        ("counter", -1, None),
        ("counter", 2**40, 2**40),
        ("cycle_time_s", float("nan"), None),
        ("cycle_time_s", float("inf"), None),
        ("cycle_time_s", "24.1", 24.1),
        ("cycle_time_s", "?", None),
        ("cycle_time_s", [1.0, 2.0], None),
        ("mold", "  M-17 ", "M-17"),
        ("mold", "\n      ", None),
        ("mold", 4711.0, "4711"),
        ("mode", 1, MODES[1]),
        ("mode", 99, None),
        ("parts_planned", 5000, 5000.0),
        ("phase", "cool", "cool"),
        ("phase", 4, None),
        ("Vendor.Flag", True, True),
        ("Vendor.List", [1, 2], "1, 2"),
    ],
)
def test_what_a_node_shows_is_a_value_or_none(
    tmp_path: Path, signal: str, raw: object, value: object
) -> None:
    name = written(
        tmp_path, f'[[node]]\nsignal = "{signal}"\nid = "nsu=urn:m;s=N"\nlatched = false'
    )

    assert load_map(name, tmp_path).nodes[0].value(raw) == value


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        (
            'signal = "cycle_time_s"\nid = "ns=2;s=A"',
            "map.toml: node[1].id: 'ns=2;s=A' names a namespace by index, which may differ after "
            "every restart of the server; write 'nsu=URI;s=...', or give the map a 'namespace'",
        ),
        (
            'signal = "cycle_time_s"\nid = "s=A"',
            "map.toml: node[1].id: 's=A' names no namespace; write 'nsu=URI;s=A'",
        ),
        (
            'signal = "cycle_time_s"\npath = "{urn:m}A//B"',
            "map.toml: node[1].path: '{urn:m}A//B' is no browse path; "
            "write 'Machine/Values/CycleTime'",
        ),
        (
            'signal = "cushion_mm"\nid = "nsu=urn:m;s=A"\nunit = "bar"',
            "map.toml: node[1].unit: found 'bar'; bar can't become mm",
        ),
        (
            'signal = "mode"\nid = "nsu=urn:m;s=A"\nstates = { 1 = "AUTO" }',
            "map.toml: node[1].states: found a table; it should have the words OTHER, AUTOMATIC, "
            "SEMI_AUTOMATIC, MANUAL, SETUP, SLEEP; not 'AUTO'",
        ),
        (
            'signal = "mold"\nid = "nsu=urn:m;s=A"\nlatchd = true',
            "map.toml: node[1].latchd: no such key; did you mean 'latched'?",
        ),
    ],
)
def test_a_wrong_entry_is_named_with_what_would_be_right(
    tmp_path: Path, node: str, sentence: str
) -> None:
    assert complaint(tmp_path, f"[[node]]\n{node}") == sentence


def test_one_signal_at_two_nodes_is_a_mistake(tmp_path: Path) -> None:
    row = '[[node]]\nsignal = "mold"\nid = "nsu=urn:m;s=A"\n'

    assert "node[2].signal: 'mold' already is node[1]" in complaint(tmp_path, row + row)


def test_a_mistake_in_a_spreadsheet_is_named_by_its_row(tmp_path: Path) -> None:
    sheet = 'Signal,id,unit\nmold,nsu=urn:m;s=A,\n,,\ncycle_time_s,"nsu=urn:m;s=B",bar\n'

    said = complaint(tmp_path, sheet, "map.csv")

    assert said == "map.csv: row 4, unit: found 'bar'; bar can't become s"


def test_a_cell_with_a_separator_and_no_quotes_is_a_mistake(tmp_path: Path) -> None:
    sheet = "signal,id\nbarrel_zone_1_c,nsu=urn:m;s=ActTmpBrlZn[1,1]\n"

    said = complaint(tmp_path, sheet, "map.csv")

    assert said == (
        "map.csv: row 2: found 3 cells under 2 names; a cell with a separator in it needs quotes"
    )


def test_a_map_that_is_not_shipped_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"no map 'flat-em36' is shipped; .* flat-em63"):
        load_map("flat-em36", tmp_path)


def test_a_register_map_is_not_taken_for_a_node_map(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[[register]]\nsignal = "counter"\naddress = 1')

    assert said == "map.toml: a register map, for driver 'modbus'; a node map has [[node]]"


def test_an_address_is_an_id_or_a_path() -> None:
    assert isinstance(parse_address("i=2258", "http://opcfoundation.org/UA/"), NodeAddress)
    assert isinstance(parse_address("Machine/Cooling", "urn:m"), PathAddress)


@pytest.mark.parametrize("text", ["i=x", "i=-1", "g=1234", "b=%%", "q=1", "ns=2;i=4"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"wants|is no node id|by index"):
        parse_id(text, "urn:m")


def test_values_of_the_last_cycle_need_a_counter(tmp_path: Path) -> None:
    said = complaint(tmp_path, '[[node]]\nsignal = "fill_time_s"\nid = "nsu=urn:m;s=A"')

    assert said == (
        "map.toml: node: found no 'counter', which says when fill_time_s belong to another cycle; "
        "what may be read at any time has 'latched = false'"
    )
