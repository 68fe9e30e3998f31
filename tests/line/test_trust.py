"""A secured press is dark until a person has confirmed its certificate, and then is seen."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.files import RecordError
from agent.history import MachineSums, open_history
from drivers.certificate import fingerprint, load_certificate
from simulators.flat.face import FlatFace
from simulators.opcua.security import Security
from tests.line.harness import Agent, until
from tests.simulators.makers import a_press

CONFIG = """
[record]
url = "sqlite:///plant.db"
[web]
listen = "127.0.0.1:0"
[pki]
folder = "keys"
[[machine]]
name = "IMM-01"
driver = "opcua"
url = "{url}"
map = "flat-em63"
poll_s = 0.1
user = "ada"
password = {{ env = "SPRUE_TEST_PASSWORD" }}
security = {{ policy = "Basic256Sha256", mode = "SignAndEncrypt" }}
"""


def sums(agent: Agent) -> MachineSums | None:
    try:
        with open_history(agent.url) as history:
            return next(iter(history.sums(datetime.now(UTC))), None)
    except RecordError:
        return None


def is_refused(agent: Agent, words: str) -> bool:
    found = sums(agent)
    blind = found.blind_now if found else None
    return blind is not None and blind.cause == "refused" and words in (blind.why or "")


async def test_a_press_is_seen_once_its_certificate_is_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRUE_TEST_PASSWORD", "s3cret")
    press = a_press(counter=500)
    security = Security(user="ada", password="s3cret", folder=tmp_path / "theirs")
    face = FlatFace(press, security=security)
    await face.start()
    config = tmp_path / "sprue.toml"
    config.write_text(CONFIG.format(url=face.address), encoding="utf-8")
    agent = Agent(config, tmp_path / "agent.log")
    await agent.start()
    try:
        shown = fingerprint(load_certificate((tmp_path / "theirs" / "server.der").read_bytes()))
        words = f"not trusted yet: {shown}; `sprue trust IMM-01`"
        await until("it is refused", lambda: is_refused(agent, words))
        await press.faults.on("certificate_untrusted")  # nobody has accepted ours there yet
        trust = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent", "trust", "IMM-01", "--yes", "--config", str(config),
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await asyncio.wait_for(trust.wait(), 60) == 0
        await until("it says what is next", lambda: is_refused(agent, "BadCertificateUntrusted"))
        await press.faults.off("certificate_untrusted")
        await until(
            "it is seen", lambda: bool((s := sums(agent)) and not s.blind_now and s.seen_at)
        )

        await press.faults.on("certificate_changed", {"down_s": 0.05})
        await until("it is refused again", lambda: is_refused(agent, "its certificate has changed"))
        assert (tmp_path / "keys" / "sprue.pem").exists()
    finally:
        await agent.kill()
        await face.stop()
