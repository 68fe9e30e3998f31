"""Programs for Node.js with what they need from npm, as their locks say."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest


def installed(config: pytest.Config, program: Path) -> Path:
    """A copy of a program's folder with its packages beside it; kept until its lock changes.

    The test is skipped where there is no Node.js, or npm gets no packages.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs Node.js 18 or later and npm: apt-get install nodejs npm")
    assert config.cache is not None
    folder = Path(config.cache.mkdir(program.name))
    left_out = shutil.ignore_patterns("node_modules")
    with (folder / "installing").open("w") as one_at_a_time:  # of the processes that share tests
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        shutil.copytree(program, folder, dirs_exist_ok=True, ignore=left_out)
        lock, last = folder / "package-lock.json", folder / "installed-lock.json"
        if not last.exists() or last.read_bytes() != lock.read_bytes():
            last.unlink(missing_ok=True)
            run = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True)
            if run.returncode != 0:
                pytest.skip(f"needs what npm can't install for {program.name}: {run.stderr}")
            shutil.copy(lock, last)
    return folder
