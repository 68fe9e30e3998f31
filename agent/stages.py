"""The stages between what a machine says and what is kept: one walk, whoever feeds it.

`agent.line` feeds it from a socket and `agent.replay` from a file; a test may feed it from a list.
Nothing else walks a machine's observations, so that all three come to the same result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.anomaly import Anomaly
from agent.assembly import Assembly
from agent.ledger import Entry, Ledger
from drivers import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one observation led to; mostly nothing."""

    entries: Sequence[Entry] = ()
    anomalies: Sequence[Anomaly] = ()
    """New ones, and new states of open ones."""


class Stages:
    """Walks the observations of one machine from assembly onward.

    Args:
        assembly: Makes its cycles.
        ledger: Books them.
    """

    def __init__(self, assembly: Assembly, ledger: Ledger) -> None:
        self.assembly = assembly
        self.ledger = ledger

    def connected(self, *, reports: bool, modulus: int | None) -> None:
        """A new connection stands.

        Args:
            reports: Whether the machine sends a report per cycle.
            modulus: What its counter counts modulo, where the driver knows.
        """
        self.assembly.connected(reports=reports)
        self.ledger.modulus = modulus

    def take(self, observation: Observation) -> Outcome:
        """Walk one observation through every stage."""
        entries = [self.ledger.take(item) for item in self.assembly.take(observation)]
        return Outcome(entries=entries)
