"""The fault menu: everything that a simulated machine can be told to do wrong, one name each.

`docs/reference/faults.md` is printed from here. Process faults are the rows of the reference page
on molding, 2.5; counter faults those of 3.4.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from simulators.strict import hint

Kind = Literal[
    "link", "modbus", "opcua", "values", "events", "security", "clock", "counter", "mold", "process"
]

MODBUS, FLAT, EUROMAP = "modbus", "flat", "euromap77"
OPCUA_FACES = frozenset({FLAT, EUROMAP})
ALL = frozenset({MODBUS, FLAT, EUROMAP})


UNBOUNDED = 1e9


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that says how much, how long or how often."""

    default: float
    text: str
    """What it is, with its unit."""
    least: float = 0.0
    most: float = UNBOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry."""

    name: str
    kind: Kind
    what: str
    """What the machine does."""
    naive: str
    """What a client sees that doesn't look out for it."""
    faces: frozenset[str] = ALL
    """Protocols on which it can happen."""
    once: bool = False
    """It happens at the moment it is switched on; else it lasts until it is switched off."""
    aftermath: int = 0
    """Closings that still show it, where it happens once."""
    needs_security: bool = False
    """Only a server that asks for certificates can have it."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def check(self, given: Mapping[str, Any]) -> None:
        """Refuse a parameter that it does not have, or that is out of its range.

        Raises:
            ValueError: with a sentence.
        """
        for key, value in given.items():
            if key not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                near = hint(key, self.parameters)
                raise ValueError(f"'{self.name}' has no parameter '{key}'{near}; it has: {known}")
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"'{self.name}' has '{key}' = {value!r}; it should be a number")
            least, most = self.parameters[key].least, self.parameters[key].most
            if not least <= value <= most:
                raise ValueError(
                    f"'{self.name}' has '{key}' = {value:g}; "
                    f"it should be a number from {least:g} to {most:g}"
                )


WARM_UP = 20
"""Closings after a stop until a press is as before (reference page on molding, 1.5)."""


def _count(text: str = "how often it happens, then it is off", default: float = 1) -> Parameter:
    return Parameter(default, text)


def _over(shots: float) -> Parameter:
    return Parameter(shots, "shots until it has grown to its full size")


EXCEPTIONS: Mapping[int, str] = {
    0x01: "illegal function",
    0x02: "illegal data address",
    0x03: "illegal data value",
    0x04: "device failure",
    0x05: "acknowledge, the answer will take long",
    0x06: "device busy",
    0x07: "negative acknowledge (of older devices)",
    0x08: "memory parity error",
    0x09: "a code that no specification knows",
    0x0A: "gateway path unavailable",
    0x0B: "gateway target did not respond",
}
"""Modbus exception codes and what they say (MODBUS Application Protocol V1.1b3, 7)."""


def _exceptions() -> Iterator[Fault]:
    for code, text in EXCEPTIONS.items():
        yield Fault(
            name=f"exception_{code:02x}",
            kind="modbus",
            faces=frozenset({MODBUS}),
            what=f"Every request is refused with exception 0x{code:02X}, {text}.",
            naive="An error object in place of registers, returned and not raised.",
        )


_FAULTS: tuple[Fault, ...] = (
    # The link
    Fault(
        name="link_dropped",
        kind="link",
        once=True,
        what="Every link is reset; new ones are taken at once.",
        naive="The read that runs fails; the client object is dead until somebody connects anew.",
    ),
    Fault(
        name="half_open",
        kind="link",
        what="The links that stand are forgotten without a word; new ones are answered.",
        naive="Reads time out for as long as the old link is kept, which nothing ever closes.",
    ),
    Fault(
        name="black_hole",
        kind="link",
        what="Nothing is answered, on old links and new ones; nothing is closed either.",
        naive="Reads and connects hang until their own time limit.",
    ),
    Fault(
        name="slow_answers",
        kind="link",
        what="Every answer comes late, in order.",
        naive="Reads take as long, or time out; polls pile up.",
        parameters={"delay_s": Parameter(1.3, "seconds that each answer is held back")},
    ),
    Fault(
        name="late_reply",
        kind="link",
        what="An answer is held back until after the client has given up on it.",
        naive="One read times out; without a check of ids the next one gets the old answer.",
        parameters={
            "delay_s": Parameter(1.5, "seconds that the answer is held back"),
            "count": _count(),
        },
    ),
    Fault(
        name="late_replies",
        kind="link",
        what="Every few answers, one is held back until after the client has given up on it.",
        naive="Reads time out again and again; without a check of ids, values are always old.",
        parameters={
            "delay_s": Parameter(1.5, "seconds that such an answer is held back"),
            "every": Parameter(5, "one in that many answers"),
        },
    ),
    Fault(
        name="garbage_bytes",
        kind="link",
        what="Noise goes out before an answer.",
        naive="The stream can't be cut into answers any more: errors, time-outs or a dead link.",
        parameters={"bytes": Parameter(7, "bytes of noise"), "count": _count()},
    ),
    Fault(
        name="truncated_frame",
        kind="link",
        what="Only the first half of an answer goes out; the link stays.",
        naive="The read waits for the rest; what comes next is taken for it.",
        parameters={"count": _count()},
    ),
    Fault(
        name="server_restart",
        kind="link",
        once=True,
        what="The server stops, and is there again a little later; the press molds on.",
        naive="Sessions and subscriptions are gone; connects are refused meanwhile.",
        parameters={"down_s": Parameter(3, "wall seconds until it listens again")},
    ),
    # Modbus
    Fault(
        name="transaction_id_zero",
        kind="modbus",
        faces=frozenset({MODBUS}),
        what="Every answer carries transaction id 0, as some gateways' do.",
        naive="A client that lets 0 through can't tell a late answer from its own.",
    ),
    Fault(
        name="wrong_transaction_id",
        kind="modbus",
        faces=frozenset({MODBUS}),
        what="Every answer carries the id of another request.",
        naive="Answers are thrown away; every read times out.",
    ),
    *_exceptions(),
    Fault(
        name="dead_unit",
        kind="modbus",
        faces=frozenset({MODBUS}),
        what="The unit behind the gateway is silent; the gateway waits for it, then answers 0x0B.",
        naive="Its reads take the gateway's whole patience, and its neighbors wait behind them.",
        parameters={
            "wait_s": Parameter(1.0, "seconds that the gateway waits for it"),
            "silent": Parameter(0, "1: the gateway says nothing either"),
        },
    ),
    # OPC UA address space
    Fault(
        name="namespace_reordered",
        kind="opcua",
        faces=OPCUA_FACES,
        once=True,
        what="The server restarts with its namespaces in another order.",
        naive="Node ids that were kept point nowhere, or at another namespace's node of that name.",
        parameters={"down_s": Parameter(1, "wall seconds until it listens again")},
    ),
    Fault(
        name="node_ids_changed",
        kind="opcua",
        faces=OPCUA_FACES,
        once=True,
        what="A software update: the server restarts with other ids for the machine's own nodes.",
        naive="BadNodeIdUnknown for everything that was configured by id.",
        parameters={"down_s": Parameter(1, "wall seconds until it listens again")},
    ),
    Fault(
        name="nodes_missing",
        kind="opcua",
        faces=OPCUA_FACES,
        once=True,
        what="The server restarts with a part of its nodes; the others appear later.",
        naive="What was not there at the start is dropped for good.",
        parameters={
            "down_s": Parameter(1, "wall seconds until it listens again"),
            "after_s": Parameter(5, "wall seconds from then until the others appear"),
        },
    ),
    Fault(
        name="node_deleted",
        kind="opcua",
        faces=OPCUA_FACES,
        what="A node that was there is deleted, until the fault is switched off.",
        naive="BadNodeIdUnknown for one node, which some clients report as None.",
    ),
    Fault(
        name="session_limit",
        kind="opcua",
        faces=OPCUA_FACES,
        what="No more sessions are taken.",
        naive="BadTooManySessions after every reconnect, until old sessions time out.",
        parameters={"sessions": Parameter(0, "sessions that may stand")},
    ),
    # Values
    Fault(
        name="bad_status",
        kind="values",
        faces=OPCUA_FACES,
        what="Process values carry the status BadSensorFailure.",
        naive="None or the old number, with nothing to show that it is no good.",
    ),
    Fault(
        name="uncertain_status",
        kind="values",
        faces=OPCUA_FACES,
        what="Process values carry the status UncertainLastUsableValue.",
        naive="The last number, as if it were new.",
    ),
    Fault(
        name="not_a_number",
        kind="values",
        what="Floating-point values are NaN.",
        naive="NaN in averages, in files, and in JSON that nobody can read.",
    ),
    Fault(
        name="infinity",
        kind="values",
        what="Floating-point values are infinite.",
        naive="A value that is above every limit, and that many stores refuse.",
    ),
    Fault(
        name="sentinel",
        kind="values",
        what="Values are the control's number for 'no sensor'.",
        naive="-3276.8 degrees, or -999, taken for a measurement.",
    ),
    Fault(
        name="frozen_values",
        kind="values",
        what="The link answers, but every value of the machine stays as it is, counter included.",
        naive="A press that seems to stand still, or to be perfectly steady.",
    ),
    # Events
    Fault(
        name="duplicate_event",
        kind="events",
        faces=frozenset({EUROMAP}),
        what="A cycle event comes twice.",
        naive="One shot too many.",
        parameters={"count": _count()},
    ),
    Fault(
        name="events_out_of_order",
        kind="events",
        faces=frozenset({EUROMAP}),
        what="A cycle event comes after the next one.",
        naive="A counter that falls and jumps; a reset that never was.",
        parameters={"count": _count()},
    ),
    Fault(
        name="event_lost",
        kind="events",
        faces=frozenset({EUROMAP}),
        what="A cycle event never comes.",
        naive="One shot too few; only the counter knows.",
        parameters={"count": _count()},
    ),
    Fault(
        name="event_queue_overflow",
        kind="events",
        faces=frozenset({EUROMAP}),
        what="Cycle events are lost, and an EventQueueOverflowEventType says so once.",
        naive="An event without the fields it asked for, and shots that nobody counted.",
        parameters={"count": _count("cycle events that are lost", 3)},
    ),
    # Security
    Fault(
        name="certificate_changed",
        kind="security",
        faces=OPCUA_FACES,
        once=True,
        needs_security=True,
        what="The server restarts with a new certificate.",
        naive="Connects fail, or, worse, go through without a question.",
        parameters={"down_s": Parameter(1, "wall seconds until it listens again")},
    ),
    Fault(
        name="certificate_expired",
        kind="security",
        faces=OPCUA_FACES,
        needs_security=True,
        what="The server restarts with a certificate that has expired, until switched off.",
        naive="Connects go through where nobody looks at the date.",
    ),
    Fault(
        name="certificate_untrusted",
        kind="security",
        faces=OPCUA_FACES,
        needs_security=True,
        what="The server no longer trusts any client's certificate.",
        naive="BadCertificateUntrusted at the next connect.",
    ),
    # Clock
    Fault(
        name="clock_forward",
        kind="clock",
        faces=OPCUA_FACES,
        what="The control's clock jumps forward.",
        naive="Shots from the future, which sort after those of the next hour.",
        parameters={"by_s": Parameter(3600, "seconds")},
    ),
    Fault(
        name="clock_back",
        kind="clock",
        faces=OPCUA_FACES,
        what="The control's clock jumps back.",
        naive="Shots that overwrite those of an hour ago, or are thrown away as old.",
        parameters={"by_s": Parameter(3600, "seconds")},
    ),
    Fault(
        name="clock_1970",
        kind="clock",
        faces=OPCUA_FACES,
        what="The control has lost its clock and counts from 1 January 1970.",
        naive="Shots half a century old.",
    ),
    # Counters
    Fault(
        name="counter_reset",
        kind="counter",
        once=True,
        what="The shot counter is set back.",
        naive="A negative number of shots.",
        parameters={"to": Parameter(0, "the counter's new value", most=2**64)},
    ),
    Fault(
        name="job_counter_reset",
        kind="counter",
        once=True,
        what="The job's counters are set to 0 in the middle of the job.",
        naive="The job starts anew; the shots before are forgotten.",
    ),
    Fault(
        name="counter_wrap",
        kind="counter",
        once=True,
        what="The shot counter is as wide as said, and is about to start again at 0.",
        naive="Minus 65,535 shots.",
        parameters={
            "limit": Parameter(
                65536, "the first number it can't show: 65536, 10000, 2**32", 10, 2**64
            ),
            "before": Parameter(2, "shots until it wraps"),
        },
    ),
    Fault(
        name="counter_rolled_back",
        kind="counter",
        once=True,
        what="The shot counter falls back to a value it had before.",
        naive="Shots that come again and are taken for duplicates.",
        parameters={"by": Parameter(20, "shots")},
    ),
    Fault(
        name="counter_jump",
        kind="counter",
        once=True,
        what="The shot counter jumps ahead by shots that were never made.",
        naive="A thousand shots on the mold that were never made.",
        parameters={"by": Parameter(1000, "shots")},
    ),
    Fault(
        name="counter_stuck",
        kind="counter",
        what="The shot counter stays where it is while the press molds.",
        naive="No shots, though parts fall.",
    ),
    Fault(
        name="double_pulse",
        kind="counter",
        what="One closing counts twice, as a bouncing limit switch does.",
        naive="One shot too many.",
        parameters={"count": _count("closings that count twice")},
    ),
    Fault(
        name="torn_word",
        kind="counter",
        faces=frozenset({MODBUS}),
        what="One answer carries the high word of the counter's next value with its low word.",
        naive="65,536 shots at once, and as many back.",
        parameters={"count": _count("answers that are torn")},
    ),
    Fault(
        name="power_off",
        kind="counter",
        what="The press has no power, until switched off: no link, and the cycle that ran is lost. "
        "Counters come back as the control last saved them.",
        naive="A gap, then a counter that has fallen, or shots that nobody saw.",
    ),
    # Mold
    Fault(
        name="mold_id_late",
        kind="mold",
        what="After a mold change the control shows the old mold's id for a while.",
        naive="The new mold's first shots on the old mold.",
        parameters={"shots": Parameter(20, "closings until the new id shows")},
    ),
    Fault(
        name="mold_id_never",
        kind="mold",
        what="After a mold change nobody enters the new mold's id.",
        naive="All shots on a mold that lies in the rack.",
    ),
    # Process: the rows of the reference page on molding, 2.5
    Fault(
        name="timer_changed",
        kind="process",
        what="An operator changes the cooling timer.",
        naive="A longer cycle; nobody says which phase.",
        parameters={
            "by_s": Parameter(0.5, "seconds longer; negative for shorter", -60, 60),
            "logged": Parameter(1, "0: the control announces no parameter change"),
        },
    ),
    Fault(
        name="hold_time_changed",
        kind="process",
        what="An operator changes the hold time.",
        naive="A longer cycle that looks like longer cooling.",
        parameters={
            "by_s": Parameter(0.5, "seconds longer; negative for shorter", -60, 60),
            "logged": Parameter(1, "0: the control announces no parameter change"),
        },
    ),
    Fault(
        name="open_close_changed",
        kind="process",
        what="An operator changes the speed of the clamp.",
        naive="A longer cycle; the step is in the movements.",
        parameters={
            "factor": Parameter(1.15, "times as long as before", 0.1, 10),
            "logged": Parameter(1, "0: the control announces no parameter change"),
        },
    ),
    Fault(
        name="timer_creep",
        kind="process",
        what="The cooling timer is edited again and again, a little at a time.",
        naive="No single step is large enough to notice.",
        parameters={
            "by_s": Parameter(0.05, "seconds of each edit", -60, 60),
            "every": Parameter(20, "shots from edit to edit"),
            "steps": Parameter(10, "edits"),
            "logged": Parameter(1, "0: the control announces no parameter change"),
        },
    ),
    Fault(
        name="recovery_slow",
        kind="process",
        what="The screw is not ready when the cooling timer has run out; the mold waits for it.",
        naive="A noisy, longer cooling time that nobody set.",
        parameters={
            "over_timer_s": Parameter(
                0.6, "seconds that recovery outlasts the timer, on average", 0, 60
            ),
            "over": _over(10),
        },
    ),
    Fault(
        name="mold_temperature_drift",
        kind="process",
        what="The mold runs warmer than set, with flow and supply as they should be.",
        naive="Nothing: no time changes.",
        parameters={"by_k": Parameter(5, "K; negative for colder", -20, 30), "over": _over(30)},
    ),
    Fault(
        name="coolant_flow_low",
        kind="process",
        what="A cooling circuit blocks: less flow, warmer return, warmer mold.",
        naive="Nothing: no time changes on a timer-controlled press.",
        parameters={
            "share": Parameter(0.5, "share of the flow that is lost", 0, 1),
            "over": _over(30),
        },
    ),
    Fault(
        name="fouling",
        kind="process",
        what="Scale grows in the water lines: the mold warms while flow and return hardly move.",
        naive="Nothing, for weeks.",
        parameters={"scale_mm": Parameter(0.5, "mm of scale", 0, 10), "over": _over(500)},
    ),
    Fault(
        name="coolant_supply_warm",
        kind="process",
        what="The coolant comes in warmer: supply, return and mold rise together.",
        naive="Nothing: no time changes.",
        parameters={"by_k": Parameter(5, "K", -20, 50), "over": _over(10)},
    ),
    Fault(
        name="temperature_control_fault",
        kind="process",
        what="The temperature control unit hunts: supply and return swing.",
        naive="A mold temperature whose average is right.",
        parameters={
            "swing_k": Parameter(4, "K above and below", 0, 20),
            "period": Parameter(12, "shots from crest to crest"),
        },
    ),
    Fault(
        name="part_sticks",
        kind="process",
        what="Parts stick now and then: repeated ejector strokes, longer ejection.",
        naive="Spikes in the cycle time.",
        parameters={
            "share": Parameter(0.3, "share of shots that stick", 0, 1),
            "by_s": Parameter(2.0, "seconds longer, on average", 0.01, 60),
        },
    ),
    Fault(
        name="operator_wait",
        kind="process",
        what="Robot or operator keep the press waiting with its mold open.",
        naive="A longer, skewed cycle; cooling is as set.",
        parameters={"by_s": Parameter(4.0, "seconds longer, on average", 0.01, 300)},
    ),
    Fault(
        name="cycle_interrupted",
        kind="process",
        once=True,
        aftermath=WARM_UP,
        what="The guard door is opened within a cycle, which is lost: the press waits, the mold "
        "cools down, and the next shot starts as after a stop.",
        naive="One very long cycle, or a gap.",
        parameters={"standing_s": Parameter(90, "seconds that the door is open")},
    ),
    Fault(
        name="cooling_cut_short",
        kind="process",
        what="An abort opens the mold before the cooling timer has run out; the cycle has failed.",
        naive="One short cycle among good ones, its parts among the good parts.",
        parameters={
            "share": Parameter(0.4, "share of the cooling time that is cut", 0, 1),
            "count": _count("shots"),
        },
    ),
    Fault(
        name="start_up",
        kind="process",
        once=True,
        aftermath=WARM_UP,
        what="The press stops, then starts up again: often an almost empty first shot, a long "
        "recovery on the second, pressure that climbs over 15 to 20 shots.",
        naive="Alarms on every signal after each break.",
        parameters={"standing_s": Parameter(1200, "seconds that it stands")},
    ),
    Fault(
        name="wrong_program",
        kind="process",
        what="The program of another mold is loaded: several set points step at once.",
        naive="Every level is new, and every limit is broken.",
    ),
    Fault(
        name="late_publication",
        kind="process",
        what="Every other shot shows late on the interface: long and short gaps in pairs, while "
        "the cycle time that the press itself reports is as ever.",
        naive="A cycle time that swings, where it is taken from the wall's clock.",
        parameters={"by_s": Parameter(0.4, "process seconds late", 0, 600)},
    ),
    # Process: beyond 2.5
    Fault(
        name="pressure_drift",
        kind="process",
        what="Injection and cavity pressure drift away, as when the material's viscosity changes.",
        naive="Limits that were drawn too wide say nothing, those too narrow cry wolf.",
        parameters={
            "share": Parameter(0.06, "of the level; negative for lower", -0.9, 1),
            "over": _over(60),
        },
    ),
    Fault(
        name="cushion_drift",
        kind="process",
        what="The cushion shrinks, as when the check ring wears.",
        naive="Nothing, until parts are short.",
        parameters={"by_mm": Parameter(-0.6, "mm", -8, 20), "over": _over(100)},
    ),
    Fault(
        name="melt_temperature_shift",
        kind="process",
        what="The melt runs hotter than set: a heater or its sensor has drifted.",
        naive="Nothing but a small fall in pressure.",
        parameters={"by_k": Parameter(8, "K", -50, 50), "over": _over(20)},
    ),
    Fault(
        name="fill_uneven",
        kind="process",
        what="The fill time scatters, as with moist material or a sticking valve.",
        naive="The average is right.",
        parameters={"sigma_s": Parameter(0.02, "standard deviation in seconds", 0, 10)},
    ),
)  # fmt: skip

MENU: Mapping[str, Fault] = {fault.name: fault for fault in _FAULTS}
"""Every fault by its name."""
