"""A read of many nodes that one bad node can't spoil.

Some servers refuse a whole request for one node, or answer it with bytes that can't be decoded.
Then the request is halved until the culprit stands alone; it is left out, and the others are read.
"""

import logging
from collections.abc import Sequence

from asyncua import ua

from drivers.errors import GarbledError, MachineError, RefusedError
from drivers.session import Batch, Session

log = logging.getLogger(__name__)

CULPRITS_MOST = 16
"""A server that refuses more nodes than these one by one refuses us, and not some nodes."""
LEFT_OUT = ua.StatusCodes.BadNodeIdInvalid
"""The status that a node in quarantine gets here."""


class GuardedRead:
    """Reads a list of nodes again and again, without those that spoil the request.

    Attributes:
        culprits: Why a node is left out, by its place in the list; a new object tries them anew.
    """

    def __init__(
        self,
        session: Session,
        node_ids: Sequence[ua.NodeId],
        attribute: ua.AttributeIds = ua.AttributeIds.Value,
    ) -> None:
        self.culprits: dict[int, str] = {}
        self._session = session
        self._node_ids = tuple(node_ids)
        self._kept = list(range(len(node_ids)))
        self._attribute = attribute
        self._batch = Batch(session, node_ids, attribute)

    async def read(self) -> Sequence[ua.DataValue]:
        """The values, in order, each with its status and the machine's time.

        Raises:
            MachineError: the server did not answer, or refuses more than some nodes.
        """
        try:
            found = await self._batch.read()
        except (RefusedError, GarbledError) as error:
            if not self._session.stands:
                raise  # what came was no answer at all
            await self._isolate(error)
            found = await self._batch.read()
        if not self.culprits:
            return found
        answers = [ua.DataValue(StatusCode=ua.StatusCode(LEFT_OUT)) for _ in self._node_ids]
        for place, answer in zip(self._kept, found, strict=True):
            answers[place] = answer
        return answers

    async def _isolate(self, why: MachineError) -> None:
        """Find the nodes that spoil the request, by halving it.

        Raises:
            MachineError: what was said of the whole, where it is not for some nodes.
        """
        found: dict[int, str] = {}
        suspects = [self._kept]
        while suspects:
            part = suspects.pop()
            if len(part) == 1:
                found[part[0]] = why.what
                if len(found) > CULPRITS_MOST or len(found) == len(self._kept):
                    raise why
                continue
            middle = len(part) // 2
            for half in (part[:middle], part[middle:]):
                try:
                    ids = [self._node_ids[place] for place in half]
                    await self._session.read(ids, self._attribute)
                except (RefusedError, GarbledError) as error:
                    why = error
                    suspects.append(half)
        self.culprits |= found
        self._kept = [place for place in self._kept if place not in found]
        kept = [self._node_ids[place] for place in self._kept]
        self._batch = Batch(self._session, kept, self._attribute)
