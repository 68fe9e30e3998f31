"""Fleet files: what is shipped is right, and what is wrong is said in a sentence."""

import tomllib
from pathlib import Path

import pytest

from simulators.fleet import Fleet, FleetError, line_of, load, names
from simulators.modes import Mode
from simulators.printedconfig import print_config

GOOD = """
[[press]]
name = "IMM-01"
protocol = "modbus"
mold = "A-2188"

[[mold]]
id = "A-2188"
resin = "PP"
"""

WITH_PARTS = GOOD.replace('protocol = "modbus"', 'protocol = "modbus"\nparts = 10')

RUN = """
[[run]]
press = "IMM-01"
mold = "A-2188"
job = "J-2"
parts = 100
"""

EVENT = """
[[event]]
at_s = 60
press = "IMM-01"
"""


def from_text(folder: Path, text: str) -> Fleet:
    path = folder / "plant.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("name", names())
def test_every_shipped_fleet_can_be_used(name: str) -> None:
    fleet = load(name)

    for press in fleet.press:
        setup = fleet.setup(press)
        assert setup.mold.id == press.mold
    ports = fleet.ports()
    lines = {line_of(each) or each.name for each in fleet.devices}
    assert len(set(ports.values())) == len(lines)


def test_the_demo_fleet_has_twelve_presses_of_three_kinds() -> None:
    fleet = load("demo")

    assert [press.name for press in fleet.press] == [f"IMM-{n:02d}" for n in range(1, 13)]
    for protocol in ("modbus", "flat", "euromap77"):
        assert sum(press.protocol == protocol for press in fleet.press) == 4
    modes = [fleet.setup(press).mode for press in fleet.press]
    assert Mode.SETUP in modes
    assert Mode.SEMI_AUTOMATIC in modes
    for mold in fleet.mold:
        assert 12 <= mold.expected_cycle_s <= 45


def test_a_fleet_is_cut_or_repeated_to_any_size() -> None:
    fleet = load("six")

    assert [press.name for press in fleet.first(2).press] == ["IMM-01", "IMM-02"]
    assert len(fleet.first(2).mold) == 2
    many = fleet.first(20)
    assert many.press[19].name == "IMM-20"
    assert len({press.mold for press in many.press}) == 20
    assert len(set(many.ports().values())) == 20
    with pytest.raises(FleetError, match="at least 1"):
        fleet.first(0)


def test_the_printed_configuration_names_every_machine_and_mold() -> None:
    fleet = load("demo")

    config = tomllib.loads(print_config(fleet, fleet.ports()))

    assert [machine["name"] for machine in config["machine"]] == [p.name for p in fleet.press]
    assert [mold["id"] for mold in config["mold"]] == [mold.id for mold in fleet.mold]
    by_name = {machine["name"]: machine for machine in config["machine"]}
    plc = by_name["IMM-01"]
    assert (plc["driver"], plc["map"], plc["port"]) == ("modbus", "retrofit-plc", 15020)
    flat = by_name["IMM-05"]
    assert (flat["driver"], flat["map"]) == ("opcua", "flat-em63")
    assert flat["url"] == "opc.tcp://127.0.0.1:14840"
    mes = by_name["IMM-09"]
    assert mes["cooling"] == {"event_field": "CoolingTime"}
    assert mes["fields"]["ClampForce"] == "clamp_force_kn"
    assert config["mold"][0] == {
        "id": "A-2188",
        "revision": "B",
        "part": "Sensor cap",
        "alloy": "7075-T6",
        "cavities": 2,
        "planned_shots": 10_000,
        "expected_cycle_s": 16.5,
        "resin": "PA66-GF30",
    }


def test_the_printed_configuration_names_machines_on_a_line_by_unit_and_framing() -> None:
    fleet = load("trouble")

    config = tomllib.loads(print_config(fleet, fleet.ports()))

    on_lines = {p.name: p for p in fleet.press if p.gateway and p.framing == "rtu"}
    tables = {m["name"]: m for m in config["machine"] if m["name"] in on_lines}
    assert len(tables) == len(on_lines) >= 2
    assert all(table["framing"] == "rtu" for table in tables.values())
    assert len({table["port"] for table in tables.values()}) == 1
    assert {table["unit"] for table in tables.values()} == {p.unit for p in on_lines.values()}


