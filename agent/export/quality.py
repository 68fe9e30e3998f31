"""How far a row may be relied on, in one word, by its flags."""

from functools import cache

from agent.shedding import FLAG

GOOD, UNCERTAIN, BAD = "good", "uncertain", "bad"

WRONG = ("implausible", "not_a_number")
"""A value of it is none; which one, the flag says."""
DOUBTFUL = ("time_uncertain", "clock_off", "torn_word", "counter_stood", "curve_cut", FLAG)
"""Its end, its counter or its curve is not as the machine should have said it, or was not kept."""


@cache
def quality_of(flags: str) -> str:
    """The word for flags as the record has them, separated by spaces.

    >>> quality_of(""), quality_of("clock_off"), quality_of("clock_off implausible:cushion_mm")
    ('good', 'uncertain', 'bad')
    """
    kinds = {flag.partition(":")[0] for flag in flags.split()}
    if kinds.intersection(WRONG):
        return BAD
    return UNCERTAIN if kinds.intersection(DOUBTFUL) else GOOD
