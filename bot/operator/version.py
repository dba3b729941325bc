"""The version of the bot."""

import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

DISTRIBUTION: Final = "hero-roster"
PYPROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"
"""Only a checkout has it."""


def version() -> str:
    """Return the version that is installed, else that of the checkout, else "unknown"."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        pass
    try:
        return str(tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return "unknown"
