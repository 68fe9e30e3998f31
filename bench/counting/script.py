"""One random story of two presses and their molds: what is told of it, and what is true."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from bench.counting.press import START, Entered, Gap, Key, Press, Register, Told, Tool

DAY_S = 86_400.0
WIDTHS = (
    (10_000, 0), (100_000, 0), (1_000_000, 0), (10_000_000, 0), (2**15, 0), (2**16, 0),
    (2**31, 0), (2**32, 0), (2**16, -(2**15)), (2**32, -(2**31)),
)  # fmt: skip
"""Width, and the lowest number that the counter shows."""

REPORTED = (
    "lost", "duplicate", "block_again", "swap", "torn", "stuck", "double_pulse", "bounce", "clock",
    "backlog",
)  # fmt: skip
"""What can only happen to reports; or what a counter alone does not show."""

RESTART = "restart"
"""In place of a report: whoever counts stops and starts again."""


@dataclass(slots=True)
class Script:
    """What is told, in the order of its arrival, and the truth."""

    seed: int
    reports: list[Told | Gap | Entered | str] = field(default_factory=list)
    truth: Counter[Key] = field(default_factory=Counter)
    closings: Counter[Key] = field(default_factory=Counter)
    did: list[str] = field(default_factory=list)
    """What happened, in words."""
    doubt: int = 0
    """How wide bounds may be: closings that there was time for where nothing tells how many."""
    link_doubt: int = 0
    """How much wider, where nobody knows that the connection stood all the time."""
    revised: dict[Key, list[tuple[datetime, str]]] = field(default_factory=dict)
    """By machine and mold, since when it had which revision there."""
    modulus: dict[str, int] = field(default_factory=dict)
    """Where the driver knows the width of the counter."""
    polled: set[str] = field(default_factory=set)
    """Machines that send no reports."""

    @property
    def is_clear(self) -> bool:
        """Whether what is told suffices to know every shot."""
        return self.doubt == 0

    @property
    def in_file(self) -> "Script":
        """The same as a file of past cycles tells it: without a word on connections."""
        return replace(self, doubt=self.doubt + self.link_doubt, link_doubt=0)


class Writer:
    """Writes one script.

    Args:
        seed: The same seed writes the same script.
        only: Names of the events that may happen; None for all.
    """

    def __init__(self, seed: int, only: tuple[str, ...] | None = None) -> None:
        self.random = Random(seed)
        self.script = Script(seed)
        self._only = only
        self._due: list[tuple[int, Entered]] = []
        """What people will enter after how many more reports."""
        self._put_on = START
        """When the last mold came onto its press."""
        rng = self.random
        self.tools = [
            Tool(f"M-{n}", round(rng.uniform(6, 60), 1), rng.choice((1, 1, 2, 4))) for n in range(4)
        ]
        self.presses = [self._press(n) for n in range(2)]
        for press in self.presses:
            press.tool = self.tools.pop()
            self._on(press, START - timedelta(hours=2))

    def _press(self, n: int) -> Press:
        rng = self.random
        width, low = rng.choice(WIDTHS)
        start = rng.choice((0, 37, 480, 5_000, 64_000, 1_200_000))
        if rng.random() < 0.6:
            start = width + low - rng.randrange(2, 120)  # about to wrap
        start = min(start, width + low - 2)
        name = f"IMM-0{n + 1}"
        if rng.random() < 0.5:
            self.script.modulus[name] = width
        others: dict[str, Register] = {}
        if rng.random() < 0.4:
            others["machine_counter"] = Register(rng.randrange(10**6))
        if rng.random() < 0.3:
            others["job_counter"] = Register(rng.randrange(200))
        if rng.random() < 0.3:
            others["parts_counter"] = Register(rng.randrange(2000))
        press = Press(
            name, rng, Register(start, width, low), self.tools[0],
            rng.choice((0.0, 0.002, 0.01, 0.03)), others, rng.random() < 0.3,
        )  # fmt: skip
        if rng.random() < 0.25:
            press.polled = True
            self.script.polled.add(name)
        if self._may("late_mount") and rng.random() < 0.25:
            press.silent = True
        return press

    def _may(self, event: str) -> bool:
        return self._only is None or event in self._only

    def write(self) -> Script:
        """The whole story."""
        rng = self.random
        for press in self.presses:
            if press.silent:
                self._enter(press, START - timedelta(hours=1))
            if press.polled:  # what its counter says at first is not ours to count
                self.tell(press.close())
            press.counting = True
            self.shots(press, rng.randrange(8, 30))
        events = self._events()
        for _ in range(rng.randrange(4, 12)):
            press = rng.choice(self.presses)
            event = rng.choice(events)
            if press.polled and event.__name__ in REPORTED:
                event = self.outage
            self.script.did.append(f"{press.name} {event.__name__}")
            event(press)
            self.shots(press, rng.randrange(6, 25))
        for _after, word in self._due:
            self.script.reports.append(replace(word, at=max(p.at for p in self.presses)))
        for press in self.presses:
            if press.polled:  # a counter that fell is believed when it is seen again
                press.stand(1)
                self.tell(press.told())
            if press.polled and press.rolled:  # it may fall again whenever it stands
                self.script.doubt += 50 * len(self.script.did)
            self.script.truth += press.truth
            self.script.closings += press.closings
        return self.script

    def _events(self) -> list[Callable[[Press], None]]:
        events: list[Callable[[Press], None]] = [
            self.dry, self.lost, self.outage, self.long_outage, self.stop, self.job,
            self.job_in_outage, self.reset, self.roll_back, self.roll_back_in_outage,
            self.duplicate, self.block_again, self.swap, self.torn, self.stuck, self.double_pulse,
            self.bounce, self.change, self.change_in_outage, self.recut, self.move, self.restart,
            self.clock, self.backlog, self.late_mount,
        ]  # fmt: skip
        return [each for each in events if self._may(each.__name__)]

    # What is told

    def tell(self, told: Told) -> None:
        self.script.reports.append(told)
        due, self._due = self._due, []
        for after, word in due:
            if after > 1:
                self._due.append((after - 1, word))
            else:
                self.script.reports.append(replace(word, at=told.at))

    def _enter(self, press: Press, since: datetime) -> None:
        """Have a person say what sits on a press, now or some closings later."""
        word = Entered(
            machine=press.name,
            mold=press.tool.name,
            since=since,
            at=press.at,
        )
        self._due.append((self.random.choice((1, 3, 30, 200)), word))

    def shots(self, press: Press, n: int) -> None:
        for _ in range(n):
            self.tell(press.close())

    def unseen(self, press: Press, n: int) -> None:
        for _ in range(n):
            press.close()

    def may_be(self, press: Press, unseen: int, seconds: float) -> None:
        """Note that nothing tells how many closings a time had."""
        fastest_s = press.tool.cycle_s * (1 - 3 * press.jitter)
        doubt = int(1.35 * seconds / fastest_s) + unseen + 60
        if press.silent:  # another mold may have come, four times as fast
            doubt *= 5
        if unseen or press.polled:
            self.script.doubt += doubt
        else:  # a stop, over which the connection stood
            self.script.link_doubt += doubt

    def hide(self, press: Press, n: int) -> float:
        """Close the mold n times with nobody looking; how long that took, s."""
        self.script.reports.append(Gap(machine=press.name, at=press.at))
        before, counter = press.at, press.register.value
        self.unseen(press, n)
        took_s = (press.at - before).total_seconds()
        wrapped = press.register.value < counter
        room = 1.35 * took_s / press.tool.cycle_s
        if wrapped or room >= 9_000:
            self.may_be(press, n, took_s)
        if press.rolled:
            self.script.doubt += 50
        return took_s

    # Events

    def dry(self, press: Press) -> None:
        for _ in range(self.random.randrange(1, 12)):
            self.tell(press.close(dry=True))

    def lost(self, press: Press) -> None:
        if press.polled:
            self.hide(press, self.random.randrange(1, 4))
        else:
            to_go = press.register.width - 1 - press.register.value
            n = self.random.randrange(1, 4)
            self.unseen(press, n)
            if 0 <= n - to_go < 5:
                self.script.doubt += 5  # it may as well have been set back

    def outage(self, press: Press) -> None:
        self.hide(press, self.random.randrange(5, 400))

    def long_outage(self, press: Press) -> None:
        seconds = self.random.uniform(0.2, 1.0) * DAY_S
        self.hide(press, int(seconds / press.tool.cycle_s))

    def stop(self, press: Press) -> None:
        press.stand(self.random.uniform(60, 20_000))

    def job(self, press: Press) -> None:
        stop_s = self.random.choice((0.0, 0.0, 300.0, 3600.0))
        self._past_the_first(press)
        press.stand(stop_s)
        self._set_back(press)
        press.new_job()
        self.script.doubt += 2 * (press.polled and press.per_job)
        if stop_s and not self._other(press):
            self.may_be(press, 0, stop_s)

    def job_in_outage(self, press: Press) -> None:
        before = press.at
        n, m = self.random.randrange(0, 200), self.random.randrange(0, 200)
        self.hide(press, n)
        press.new_job()
        self.hide(press, m)
        self.may_be(press, n + m, (press.at - before).total_seconds())

    def reset(self, press: Press) -> None:
        stop_s = self.random.choice((0.0, 0.0, 120.0))
        self._past_the_first(press)
        press.stand(stop_s)
        self._set_back(press)
        press.register.value = 0
        self.script.doubt += press.polled
        if stop_s and not self._other(press):
            self.may_be(press, 0, stop_s)

    def roll_back(self, press: Press) -> None:
        stop_s = self.random.choice((0.0, 90.0, 600.0))
        press.stand(stop_s)
        press.lose_power(self.random.randrange(1 + press.polled, 50))
        if 0 <= press.register.value < 5:  # it may as well have been set back
            self.script.doubt += 5
        self.script.doubt += press.polled  # a fall alone is no closing
        self.script.link_doubt += 1000  # it may fall again in any stop
        if stop_s:
            self.may_be(press, 0, stop_s)

    def roll_back_in_outage(self, press: Press) -> None:
        n = self.random.randrange(0, 48)
        back = self.random.randrange(n + 1, 51)
        m = self.random.randrange(0, max(1, back - n))
        if press.polled and back == n + m + 1:
            m = max(0, m - 1)  # a counter that shows what it showed before tells nothing
            back = max(back, n + m + 2)
        before = press.at
        self.hide(press, n)
        press.lose_power(back)
        self.hide(press, m)
        self.may_be(press, n + m, (press.at - before).total_seconds())

    def duplicate(self, press: Press) -> None:
        told = press.close()
        for _ in range(self.random.randrange(2, 4)):
            self.tell(told)

    def block_again(self, press: Press) -> None:
        """Another connection brings the same, some reports behind."""
        made: list[Told] = []
        lag = self.random.randrange(1, 12)
        for _ in range(self.random.randrange(5, 40)):
            made.append(press.close())
            self.tell(made[-1])
            if len(made) > lag:
                self.tell(made[-1 - lag])
        for told in made[-lag:]:
            self.tell(told)

    def swap(self, press: Press) -> None:
        """Two reports come in the wrong order."""
        first, second = press.close(), press.close()
        self.tell(second)
        self.tell(first)

    def torn(self, press: Press) -> None:
        told = press.close()
        off = self.random.choice((2**16, 2**16, -(2**16)))
        self.tell(replace(told, counter=max(0, told.counter + off)))

    def stuck(self, press: Press) -> None:
        register = press.register
        register.stuck = True
        self.shots(press, self.random.randrange(1, 9))
        register.stuck = False
        if self.random.random() < 0.5:
            register.step(register.behind)
        register.behind = 0

    def double_pulse(self, press: Press) -> None:
        """A closing counts twice, and is told once."""
        self.tell(press.close(pulses=2))

    def bounce(self, press: Press) -> None:
        """A closing counts twice, and is told twice."""
        told = press.close()
        self.tell(told)
        press.register.step()
        after_s = self.random.uniform(0.3, 0.2 * press.tool.cycle_s)
        later = timedelta(seconds=after_s)
        self.tell(
            replace(
                told, counter=press.register.value, at=told.at + later, stamp=told.stamp + later
            )
        )

    def change(self, press: Press) -> None:
        """Another mold, after a change-over."""
        self._past_the_first(press)
        self.script.doubt += press.polled  # a fall at that very closing is told after it
        stop_s, last_s = self.random.uniform(300, 3600), press.tool.cycle_s
        self._take(press, stop_s)
        if self.random.random() < 0.7:
            before = press.register.value
            self._set_back(press)
            press.new_job()
            if press.register.value != before or not self._other(press):
                # The new mold may run four times as fast.
                doubt = int(5 * stop_s / min(last_s, press.tool.cycle_s)) + 60
                if press.polled:
                    self.script.doubt += doubt
                else:
                    self.script.link_doubt += doubt

    def change_in_outage(self, press: Press) -> None:
        before, cycle_s = press.at, min(press.before_s, press.tool.cycle_s)
        n, m = self.random.randrange(0, 100), self.random.randrange(0, 100)
        self.hide(press, n)
        self._take(press, self.random.uniform(300, 3600))
        press.new_job()
        self.hide(press, m)
        took_s = (press.at - before).total_seconds()
        shortest_s = min(cycle_s, press.tool.cycle_s)
        self.script.doubt += 2 * (n + m) + int(5 * took_s / shortest_s) + 60

    def recut(self, press: Press) -> None:
        self.script.doubt += press.polled
        press.stand(3600)
        if press.silent or press.unnamed:  # nobody would know
            return
        press.tool.revision = chr(ord(press.tool.revision) + 1)
        self._on(press, press.at)

    def move(self, press: Press) -> None:
        """The two presses change their molds."""
        self.script.doubt += any(each.polled for each in self.presses)
        one, two = self.presses
        self.tools.append(one.tool)
        self.tools.append(two.tool)
        two_tool = two.tool
        two.tool, one.tool = one.tool, two_tool
        del self.tools[-2:]
        for each in self.presses:
            self._came(each, 1800)
            self.shots(each, self.random.randrange(6, 20))

    def late_mount(self, press: Press) -> None:
        """Another mold, which the machine names some closings late; people say since when."""
        before = press.tool
        self.change(press)
        if press.silent:
            return
        late = self.random.randrange(2, 30)
        press.unnamed, press.named = late, before
        self.script.doubt += 6  # a faster mold seems to bounce until its pace is known
        self._enter(press, self._put_on)
        self.shots(press, late + 6)  # so that its pace is known

    def restart(self, press: Press) -> None:
        self.script.reports.append(RESTART)
        for each in self.presses:
            self.shots(each, 2)

    def clock(self, press: Press) -> None:
        """The control's clock is set."""
        press.off_s += self.random.choice((3600.0, -3600.0, 7200.0, -86400.0))

    def backlog(self, press: Press) -> None:
        """Reports wait on the way and come all at once; their stamps are right."""
        made = [press.close() for _ in range(self.random.randrange(2, 30))]
        for told in made:
            self.tell(replace(told, at=made[-1].at))

    def _past_the_first(self, press: Press) -> None:
        """Go on where to be set back would show nothing: from 1 over 0 to 1, to who polls."""
        while press.polled and 0 <= press.register.value < 5:
            self.shots(press, 1)

    def _set_back(self, press: Press) -> None:
        """Note that a counter near its end may as well go round as be set back."""
        if 0 < press.register.low + press.register.width - press.register.value <= 5:
            self.script.doubt += 5

    def _take(self, press: Press, stop_s: float) -> None:
        self.tools.append(press.tool)
        if press.silent:
            press.before_s = press.tool.cycle_s
        press.tool = self.tools.pop(0)
        self._came(press, stop_s)

    def _came(self, press: Press, stop_s: float) -> None:
        """Let a change-over pass; where the machine does not tell the mold, people will."""
        self._put_on = press.at + timedelta(seconds=self.random.uniform(1, stop_s - 1))
        press.unnamed = 0
        press.stand(stop_s)
        self._on(press, self._put_on)
        if press.silent:
            self.script.doubt += 6  # a faster mold seems to bounce until its pace is known
            self._enter(press, self._put_on)

    def _on(self, press: Press, since: datetime) -> None:
        """Note which revision is on from a time on."""
        on = self.script.revised.setdefault((press.name, press.tool.name), [])
        on.append((since, press.tool.revision))

    def _other(self, press: Press) -> bool:
        return "machine_counter" in press.others
