from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import URL

from tests.support.online import Online, online_on


@pytest.fixture
async def online(tmp_path_url: URL, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Online]:
    async with online_on(tmp_path_url, monkeypatch) as found:
        yield found
