"""Register maps: what they may say, and what is said of a wrong one."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from drivers import MapError
from drivers.curvesentry import CurvesEntry
from drivers.modbus import ModbusSettings
from drivers.observations import Quality
from drivers.registerentry import MapFile, RegisterEntry
from drivers.registers import load_map, shipped, with_cooling
from drivers.settings import MachineSettings
from drivers.signals import signal_named
from tests.drivers.registermakers import a_map, a_register, a_sheet

CASES = Path(__file__).parents[1] / "cases" / "registers"

COUNTER = """
[[register]]
signal = "counter"
address = 0
"""


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_wrong_map_says_what_is_wrong_and_where(case: str) -> None:
    [file] = (CASES / case).glob("map.*")
    expected = (CASES / case / "error.txt").read_text(encoding="utf-8").splitlines()

    with pytest.raises(MapError) as raised:
        load_map(file.name, CASES / case)

    assert str(raised.value).splitlines() == [
        line.replace(file.name, str(file), 1) for line in expected
    ]


def test_a_map_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"plc\.toml: can't be read: No such file"):
        load_map("plc.toml", tmp_path)


def test_a_name_that_is_not_shipped_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"no map 'retrofit' is shipped.*retrofit-plc"):
        load_map("retrofit", tmp_path)


def test_a_node_map_is_not_offered_as_a_register_map() -> None:
    assert "retrofit-plc" in shipped()
    assert "flat-em63" not in shipped()


OF_DEVICES = ("tcu-9",)
"""Maps of devices at a press, which count no shots."""


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_map_is_right_and_knows_its_signals(name: str, tmp_path: Path) -> None:
    registers = load_map(name, tmp_path)

    assert (registers.register("counter") is not None) == (name not in OF_DEVICES)
    own = [r.signal for r in registers.registers if signal_named(r.signal) is None]
    assert [signal for signal in own if "/" not in signal] == []


def test_defaults_of_the_file_hold_where_an_entry_says_nothing(tmp_path: Path) -> None:
    text = """
        function = 4
        base = 1
        order = "CDAB"
        [[register]]
        signal = "oil_temp_c"
        address = 30
        type = "float32"
        [[register]]
        signal = "melt_temp_c"
        address = 30
        type = "float32"
        function = 3
        base = 0
        order = "ABCD"
        """

    oil, melt = a_map(tmp_path, text).registers

    assert (oil.function, oil.address, oil.order, oil.source) == (4, 29, "CDAB", "input 30")
    assert (melt.function, melt.address, melt.order, melt.source) == (3, 30, "ABCD", "holding 30")


def test_values_of_the_cycle_are_latched_and_the_others_live(tmp_path: Path) -> None:
    text = (
        COUNTER
        + """
        [[register]]
        signal = "cycle_time_s"
        address = 1
        [[register]]
        signal = "oil_temp_c"
        address = 2
        [[register]]
        signal = "VendorsOwn"
        address = 3
        [[register]]
        signal = "closing"
        address = 4
        latched = true
        states = { 0 = "shot", 1 = "dry" }
        """
    )

    latched = {r.signal for r in a_map(tmp_path, text).registers if r.latched}

    assert latched == {"cycle_time_s", "VendorsOwn", "closing"}


@pytest.mark.parametrize(
    ("line", "modulus"), [("width = 16", 65536), ("modulus = 10000", 10000), ("", None)]
)
def test_a_counter_wraps_where_the_map_says(line: str, modulus: int | None, tmp_path: Path) -> None:
    [counter] = a_map(tmp_path, COUNTER + line).registers

    assert counter.modulus == modulus


@pytest.mark.parametrize(
    ("word", "kind"),
    [("WORD", "uint16"), ("Int", "int16"), ("REAL", "float32"), ("UDINT", "uint32")],
)
def test_types_may_be_called_as_plc_programmers_do(word: str, kind: str, tmp_path: Path) -> None:
    text = f'[[register]]\nsignal = "oil_temp_c"\naddress = 4\ntype = "{word}"\n'

    assert a_map(tmp_path, text).registers[0].type == kind


def test_the_step_of_a_number_is_known_in_our_unit(tmp_path: Path) -> None:
    text = """
        [[register]]
        signal = "melt_temp_c"
        address = 1
        scale = 0.1
        unit = "degF"
        [[register]]
        signal = "oil_temp_c"
        address = 2
        type = "float32"
        """

    melt, oil = (register.column for register in a_map(tmp_path, text).registers)

    assert melt.resolution == pytest.approx(0.1 * 5 / 9)
    assert (melt.unit, oil.resolution) == ("°F", None)


def test_two_signals_may_be_bits_of_one_register(tmp_path: Path) -> None:
    text = """
        [[register]]
        signal = "door_open"
        address = 7
        type = "bit"
        bit = 0
        latched = false
        [[register]]
        signal = "pump_on"
        address = 7
        type = "bit"
        bit = 1
        latched = false
        """

    assert [r.source for r in a_map(tmp_path, text).registers] == ["holding 7.0", "holding 7.1"]


@pytest.mark.parametrize(
    ("kind", "end"),
    [("uint16", 0xFFFF), ("int16", -0x8000), ("uint32", 0xFFFFFFFF), ("int32", -0x80000000)],
)
@pytest.mark.parametrize("scale", [0.1, -0.1])
def test_the_end_of_a_type_is_no_measurement(kind: str, end: int, scale: float) -> None:
    last = end - 1 if end > 0 else end + 1
    taken = a_register(type=kind, scale=scale, invalid=[])
    register = a_register(type=kind, scale=scale)

    assert register.value(end) == (None, Quality.BAD)
    assert register.value(last) == (register.scaling(last), Quality.GOOD)
    assert register.is_quantity  # decoded with all others at once
    assert taken.value(end) == (taken.scaling(end), Quality.GOOD)


def test_a_count_may_stand_at_the_end_of_its_type() -> None:
    assert a_register("counter").value(0xFFFF) == (0xFFFF, Quality.GOOD)
    assert a_register("vendor_count").value(0xFFFF) == (0xFFFF, Quality.GOOD)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_spreadsheet_is_a_map_too(encoding: str, tmp_path: Path) -> None:
    sheet = (
        "Signal;Function;Address;Type;Order;Scale;Unit;Invalid;States;Latched;Note\n"
        "counter;3;0;UDINT;abcd;;;;;;shots since the PLC was loaded\n"
        ";;;;;;;;;;\n"
        "melt_temp_c;4;0x10;INT;;0,1;°C;0x8000 0x7FFF;;;\n"
        "phase;3;2;;;;;;0=idle 4=cool;;\n"
        "cooling_time_s;3;100;UINT;;10,0;ms;;;yes;\n"
    )

    counter, melt, phase, cooling = a_sheet(tmp_path, sheet, encoding).registers

    assert (counter.words, counter.type) == (2, "uint32")
    assert (melt.function, melt.address, melt.scaling(215)) == (4, 16, 21.5)
    assert melt.invalid == {-0x8000, 0x7FFF}
    assert phase.states == {"0": "idle", "4": "cool"}
    assert (cooling.scaling(123), cooling.latched) == (1.23, True)


def test_a_spreadsheet_with_commas_says_the_same(tmp_path: Path) -> None:
    sheet = 'signal,function,address,type,scale\noil_temp_c,3,4,int16,0.1\nmelt_temp_c,3,5,,"0,5"\n'

    oil, melt = a_sheet(tmp_path, sheet).registers

    assert (oil.scaling(415), melt.scaling(415)) == (41.5, 207.5)


@pytest.mark.parametrize(
    ("written", "function", "address"),
    [
        ("40001", 3, 0),
        ("400001", 3, 0),
        ("465536", 3, 65535),
        ("30012", 4, 11),
        ("10003", 2, 2),
        ("00007", 1, 6),
        ("107", 3, 107),
        ("0x1000", 3, 4096),
    ],
)
def test_an_address_as_manuals_print_it_says_what_it_reads(
    written: str, function: int, address: int, tmp_path: Path
) -> None:
    sheet = f"signal;address;latched\nvendors_own;{written};no\n"

    [register] = a_sheet(tmp_path, sheet).registers

    assert (register.function, register.address) == (function, address)


def test_with_a_function_a_large_address_is_just_that(tmp_path: Path) -> None:
    sheet = "signal;function;address\noil_temp_c;3;40001\n"

    assert a_sheet(tmp_path, sheet).registers[0].address == 40001


def test_a_vendors_register_may_hold_the_cooling_time(tmp_path: Path) -> None:
    text = (
        COUNTER
        + """
        [[register]]
        signal = "Kuehlzeit"
        address = 5
        scale = 10
        unit = "ms"
        [[register]]
        signal = "cooling_time_s"
        address = 9
        """
    )

    registers = with_cooling(a_map(tmp_path, text), "Kuehlzeit")

    assert {register.signal for register in registers.registers} == {"counter", "cooling_time_s"}
    cooling = registers.register("cooling_time_s")
    assert cooling is not None
    assert (cooling.address, cooling.scaling(1234), cooling.latched) == (5, 12.34, True)
    assert cooling.resolution == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ("Kuelzeit", r"found 'Kuelzeit'; map 'map' has Druck, Wort, counter"),
        ("Druck", r"'Druck' in map 'map': found the unit 'bar'; it should be one of time"),
        ("Wort", r"'Wort' in map 'map': a text can't be a time"),
    ],
)
def test_a_register_that_is_no_time_can_not_hold_the_cooling_time(
    signal: str, said: str, tmp_path: Path
) -> None:
    text = (
        COUNTER
        + """
        [[register]]
        signal = "Druck"
        address = 5
        unit = "bar"
        [[register]]
        signal = "Wort"
        address = 6
        type = "text"
        length = 2
        """
    )

    with pytest.raises(MapError, match=said):
        with_cooling(a_map(tmp_path, text), signal)


PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "modbus.md").read_text(encoding="utf-8")


def examples(kind: str) -> list[str]:
    found: list[str] = re.findall(rf"```{kind}\n(.*?)```", PAGE, flags=re.DOTALL)
    return found


def test_the_examples_of_the_reference_page_are_right(tmp_path: Path) -> None:
    tables = [tomllib.loads(text) for text in examples("toml")]
    machines = [machine for table in tables for machine in table.get("machine", [])]
    for machine in machines:
        ModbusSettings.model_validate(machine)
    a_register_map, of_curves = [t for t in examples("toml") if "[[machine]]" not in t]
    registers = a_map(tmp_path, f"{a_register_map}\n{of_curves}")
    assert registers.curves is not None
    [a_spreadsheet] = examples("csv")
    sheet = a_sheet(tmp_path, a_spreadsheet)
    assert len(machines) == 3

    pressure = registers.register("injection_pressure_bar")
    assert pressure is not None
    assert pressure.scaling(85) == 850
    counter, _, melt, cooling = sheet.registers
    assert (counter.address, counter.order, melt.function, melt.address) == (0, "CDAB", 4, 18)
    assert cooling.scaling(1234) == 12.34


@pytest.mark.parametrize("model", [RegisterEntry, MapFile, CurvesEntry, ModbusSettings])
def test_every_key_stands_on_the_reference_page(model: type[BaseModel]) -> None:
    common = set(MachineSettings.model_fields) - {"timeout_s"}
    keys = {field.alias or name for name, field in model.model_fields.items()} - common

    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE and key != "driver"] == []


def test_every_shipped_map_stands_on_the_reference_page() -> None:
    assert [name for name in shipped() if f"| `{name}` |" not in PAGE] == []