def test_ports_that_are_given_are_kept_free(tmp_path: Path) -> None:
    text = GOOD + GOOD.replace("IMM-01", "IMM-02").replace("A-2188", "A-2").replace(
        'protocol = "modbus"', 'protocol = "modbus"\nport = 15020'
    )
    fleet = from_text(tmp_path, text)

    assert fleet.ports() == {"IMM-01": 15021, "IMM-02": 15020}


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (("mold = ", "mould = "), ["press[1].mold: missing", "no such key; did you mean 'mold'?"]),
        (('"modbus"', '"profinet"'), ["press[1].protocol: found 'profinet'; it should be"]),
        (('mold = "A-2188"', 'mold = "A-2189"'), ["no [[mold]]; did you mean 'A-2188'?"]),
        (('resin = "PP"', 'resin = "PEEK"'), ["mold[1].resin: found 'PEEK'; it should be one of"]),
        (('resin = "PP"', "cavities = 0"), ["mold[1].cavities: found 0; it should be greater"]),
        (("[[mold]]", "[[molds]]"), ["molds: no such key; did you mean 'mold'?", "mold: missing"]),
        (("[[mold]]", "[[mold]"), ["not TOML"]),
        (
            ('protocol = "modbus"', 'protocol = "modbus"\nprogram = { cooling_time = 9.0 }'),
            ["no set point 'cooling_time'; did you mean 'cooling_time_set_s'?"],
        ),
        (('protocol = "modbus"', 'protocol = "modbus"\nserver = "gw"'), ["'euromap77' only"]),
        (
            ('resin = "PP"', 'alloy = "tin"'),
            ["mold[1].alloy: found 'tin'; it should be one of QC-10"],
        ),
        (('"modbus"', '"modbus"\nsecurity = {}'), ["'security' is for protocol 'flat' and 'eur"]),
        (('"modbus"', '"flat"\nlimits = { nodes = 3 }'), ["press[1].limits.nodes: no such key"]),
        ((GOOD, GOOD + RUN.replace("IMM-01", "IMM-1")), ["has press 'IMM-1', no [[press]]; did"]),
        ((GOOD, GOOD + RUN.replace("A-2188", "A-1")), ["run 'J-2' has mold 'A-1', no [[mold]]"]),
        ((GOOD, GOOD + RUN + "part = 3\n"), ["run[1].part: no such key; did you mean 'parts'?"]),
        ((GOOD, GOOD + EVENT), ["event[1]: should have either 'fault' or 'do'"]),
        ((GOOD, GOOD + EVENT + 'fault = "blak_hole"\n'), ["did you mean 'black_hole'?"]),
        (
            (GOOD, GOOD + EVENT + 'fault = "bad_status"\n'),
            ["event 1: 'bad_status' can't happen to 'IMM-01' of protocol 'modbus'"],
        ),
        (
            (GOOD, GOOD + EVENT + 'fault = "slow_answers"\nwith = { delay = 2 }\n'),
            ["'slow_answers' has no parameter 'delay'; did you mean 'delay_s'?"],
        ),
        ((GOOD, GOOD + EVENT + 'do = "stop"\n'), ["needs 'standing_s', a number"]),
        (
            (GOOD, GOOD + '[[tcu]]\nname = "TCU-1"\npress = "IMM-7"\n'),
            ["tcu 'TCU-1' has press 'IMM-7', no [[press]]"],
        ),
    ],
)
def test_a_wrong_fleet_is_refused_in_words(
    tmp_path: Path, change: tuple[str, str], sentences: list[str]
) -> None:
    with pytest.raises(FleetError) as error:
        from_text(tmp_path, GOOD.replace(*change, 1))

    for sentence in sentences:
        assert sentence in str(error.value)
    assert "plant.toml" in str(error.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = " + "[" * 5000, "plant.toml: not TOML"),
        (GOOD + "planned_shots = " + "9" * 5000, "plant.toml: not TOML"),
        (GOOD + "planned_shots = " + "9" * 30, "should be less than 4294967296"),
        (GOOD + 'part = "two\\nlines"', "mold[1].part: found 'two\\nlines'; it should be one line"),
        (
            GOOD.replace('"IMM-01"', '"../IMM"'),
            "press[1].name: found '../IMM'; it should be one word",
        ),
        (GOOD + "resin = " + '"' + "x" * 500 + '"', f"'{'x' * 79}...; it should be one of ABS"),
        (GOOD.replace("[[mold]]", "open_cavities = 3\n[[mold]]"), "has 3 open cavities; mold 'A-"),
        (GOOD.replace("[[mold]]", "counter = 70000\ncounter_limit = 65536\n[[mold]]"), "be below"),
        (
            GOOD.replace("[[mold]]", "program = { coolant_flow_l_min = 0 }\n[[mold]]"),
            "from 0.1 to 500",
        ),
        (GOOD + RUN, "press 'IMM-01' has runs to follow, and no 'parts'"),
        (GOOD + EVENT + 'do = "stop"\nwith = { standing_s = nan }', "it should be a number"),
        (GOOD + EVENT + 'do = "reset_counter"\nevery_s = 1e-300', "event[1].every_s: found 1e-300"),
        (GOOD + EVENT.replace('"IMM-01"', "[]") + 'do = "reset_counter"', "name at least one"),
        (
            "presses = 2\n" + GOOD + '[[tcu]]\nname = "IMM-02"\npress = "IMM-01"',
            "2 of the press or tcu",
        ),
    ],
)
def test_a_fleet_that_can_t_run_is_refused_before_it_does(
    tmp_path: Path, text: str, sentence: str
) -> None:
    if "resin = " in text:
        text = text.replace('resin = "PP"\n', "")

    with pytest.raises(FleetError) as error:
        from_text(tmp_path, text)

    assert sentence in str(error.value)


