"""What is told of the counting: sentences with both numbers, by what was found."""

from collections.abc import Mapping

from agent.counter import Step
from agent.entry import Finding

WORDS: Mapping[str, tuple[str, str, str]] = {
    Step.RESET: (
        "counter_reset",
        "The shot counter of {machine} was set back from {before} to {after}; {n} since.",
        "Counter set back",
    ),
    Step.SET: (
        "counter_reset",
        "The shot counter of {machine} was set from {before} to {after}; {n} counted.",
        "Counter set",
    ),
    Step.WRAPPED: (
        "counter_wrapped",
        "The shot counter of {machine} went round its end, from {before} to {after}: {n}.",
        "Counter went round",
    ),
    Step.ROLLED_BACK: (
        "counter_rolled_back",
        "The shot counter of {machine} fell back from {before} to {after}, as after a power "
        "failure; {n} counted, and none that it repeats twice.",
        "Counter fell back",
    ),
    Step.JUMPED: (
        "counters_disagree",
        "The shot counter of {machine} jumped from {before} to {after}, more than there was time "
        "for; {n} counted.",
        "Counter jumped",
    ),
    Step.RESUMED: (
        "counters_disagree",
        "The shot counter of {machine} is back where it was, from {before} to {after}; {n} "
        "counted.",
        "Counter is back",
    ),
    Step.TORN: (
        "counters_disagree",
        "The shot counter of {machine} showed half of a number, {after} after {before}; {n} "
        "counted.",
        "Counter misread",
    ),
    Step.DOUBLED: (
        "double_pulse",
        "The shot counter of {machine} went from {before} to {after} faster than a mold can "
        "close; {n} counted.",
        "Counter counted twice",
    ),
    "unobserved": (
        "shots_unobserved",
        "{n} of {machine} from counter {before} to {after}, not all of them seen.",
        "Shots not observed",
    ),
    Step.STUCK: ("counter_stalled", "", ""),
}
"""By what was found: cause, sentence, and words for a tile."""


def shots(n: int) -> str:
    """How many, in words."""
    return f"{n:,} shot" if n == 1 else f"{n:,} shots"


def doubt(finding: Finding) -> str:
    """Between which numbers the truth lies, where that is in doubt."""
    if finding.least == finding.most:
        return ""
    return f" Between {finding.least:,} and {finding.most:,} are possible ({finding.evidence})."
