"""A person says that nodes which are called otherwise are the right ones all the same."""

import asyncio
from pathlib import Path

import pytest

from agent.config import Loaded, load
from agent.machine import nodes_file, opener
from agent.trust import TrustError, trust
from tests.drivers.flatserver import NAMESPACE, FlatServer, flat_server

CONFIG = """
[record]
url = "sqlite:///sprue.db"

[[machine]]
name = "IMM-15"
driver = "opcua"
url = "{url}"
map = "map.toml"
"""
MAP = f"""
namespace = "{NAMESPACE}"

[[node]]
signal = "counter"
id = "s=Shots"

[[node]]
signal = "melt_temp_c"
id = "s=Melt"
"""


def loaded(folder: Path, flat: FlatServer) -> Loaded:
    (folder / "map.toml").write_text(MAP)
    (folder / "sprue.toml").write_text(CONFIG.format(url=flat.url))
    return load(folder / "sprue.toml")


async def read(config: Loaded) -> tuple[object, ...]:
    async with opener(config.config.machine[0], config, remember=True)() as press:
        return (await press.read()).values


async def trusted(config: Loaded, *, yes: bool) -> None:
    ask = lambda _question: yes  # noqa: E731 - an answer
    await asyncio.to_thread(trust, config, "IMM-15", yes=False, ignore_dates=False, ask=ask)


async def test_nodes_that_a_person_confirms_are_read_under_their_new_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with flat_server(Shots=7, Melt=230.0) as flat:
        config = loaded(tmp_path, flat)
        assert await read(config) == (7, 230.0)
        await trusted(config, yes=False)
        assert "Its 2 nodes are called as before." in capsys.readouterr().out

        flat.delete("Melt")
        flat.add_as("Melt", "MeltTemperature", 231.0)
        assert await read(config) == (7, None)
        with pytest.raises(TrustError, match="nothing was changed"):
            await trusted(config, yes=False)
        assert await read(config) == (7, None)

        await trusted(config, yes=True)
        assert "s=Melt: the node with this id is called 'MeltTemperature' now, and was 'Melt'" in (
            capsys.readouterr().out
        )
        assert await read(config) == (7, 231.0)

    assert "MeltTemperature" in nodes_file(config, "IMM-15").read_text()
