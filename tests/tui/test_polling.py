"""When the way to a server is measured: on a connection that is made, and not while the start is busy."""

from pathlib import Path

import pytest
from live import live

from modeltui.tui import polling

NEVER_S = 3600.0


async def test_a_busy_start_is_not_measured_as_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "CALM_S", NEVER_S)
    async with live(tmp_path) as shown:
        await shown.until(lambda: shown.app.connection.version)
        before = shown.app.list_seen_at
        shown.app.refresh_soon()
        await shown.until(lambda: shown.app.list_seen_at != before)
        assert shown.app.connection.is_online
        assert shown.app.connection.latency_ms is None


async def test_in_calm_it_is_measured_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "CALM_S", 0.2)
    async with live(tmp_path, config="[poll]\nmodels_s = 60\nhealth_s = 600\n") as shown:
        await shown.until(lambda: shown.app.connection.latency_ms is not None)
        await shown.sees("online ", " ms")


async def test_a_server_that_came_back_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "CALM_S", 0.1)
    async with live(tmp_path) as shown:
        assert shown.server is not None
        await shown.until(lambda: shown.app.connection.latency_ms is not None)
        await shown.server.stop()
        shown.app.refresh_soon()
        await shown.until(lambda: not shown.app.connection.is_online)
        assert shown.app.connection.latency_ms is None
        await shown.server.start()
        shown.app.refresh_soon()
        await shown.until(lambda: shown.app.connection.latency_ms is not None)
