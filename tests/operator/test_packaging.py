"""The package works where it is installed, away from its source."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.paths import ROOT


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel that `pip install .` makes, of a copy: setuptools leaves its work beside the source."""
    # The Python of a new environment has an older one or none; requirements/dev.txt brings this.
    pytest.importorskip("setuptools", minversion="77")
    source = tmp_path / "source"
    for name in ("bot", "cogs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation", "."],
        cwd=source,
        check=True,
    )
    [built] = source.glob("hero_roster-*.whl")
    return built


def test_the_wheel_migrates_and_checks_in_another_folder(tmp_path: Path, wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    migrated, checked = (
        subprocess.run(
            [sys.executable, "-m", "bot", command],
            cwd=elsewhere,
            env={"PYTHONPATH": str(tmp_path / "site")},
            capture_output=True,
            text=True,
            check=False,
        )
        for command in ("migrate", "check")
    )

    assert migrated.stdout == "The database is up to date.\n", migrated.stderr
    assert (elsewhere / "data" / "heroes.db").exists()
    assert "ok     schema" in checked.stdout, checked.stderr
    assert "ok     commands" in checked.stdout
    [entry_points] = (tmp_path / "site").glob("*.dist-info/entry_points.txt")
    assert "hero-roster = bot.operator.cli:main" in entry_points.read_text()
    assert (tmp_path / "site" / "bot" / "db" / "migrations" / "script.py.mako").exists()
