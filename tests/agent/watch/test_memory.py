"""A watch that starts anew from what it kept says what one says that went on."""

import json

from agent.anomaly import Anomaly
from agent.cycle import Booked
from agent.watch import Watch
from tests.agent.watch.streams import Press, ramp


def day() -> list[Booked]:
    """Good hours, stops, another mold, and four faults."""
    press = Press(7)
    cycles = []
    for n in range(1100):
        if press.random.random() < 1 / 150:
            press.stand(press.random.choice((90, 400, 1800)))
        changed: dict[str, float] = {}
        if 300 <= n < 350:
            changed = {"cycle_time_s": 0.5, "cooling_time_s": 0.5}
        elif 420 <= n < 500:
            changed = {"coolant_flow_l_min": ramp(n - 420, -4, 30)}
        elif 560 <= n < 640:
            changed = {"injection_pressure_peak_bar": ramp(n - 560, 60, 40)}
        elif n == 700:
            changed = {"cycle_time_s": -4.0, "cooling_time_s": -4.0}
        elif n >= 750:
            by_s = 0.05 * min(6, (n - 750) // 20 + 1)
            changed = {"cycle_time_s": by_s, "cooling_time_s": by_s}
        press.mold = "M-2" if 900 <= n < 960 else "M-1"
        cycles.append(press.shot(changed))
    return cycles


def test_nothing_is_learned_twice_told_twice_or_forgotten() -> None:
    cycles = day()
    straight = Watch("IMM-01")
    expected = [anomaly for booked in cycles for anomaly in straight.take(booked)]

    watch = Watch("IMM-01")
    found: list[Anomaly] = []
    for n, booked in enumerate(cycles):
        found += watch.take(booked)
        if n % 5 == 0:
            kept = json.loads(json.dumps(watch.save(), allow_nan=False))
            watch = Watch("IMM-01")
            watch.load(kept)

    assert len(expected) > 8
    assert found == expected
    assert watch.save() == straight.save()
