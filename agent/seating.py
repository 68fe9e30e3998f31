"""What sits on a machine: mounts by its own word and by people's, noted where its ledger stands."""

from collections.abc import Callable
from datetime import datetime

from agent.cycle import Cycle
from agent.entry import Mount
from agent.sighting import Sighting
from agent.standing import Standing

PERSON = "person"


class Seating:
    """Takes both words; what a person said holds until the machine names another mold than before.

    Args:
        machine: Its name.
        revision_of: The present revision of a mold id.
        cavities_of: Open cavities of a mold revision, where nobody else says them.
    """

    def __init__(
        self,
        machine: str,
        revision_of: Callable[[str], str],
        cavities_of: Callable[[str, str], int | None],
    ) -> None:
        self._machine = machine
        self._revision_of = revision_of
        self._cavities_of = cavities_of

    def begins(self, standing: Standing, mold: str | None) -> tuple[str, str, str] | None:
        """Mold, revision and source of the mount that an item begins; None where it begins none."""
        held = standing.mount
        if mold is not None and mold != standing.said:
            if held is not None and held.source == PERSON and held.mold == mold:
                return None  # it only confirms what somebody said
            source = "machine"
        elif held is not None and held.source != PERSON:
            mold, source = held.mold, held.source
        else:
            return None
        revision = self._revision_of(mold)
        if held is not None and (held.mold, held.revision) == (mold, revision):
            return None
        return mold, revision, source

    def take(self, standing: Standing, item: Cycle | Sighting, at: datetime) -> list[Mount]:
        """A new mount where the machine names another mold than before, or that was re-cut."""
        found = self.begins(standing, item.mold)
        if item.mold is not None:
            standing.said = item.mold
        mounts = []
        if found is not None:
            mold, revision, source = found
            mount = Mount(
                machine=self._machine, mold=mold, revision=revision, since=at, source=source
            )
            self.sit(standing, mount)
            mounts.append(mount)
        self.set_place(standing, item.resin, item.cavities)
        return mounts

    def confirmed(self, standing: Standing, item: Cycle | Sighting) -> Mount | None:
        """The machine's word where it comes to name what a person has said already: it changes
        nothing, and yet what it names after that is news."""
        held = standing.mount
        if item.mold is None or item.mold == standing.said:
            return None
        if held is None or held.source != PERSON or held.mold != item.mold:
            return None
        return Mount(
            machine=self._machine,
            mold=held.mold,
            revision=held.revision,
            since=item.at if isinstance(item, Sighting) else item.received_at,
            source="machine",
        )

    def sit(self, standing: Standing, mount: Mount | None) -> None:
        """Have another mold on: its pace is its own, and what a shot of it makes."""
        held = standing.mount
        standing.mount = mount
        standing.bare = mount is not None and held is not None
        if held is None or (mount is not None and mount.mold == held.mold):
            return
        fastest_s = standing.pace.fastest_s
        if fastest_s is not None:
            standing.fastest_s = {**standing.fastest_s, held.mold: fastest_s}
        standing.pace.restart(standing.fastest_s.get(mount.mold) if mount else None)
        standing.made = ()
        standing.resin = None

    def set_place(self, standing: Standing, resin: str | None, cavities: int | None) -> None:
        """What is loaded and open: by the machine's word, by a person's, or by the mold's own."""
        mount = standing.mount
        if mount is not None:
            resin = resin or mount.resin
            if cavities is None:
                cavities = mount.cavities or self._cavities_of(mount.mold, mount.revision)
        standing.resin = resin or standing.resin
        standing.cavities = cavities
