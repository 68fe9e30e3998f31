"""What the molds of one machine are like, and which of them is on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agent.watch.baseline import Baseline, Key

NEVER = datetime.min.replace(tzinfo=UTC)


class Baselines:
    """The baselines of one machine."""

    def __init__(self) -> None:
        self.on: Baseline | None = None
        """Of the mold that is on; None before the first shot of a known mold."""
        self._known: dict[Key, Baseline] = {}

    def __iter__(self) -> Iterator[Baseline]:
        return iter(self._known.values())

    def key(self, mold: str, revision: str, resin: str | None) -> Key:
        """Which baseline a cycle belongs to.

        A cycle that does not say its resin is of the one last said; what was learned before
        anybody said one is that of the first.
        """
        if self.on is not None:
            on = self.on.key
            if on[0] == mold and on[1] == revision and (resin is None or resin == on[2]):
                return on
        known = [key for key in self._known if key[:2] == (mold, revision)]
        if resin is None:
            return known[-1] if known else (mold, revision, "")
        key, unsaid = (mold, revision, resin), (mold, revision, "")
        if unsaid in known and key not in known:
            baseline = self._known.pop(unsaid)
            baseline.key = key
            self._known[key] = baseline
        return key

    def mount(self, key: Key, left_at: datetime | None) -> Baseline:
        """A mold comes on, or goes on in another resin or as another revision.

        Args:
            key: Of what comes.
            left_at: End of the last shot of what was on.
        """
        baseline = self._known.get(key)
        if baseline is None:
            baseline = self._known[key] = Baseline(key)
        if self.on is not None:
            self.on.left_at = left_at
        baseline.left_at = None
        baseline.frozen(baseline.channels, frozen=False)
        baseline.restart(None)
        for channel in baseline.channels.values():
            channel.home_again()
        self.on = baseline
        return baseline

    def newest(self, of: tuple[str, str] | None) -> Baseline | None:
        """Of a mold and revision: what is on, else what was on last; None where it never was.

        Args:
            of: The two; None for what is on.
        """
        if of is None or (self.on is not None and self.on.key[:2] == of):
            return self.on
        left = [each for each in self if each.key[:2] == of]
        return max(left, key=lambda each: each.left_at or NEVER, default=None)

    def carry(self, mold: str, old: str, new: str) -> bool:
        """Begin a new revision with what the old one is like; whether there was anything."""
        found = [each for each in self if each.key[:2] == (mold, old)]
        for baseline in found:
            carried = baseline.carried_to(new)
            self._known[carried.key] = carried
            if self.on is not None and self.on.key == carried.key:
                self.on = carried
        return bool(found)

    def save(self) -> list[dict[str, Any]]:
        """As JSON values."""
        return [baseline.save() for baseline in self]

    @classmethod
    def load(cls, kept: Sequence[Mapping[str, Any]], on: Sequence[str] | None) -> "Baselines":
        """What `save` kept, and the key of the one that is on."""
        baselines = cls()
        baselines._known = {each.key: each for each in map(Baseline.load, kept)}
        if on is not None:
            mold, revision, resin = on
            baselines.on = baselines._known[mold, revision, resin]
        return baselines
