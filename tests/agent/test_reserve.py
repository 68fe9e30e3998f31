"""Room that is kept for shots."""

from pathlib import Path

import pytest

from agent import reserve
from agent.reserve import Reserve


def test_it_is_kept_used_once_and_kept_again(tmp_path: Path) -> None:
    kept, file = Reserve(tmp_path / "plant.db", 100_000), tmp_path / "plant.db.reserve"

    assert kept.keep()
    assert file.stat().st_blocks * 512 >= 100_000  # room, and not only a size
    assert kept.use()
    assert kept.is_used
    assert not file.exists()
    assert not kept.use()
    assert kept.keep()
    assert not kept.is_used


def test_none_is_kept_where_nobody_wants_it_or_the_disk_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not Reserve(tmp_path / "plant.db", 0).keep()
    monkeypatch.setattr(reserve, "TIMES", 10**12)
    assert not Reserve(tmp_path / "plant.db", 100_000).keep()
    assert list(tmp_path.iterdir()) == []
