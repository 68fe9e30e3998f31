"""Real servers from Debian's packages, started by a test on loopback and ended by their own id."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

PATIENCE_S = 60.0

INFLUX_CONFIG = """
reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
[logging]
level = "error"
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def program(name: str, package: str) -> str:
    """Path of a server; the test is skipped where it is not installed."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"needs {name}: apt-get install {package}")
    return path


class Server:
    """A server process: always the same port and the same data, however often it is killed."""

    def __init__(self, command: list[str], url: str, ready: str, folder: Path) -> None:
        self.url = url
        self._command = command
        self._ready = ready
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                with urllib.request.urlopen(self.url + self._ready, timeout=1):
                    return
            except OSError as error:
                assert self._process.poll() is None, self._log.read_text()
                if time.monotonic() > end:
                    raise AssertionError(f"{self._command[0]} is not ready: {error}") from error
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None
        time.sleep(1.1)  # it tells the time of its start in whole seconds

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None


def influx_server(folder: Path) -> Server:
    """InfluxDB 1.6 of Debian 12: its own `/write` only; `v2.py` puts the newer call before it."""
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(INFLUX_CONFIG.format(folder=folder, port=port, rpc=free_port()))
    command = [program("influxd", "influxdb"), "-config", str(config)]
    return Server(command, f"http://127.0.0.1:{port}", "/ping", folder)


def victoria_server(folder: Path) -> Server:
    """VictoriaMetrics as `docs/how-to` says it should be started."""
    port = free_port()
    command = [
        program("victoria-metrics", "victoria-metrics"),
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=10y",
        "-dedup.minScrapeInterval=1ms",
        "-loggerLevel=ERROR",
    ]
    return Server(command, f"http://127.0.0.1:{port}", "/health", folder)
