"""The recovery table as a page: every row of a run, and which of them break a promise."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version

from bench.__main__ import machine
from bench.recovery.running import SPEED, Lengths
from bench.recovery.trials import LONGER
from bench.recovery.verdict import Verdict
from simulators.menu import MENU, Kind

FRESH_WITHIN_S = 5.0
NEIGHBOR_LEAST = 0.9
STAMPED_S = 2.0

KINDS: Mapping[Kind, str] = {
    "link": "The link",
    "modbus": "Modbus",
    "opcua": "OPC UA: sessions and address space",
    "values": "Values",
    "events": "Cycle events",
    "security": "A certificate that is not the one a person has confirmed is refused. One that "
    "changed stays refused until a person trusts the new one; here that is the fault's end.",
    "clock": "The control's clock",
    "counter": "Counters and power",
    "mold": "Mold ids",
    "process": "The process",
}

MEANT: Mapping[Kind, str] = {
    "security": "A certificate that is not the one a person has confirmed is refused, and the "
    "machine stays blind until it shows the right one again or a person trusts the new one "
    "(`sprue trust`): a change that happens once has no end, and *not* is what is right.",
    "clock": "Only the machine's own stamps are wrong. Shots are told apart and ordered by their "
    "counter; where a machine stamps its cycles, the record has the stamp.",
    "modbus": "A gateway that waits a second for a dead unit keeps everybody behind it waiting. At "
    "ten polls a second, nine tenths of the neighbor's rate and fresh data within five seconds "
    "exclude each other then, and the neighbor goes first ([the arithmetic](modbus.md#a-line)). "
    "Where the gateway waits 0.3 s, or the line carries RTU frames, both hold.",
    "counter": "Nothing on the interface shows how many shots there really were. What was proved "
    "is counted, by the counter, the clock, phases, values and other counters; a counter that "
    "falls opens a new segment ([every rule](ledger.md)). Shots that nothing proves are *lost* "
    "here, and within the bounds of the row that says so. Over Euromap 77 a press that lost power "
    "loses what it molds before we are back, two seconds at this speed and most of a cycle: its "
    "counter fell, and no node shows the last cycle's values, which prove a shot elsewhere. At "
    "real speed no press molds within seconds of having power again.",
    "mold": "The mold is changed as the fault begins. What the control says is all there is to go "
    "by, so shots on the *wrong mold* are those during which it named the old one.",
    "process": "Process faults change what is molded and nothing about how it is told, so a driver "
    "has nothing to recover from. Two of them stand for all.",
}  # fmt: skip

HEAD = "| fault | on | lost | twice | wrong | wrong mold | not observed | blind, s | fresh after, s | shot after, s | neighbor, % | remark |"  # noqa: E501 - a table's head is one line
RULE = "|---" * 12 + "|"


def page(verdicts: Sequence[Verdict], on: datetime, seed: int) -> str:
    """The reference page."""
    lengths = Lengths()
    packages = ", ".join(f"{name} {version(name)}" for name in ("pymodbus", "asyncua"))
    shots = sum(verdict.shots for verdict in verdicts)
    return f"""# Recovery

What each fault of [the menu](faults.md) does to the record, found by a run of them all:
`python -m bench.recovery --out docs/reference/recovery.md`.

Each row is a trial of its own, over real sockets: a plant with the afflicted press and a healthy
neighbor on its own server (for `dead_unit` behind the same gateway), and the whole agent with the
configuration that the simulator prints: ten polls a second, time limits as they are by default. The
presses run at {SPEED:g} times their speed, so that a shot comes every second or two. The fault is
on for {lengths.on_s:g} s, or happens as often as the menu says (`dead_unit` is on for
{lengths.on_s * LONGER["dead_unit"]:g} s, as one wait of a gateway is a seventh of 7 s already);
then the record is held against the truth log, shot by shot and value by value.

- **lost**: shots neither in the record nor counted as not observed; a row of the ledger says how
  many there may have been, and whether the truth lies within is looked at, too. **twice**: shots in
  the record or the count that never were.
- **wrong**: values accepted as good, not flagged, that differ from the truth.
- **wrong mold**: shots booked on another mold than the one that made them.
- **not observed**: shots that the ledger counts, without their values. At this speed an outage of a
  second is a shot.
- **blind**: in the record's blind intervals, with their causes.
- **fresh after**: from the end of the fault until the next poll is answered or the next event
  comes; **shot after**: until a new shot is in the record, and a cycle of up to two seconds has to
  end for that. *Not* within {lengths.recovery_s:g} s.
- **neighbor**: its polls and events a second while the fault is on, of those before. Where it is
  Euromap 77 it is polled once a second, and one poll that comes late in {lengths.on_s:g} s is a
  seventh.

A fault during which every poll is answered shows only afterwards, where shots went by that no
answer and no event told of: then the time since the last one that did is a blind interval, cause
`unseen`.

{on.day} {on:%B %Y}; {machine()}; {packages}; seed {seed}; {len(verdicts)} trials, {shots:,} shots.

{chr(10).join(_sums(verdicts))}

{(chr(10) * 2).join(_tables(verdicts))}
"""


def _sums(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What was promised, and every row that breaks it."""
    for text, rows in (
        ("Wrong values accepted as good", [v for v in verdicts if v.wrong]),
        ("Shots lost", [v for v in verdicts if v.lost]),
        ("Shots outside of the bounds that the ledger gives", [v for v in verdicts if v.outside]),
        ("Shots twice or never made", [v for v in verdicts if v.twice]),
        (
            f"Fresh later than {FRESH_WITHIN_S:g} s",
            [v for v in verdicts if v.fresh_s is None or v.fresh_s > FRESH_WITHIN_S],
        ),
        (
            f"A neighbor below {100 * NEIGHBOR_LEAST:g} %",
            [v for v in verdicts if v.neighbor is not None and v.neighbor < NEIGHBOR_LEAST],
        ),
        (
            f"Cycles stamped more than {STAMPED_S:g} s off",
            [v for v in verdicts if v.off_s > STAMPED_S],
        ),
        (
            "Shots not observed outside of any blind interval",
            [v for v in verdicts if v.unobserved and not v.causes],
        ),
    ):
        named = ", ".join(f"`{v.fault}` on {v.protocol}" for v in rows)
        yield f"- {text}: {named or 'none'}."


def _tables(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for kind, title in KINDS.items():
        rows = [row(v) for v in verdicts if MENU[v.fault].kind == kind]
        if rows:
            meant = f"{MEANT[kind]}\n\n" if kind in MEANT else ""
            yield "\n".join((f"## {title}\n\n{meant}{HEAD}", RULE, *rows))


def row(verdict: Verdict) -> str:
    """One row."""
    blind = f"{verdict.blind_s:.1f} {', '.join(verdict.causes)}" if verdict.causes else ""
    remarks = list(verdict.remarks)
    if verdict.off_s > STAMPED_S:
        remarks.append(f"stamped up to {verdict.off_s:,.0f} s off")
    cells = (
        f"`{verdict.fault}`",
        verdict.protocol,
        str(verdict.lost),
        str(verdict.twice),
        str(len(verdict.wrong)),
        str(verdict.misplaced),
        str(verdict.unobserved),
        blind,
        _seconds(verdict.fresh_s),
        _seconds(verdict.shot_s),
        "" if verdict.neighbor is None else f"{100 * verdict.neighbor:.0f}",
        "; ".join(remarks),
    )
    return f"| {' | '.join(cells)} |"


def _seconds(seconds: float | None) -> str:
    return "*not*" if seconds is None else f"{seconds:.1f}"