def test_a_mold_that_nobody_takes_off_is_not_waited_for(tmp_path: Path) -> None:
    second = '[[press]]\nname = "IMM-02"\nprotocol = "flat"\nmold = "A-1"\n[[mold]]\nid = "A-1"\n'

    with pytest.raises(FleetError, match="run 'J-2' waits for mold 'A-1', which stays on press"):
        from_text(tmp_path, WITH_PARTS + second + RUN.replace("A-2188", "A-1"))


def test_one_port_is_not_given_twice(tmp_path: Path) -> None:
    first = GOOD.replace('protocol = "modbus"', 'protocol = "modbus"\nport = 15555')
    second = '[[tcu]]\nname = "TCU-1"\npress = "IMM-01"\nport = 15555\n'

    with pytest.raises(FleetError, match="2 of the port '15555'"):
        from_text(tmp_path, first + second)


def test_two_presses_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="2 of the press or tcu 'IMM-01'"):
        from_text(tmp_path, GOOD + GOOD)


def test_a_mold_on_two_presses_is_refused(tmp_path: Path) -> None:
    second = '[[press]]\nname = "IMM-02"\nprotocol = "flat"\nmold = "A-2188"\n'

    with pytest.raises(FleetError, match="mold 'A-2188' is on 2 presses"):
        from_text(tmp_path, GOOD + second)


@pytest.mark.parametrize(
    ("both", "first", "second", "sentence"),
    [
        ('protocol = "modbus"\ngateway = "g"', "", "", "both unit 1 of the gateway 'g'"),
        ('protocol = "modbus"\ngateway = "g"', "", 'unit = 2\nframing = "rtu"', "both framings"),
        ('protocol = "euromap77"\nserver = "s"', "jobs = false", "", "differ in 'jobs'"),
    ],
)
def test_what_can_t_share_a_line_is_refused(
    tmp_path: Path, both: str, first: str, second: str, sentence: str
) -> None:
    text = GOOD.replace('protocol = "modbus"', f"{both}\n{first}") + (
        f'[[press]]\nname = "IMM-02"\nmold = "A-1"\n{both}\n{second}\n[[mold]]\nid = "A-1"\n'
    )

    with pytest.raises(FleetError, match=sentence):
        from_text(tmp_path, text)


def test_a_repeated_fleet_repeats_its_story(tmp_path: Path) -> None:
    """Each repetition has molds, runs and events of its own, under other names."""
    extra = RUN + EVENT + 'fault = "counter_reset"\n[[tcu]]\nname = "TCU"\npress = "IMM-01"\n'
    fleet = from_text(tmp_path, "presses = 3\n" + WITH_PARTS + extra)

    assert [press.name for press in fleet.press] == ["IMM-01", "IMM-02", "IMM-03"]
    assert [run.press for run in fleet.run] == ["IMM-01", "IMM-02", "IMM-03"]
    assert [run.mold for run in fleet.run] == [press.mold for press in fleet.press]
    assert [event.presses for event in fleet.event] == [("IMM-01",), ("IMM-02",), ("IMM-03",)]
    assert [(tcu.name, tcu.press) for tcu in fleet.tcu] == [
        ("TCU", "IMM-01"),
        ("TCU-2", "IMM-02"),
        ("TCU-3", "IMM-03"),
    ]


def test_a_secured_press_s_table_names_certificates_that_are_there(tmp_path: Path) -> None:
    fleet = load("trouble")

    without = print_config(fleet, fleet.ports())
    config = tomllib.loads(print_config(fleet, fleet.ports(), certificates=tmp_path))

    assert "# IMM-06 at opc.tcp://127.0.0.1:14841 asks for certificates" in without
    (secured,) = [machine for machine in config["machine"] if machine["name"] == "IMM-06"]
    for key in ("certificate", "key", "server_certificate"):
        assert Path(secured["security"][key]).is_file()
    assert secured["password"] == {"env": "SIMULATED_PASSWORD"}


def test_a_fleet_that_is_not_there_is_named() -> None:
    with pytest.raises(FleetError, match=r"no fleet 'dmeo'.*did you mean 'demo'"):
        load("dmeo")
    with pytest.raises(FleetError, match="can't be read"):
        load("nowhere/plant.toml")
