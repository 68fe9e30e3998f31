"""One year, or less, of a shop: what the record says of every mold revision, against the truth."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from random import Random

from agent.audit import change
from agent.batch import MoldRow
from agent.molds.life import Took, sum_of
from agent.molds.shelf import read_shelf
from bench.moldyear.agency import Agency, Interface, moment
from bench.moldyear.people import DAY_S, People
from bench.moldyear.shop import Key, Mounted, Shop, Shown
from simulators.fleet import Fleet, load

CHUNK = 400
"""Of what presses show, handed over at once; the last before a kill is somewhere on its way."""

OUTAGE_MEDIAN_S = 600.0
OUTAGE_MOST_S = DAY_S

SILENT = frozenset({"IMM-04"})
"""Presses that never name their mold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the record's answer compares with the truth."""

    days: float
    kills: int
    entries: int
    closings: int
    truth: dict[Key, int]
    found: dict[Key, Took]
    untold: frozenset[Key]
    """While the agent was away a mold came and went (it, and those before and after), or a counter
    fell and rose again. Nothing that a machine shows later tells of it, so no row can."""

    @property
    def wrong(self) -> list[str]:
        """Bounds that the truth is not in, or that the number is not in, where all was told."""
        return self._outside(self.truth.keys() - self.untold)

    @property
    def missed(self) -> list[str]:
        """The same of those where a mold came and went untold."""
        return self._outside(self.untold)

    def _outside(self, keys: AbstractSet[Key]) -> list[str]:
        sentences = []
        for key in sorted(keys):
            took, true = self.found.get(key, Took()), self.truth.get(key, 0)
            if not (took.shots_min <= true <= took.shots_max) or not (
                took.shots_min <= took.shots <= took.shots_max
            ):
                sentences.append(
                    f"{key[0]} {key[1]}: {took.shots} shots ({took.shots_min} to "
                    f"{took.shots_max}), truth {true}"
                )
        return sentences

    @property
    def exact(self) -> int:
        """Revisions whose number is the truth's, without any doubt."""
        return sum(
            took.shots_min == took.shots == took.shots_max == self.truth.get(key, 0)
            for key, took in self.found.items()
        )

    @property
    def off(self) -> int:
        """By how many shots the likeliest numbers are off in all."""
        keys = self.truth.keys() | self.found.keys()
        return sum(abs(self.found.get(key, Took()).shots - self.truth.get(key, 0)) for key in keys)

    @property
    def doubt(self) -> int:
        """How many shots wide the bounds are in all."""
        return sum(took.shots_max - took.shots_min for took in self.found.values())


def shortened(fleet: Fleet, by: int) -> Fleet:
    """The fleet with fewer parts a run, so that molds change more often; a mold has its turn."""
    runs = tuple(run.model_copy(update={"parts": max(20, run.parts // by)}) for run in fleet.run)
    presses = [
        press.model_copy(update={"parts": max(20, press.parts // by)}) for press in fleet.press
    ]
    return fleet.model_copy(update={"run": runs, "press": presses})


def walk(folder: Path, *, days: float, kills: int, seed: int, shorter: int = 1) -> Outcome:
    """Let the shop run beside an agent that is killed, and compare.

    Args:
        folder: For the record.
        days: Of simulated time.
        kills: How often the agent is killed, at random times.
        seed: Of everything but where within its last chunk a kill hits.
        shorter: By how much runs are cut short.
    """
    random = Random(f"moldyear/{seed}")
    fleet = shortened(load("small-batch"), shorter)
    shop = Shop(fleet, seed, SILENT)
    url = f"sqlite:///{folder}/plant.db"
    agency = Agency(
        url=url,
        interfaces=[
            Interface(
                name=press.name,
                protocol=press.protocol,
                by_job=press.protocol == "euromap77" and not press.machine_counter,
                modulus=2**16 if press.counter_limit == 2**16 else None,
            )
            for press in fleet.press
        ],
        molds=[
            MoldRow(name=mold.id, fields={"resin": mold.resin, "cavities": mold.cavities})
            for mold in fleet.mold
        ],
        random=random,
    )
    people = People(url, random, moment)
    outages = _outages(random, kills, days * DAY_S)
    on = {name: (each.mold.id, each.mold.revision) for name, each in shop.stations.items()}
    unseen: dict[str, list[Key]] = {}
    untold: set[Key] = set()
    agency.start(0.0)
    shown = {name: station.shown(0.0) for name, station in shop.stations.items()}
    chunk = list(shown.values())
    up_s = 0.0
    for item in shop.walk(days * DAY_S):
        at_s = item.at_s
        if agency.runs and outages and at_s >= outages[0][0]:
            agency.kill(chunk)
            chunk = []
            up_s = outages.pop(0)[1]
        if not agency.runs and at_s >= up_s:
            agency.start(up_s)
            chunk = _seen_again(shown, up_s)
            untold.update(key for keys in unseen.values() if len(keys) > 2 for key in keys)
            unseen = {}
        people.speak(at_s)
        if isinstance(item, Mounted):
            people.saw(item)
            key = item.mold, item.revision
            # Lost with the chunk that it is in, where the agent is killed in that.
            unseen.setdefault(item.machine, [on[item.machine]]).append(key)
            on[item.machine] = key
            continue
        if not item.closed and item.counter < shown[item.machine].counter:
            # It lost power and came back with less: what it made since it saved leaves no trace.
            here = on[item.machine]
            unseen.setdefault(item.machine, [here]).extend((here, here))
        shown[item.machine] = item
        if agency.runs:
            chunk.append(item)
        if len(chunk) >= CHUNK:
            agency.tell(chunk)
            chunk, unseen = [], {}
    end_s = days * DAY_S
    if not agency.runs:
        agency.start(end_s)
        chunk = _seen_again(shown, end_s)
        untold.update(key for keys in unseen.values() if len(keys) > 2 for key in keys)
    agency.tell(chunk)
    people.speak(end_s + 2 * DAY_S)
    agency.stop()
    agency.start(end_s)  # what was said last is attributed at the latest when it starts again
    agency.stop()
    return Outcome(
        days=days,
        kills=agency.kills,
        entries=people.entries,
        closings=shop.closings,
        truth=dict(shop.truth),
        found=read_found(url),
        untold=frozenset(untold),
    )


def _seen_again(shown: dict[str, Shown], at_s: float) -> list[Shown]:
    """What the presses show first, when somebody looks again."""
    return [replace(each, at_s=max(at_s, each.at_s), closed=False) for each in shown.values()]


def read_found(url: str) -> dict[Key, Took]:
    """What the record says that every mold revision took."""
    with change(url) as connection:
        took = read_shelf(connection).took
    return {
        (mold, revision): sum_of(each, frozenset({revision}))
        for mold, each in took.items()
        for revision in {rev for rev, _resin in each}
    }


def _outages(random: Random, kills: int, end_s: float) -> list[tuple[float, float]]:
    """When it is killed, and when it is started again."""
    spans: list[tuple[float, float]] = []
    up_s = 0.0
    for at_s in sorted(random.uniform(0.0, end_s) for _ in range(kills)):
        begin_s = max(at_s, up_s + 60.0)
        length_s = OUTAGE_MEDIAN_S * exp(random.gauss(0.0, 1.5))
        up_s = begin_s + min(OUTAGE_MOST_S, max(10.0, length_s))
        spans.append((begin_s, up_s))
    return spans
