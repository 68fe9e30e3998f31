"""What is answered where a defect keeps Sprue from answering."""

import logging
import re
import sqlite3
from pathlib import Path

import pytest

from agent.files import main_path
from tests.dashboards.client import get, serving
from tests.dashboards.recorded import recorded
from tests.dashboards.story import story


async def test_a_defect_is_answered_in_words_and_told_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = await recorded(tmp_path)
    with sqlite3.connect(main_path(url)) as connection:  # what no code of ours writes
        connection.execute("UPDATE anomaly SET evidence = '{'")
    connection.close()

    async with serving(story(12), record=url) as address:
        page = await get(f"{address}/anomalies", accept="text/html", accept_language="de")
        api = await get(f"{address}/api/anomalies", accept="application/json")
        others = [await get(f"{address}{path}") for path in ("/molds", "/healthz", "/api/molds")]

    assert [each.status for each in others] == [200, 200, 200]
    for answer, kind in ((page, "text/html"), (api, "application/problem+json")):
        assert answer.status == 500
        assert answer.headers["content-type"].startswith(kind)
        assert "content-security-policy" in answer.headers
        assert "Traceback" not in answer.text
        assert "JSON" not in answer.text
    name = re.search(r"unter ([0-9a-f]{8})\.", page.text)
    assert name
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert f"mishap {name[1]}: GET '/anomalies'" in errors
    assert len([each for each in errors if each.startswith("mishap")]) == 2
