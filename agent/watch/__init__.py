"""The watch: what changed at a mold, why, and nothing else.

watch = Watch("IMM-01", supply)
for anomaly in watch.take(booked): ...
"""

from agent.watch.baseline import Baseline
from agent.watch.facts import Facts, Limit
from agent.watch.supply import Supply
from agent.watch.watch import Watch

__all__ = ["Baseline", "Facts", "Limit", "Supply", "Watch"]
