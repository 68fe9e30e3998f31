"""What an agent has to know of a machine that another one has followed until now."""

from functools import partial

from agent.before import Before, read_before
from agent.files import RecordError
from agent.forward.settings import PlantSettings
from agent.plantrecord.address import telling
from agent.plantrecord.reading import curves_from
from drivers.errors import RefusedError as NoSecretError


def before_by_plant(settings: PlantSettings, name: str) -> Before:
    """How a machine stands by the plant record, as an agent's own record would say it.

    Its ledger goes on from the rows that are there: what the agent before has not told yet is
    counted by the machine's own counter.

    Raises:
        RecordError: the server is away.
    """
    try:
        address = settings.address
    except NoSecretError as error:
        raise RecordError(str(error)) from error
    engine = address.engine(
        options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    try:
        with telling(address), engine.connect() as connection:
            before = read_before(connection, name, partial(curves_from, connection), told=True)
    finally:
        engine.dispose()
    if before is None:
        raise RecordError(f"record: the plant record knows no machine {name} yet")
    return before
