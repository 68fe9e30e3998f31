"""What a seen closing teaches the ledger of its machine."""

from datetime import datetime

from agent.counter import RESET_TO_MOST, Judgement, Step
from agent.cycle import Cycle
from agent.novelty import BOUNCE
from agent.pace import SURE
from agent.standing import Standing
from agent.witness import MADE_KEPT, PARTS


def learn(
    standing: Standing, cycle: Cycle, verdict: Judgement, when: datetime, *, changed: bool
) -> None:
    """Take the pace, what jobs do to the counter, and how many parts a shot makes."""
    assert standing.ended is not None
    standing.pulses = ()
    if standing.job is not None and cycle.job is not None and cycle.job != standing.job:
        if verdict.step is Step.RISEN and verdict.closings == 1:
            if cycle.counter > RESET_TO_MOST and verdict.alone:  # 0 to 1 goes either way
                standing.per_job = False
        elif verdict.step is Step.RESET and verdict.alone:
            standing.per_job = True
    if verdict.closings != 1 or changed or not standing.started or cycle.closing == "dry":
        return
    step_s = (when - standing.ended).total_seconds()
    pace = standing.pace
    was, now = standing.others.get(PARTS), cycle.counters.get(PARTS)
    if cycle.fresh and pace.usual_s is not None and 0 < step_s < BOUNCE * pace.usual_s:
        if len(pace.steps_s) < SURE:  # a stop was among the few there are
            pace.steps_s.clear()
            pace.add(round(step_s, 6))
        elif now is not None and was is not None and now > was and not pace.was_late(step_s):
            pace.add(round(step_s, 6))  # parts fell: it is so fast
        else:
            pace.even_out(step_s)
    elif cycle.fresh and step_s > 0:
        pace.add(round(step_s, 6))
    if was is not None and now is not None and now >= was:
        standing.made = (*standing.made, now - was)[-MADE_KEPT:]
