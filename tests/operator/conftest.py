from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.preview import Preview, previewing


@pytest.fixture
async def preview(tmp_path: Path) -> AsyncGenerator[Preview]:
    async with previewing(tmp_path) as running:
        yield running
