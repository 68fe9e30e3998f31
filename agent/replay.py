"""Past cycles through assembly, ledger and watch, without a machine; nothing is stored."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.anomaly import Anomaly
from agent.anomalylisting import anomaly_line, change_line
from agent.assembly import Assembly
from agent.console import print_json
from agent.cycle import Booked
from agent.history import Filter, open_history
from agent.ledger import Ledger, Standing
from agent.ledgersums import LedgerSums
from agent.recorded import Reader, Recorded
from agent.recording import Recording, RecordingError
from agent.recordpast import Past, record_past
from agent.stages import Outcome, Stages
from agent.watch import Supply, Watch
from agent.watchwords import Golden, Words, read_words
from drivers import Observation

TOLD = 20
"""Sentences about a file, before they are only counted."""

BATCH = 24
"""Cycles that walk together; of many more, the garbage collector sees most still alive."""

UTC_ZONE = ZoneInfo("UTC")

NOTHING = Words()


class Replay:
    """Walks the past of any number of machines through stages of their own.

    What the stages know at the start is nothing: no mold is registered, no baseline learned.

    Args:
        revisions: The present revision of each mold, where it is not A; whoever feeds the walk
            keeps it true.
        words: What people told the watch.
        together: Whether the watch looks at all signals together too.
    """

    def __init__(
        self,
        revisions: dict[str, str] | None = None,
        words: Words = NOTHING,
        *,
        together: bool = False,
    ) -> None:
        self._words = words
        self._together = together
        self.sums = LedgerSums()
        self._stages: dict[str, Stages] = {}
        self._supply = Supply()
        self._revisions = {} if revisions is None else revisions

    def take(self, recorded: Sequence[Recorded]) -> list[Outcome]:
        """Walk recorded cycles; those of one machine must come in order of time.

        All of them go through one stage before the next one begins. It comes to the same, as
        nothing flows back, and takes a quarter less time: what a stage needs stays in the cache.
        """
        of = [self._of(each.report.machine) for each in recorded]
        items = [stages.assemble(each.report) for stages, each in zip(of, recorded, strict=True)]
        entries = []
        for stages, each, found in zip(of, recorded, items, strict=True):
            mold = each.report.states.get("mold")
            if mold is not None and each.revision is not None:
                self._revisions[mold] = each.revision
            entries.append(stages.book(found))
        counted = [stages.count(each) for stages, each in zip(of, entries, strict=True)]
        outcomes = []
        for stages, each, made, odd in zip(of, recorded, entries, counted, strict=True):
            judged = stages.judge(each.report, made)
            outcomes.append(Outcome(entries=made, anomalies=[*odd, *judged]))
            for entry in made:
                self.sums.add(each.report.machine, entry)
        return outcomes

    def look_back(self, past: Past) -> Sequence[Anomaly]:
        """Show the watch what a record has, in the order in which the agent heard it."""
        if isinstance(past, Golden):
            return self._of(past.machine).hear([past])
        machine = past.cycle.machine if isinstance(past, Booked) else past.machine
        return self._of(machine).look_back(past)

    def observe(self, observation: Observation) -> Outcome:
        """Walk anything that a machine can say."""
        machine = observation.machine
        outcome = self._of(machine).take(observation)
        for entry in outcome.entries:
            self.sums.add(machine, entry)
        return outcome

    def _of(self, machine: str) -> Stages:
        stages = self._stages.get(machine)
        if stages is None:
            stages = self._stages[machine] = self._begin(machine)
        return stages

    def _begin(self, machine: str) -> Stages:
        ledger = Ledger(machine, Standing(), lambda mold: self._revisions.get(mold, "A"))
        watch = Watch(machine, self._supply, self._words.of, together=self._together)
        stages = Stages(Assembly(machine), ledger, watch=watch)
        stages.connected(reports=True, modulus=None)
        return stages


def replay_file(
    path: Path,
    replay: Replay,
    *,
    zone: ZoneInfo = UTC_ZONE,
    machine: str | None = None,
    complain: Callable[[str], None],
    progress: Callable[[int], None] = lambda n: None,
) -> Iterator[Outcome]:
    """What every cycle of a file leads to, one after the other.

    Args:
        path: CSV or JSON lines.
        replay: Walks them.
        zone: The zone of times without an offset.
        machine: The machine of rows that name none.
        complain: Told, in sentences, what of the file can't be used or had to be guessed.
        progress: Told how many thousandths are done.

    Raises:
        RecordingError: the file as a whole can't be used, or no line of it.
    """
    some = Complaints(complain)
    with Recording(path, zone, some) as recording:
        reader, read = Reader(recording, machine), 0
        whole = max(1, recording.size)
        rows = recording.rows(lambda done: progress(done * 1000 // whole))
        while batch := list(islice(rows, BATCH)):
            recorded = [each for each in map(reader.read, batch) if each is not None]
            read += len(recorded)
            yield from replay.take(recorded)
        some.end()
        if recording.refused:
            complain(f"{path}: {recording.refused} of {recording.refused + read} lines left out")
        if recording.naive:
            complain(
                f"{path}: {recording.naive} times have no offset; taken as {zone.key} "
                "(--zone says otherwise)"
            )
        if recording.refused and not read:
            raise RecordingError(f"{path}: no line of it could be used")
        if not read:
            complain(f"{path}: holds no cycles")


def replay_record(
    url: str, *, together: bool = False, progress: Callable[[int], None] = lambda n: None
) -> Iterator[Sequence[Anomaly]]:
    """What the watch finds in the past of a record, step by step.

    Args:
        url: Of the record, which may be in use.
        together: Whether the watch looks at all signals together too.
        progress: Told how many thousandths are done.

    Raises:
        RecordError: it can't be read.
    """
    with open_history(url) as history:
        with history.connect() as connection:
            words = read_words(connection)
        replay, whole, done = (
            Replay(words=words, together=together),
            max(1, history.count(Filter())),
            0,
        )
        for past in record_past(history, words):
            yield replay.look_back(past)
            if isinstance(past, Booked):
                done += 1
                if not done & 255:
                    progress(done * 1000 // whole)


class Complaints:
    """Passes the first sentences on, and says how many more there were."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self._complain = complain
        self._n = 0

    def __call__(self, sentence: str) -> None:
        self._n += 1
        if self._n <= TOLD:
            self._complain(sentence)

    def end(self) -> None:
        """Say what was not told."""
        if self._n > TOLD:
            self._complain(f"{self._n - TOLD} more cells and lines are like that")


class Printer:
    """Prints anomalies as they open, one JSON object a line.

    Args:
        every: Print changes of state too.
    """

    def __init__(self, *, every: bool) -> None:
        self.opened = 0
        """How many there were."""
        self._every = every
        self._known: set[str] = set()

    def take(self, anomalies: Iterable[Anomaly]) -> None:
        """Print what is news of these."""
        for anomaly in anomalies:
            known = anomaly.id in self._known
            if not known:
                self._known.add(anomaly.id)
                self.opened += 1
            if self._every:
                print_json([change_line(anomaly, known=known)])
            elif not known:
                print_json([anomaly_line(anomaly)])


def print_sums(sums: LedgerSums) -> None:
    """The ledger's answer, one line a mold revision."""
    print_json(
        {"mold": mold, "revision": revision} | asdict(found)
        for mold, revision, found in sums.lines()
    )
