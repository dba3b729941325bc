"""Where the project's own files are, for tests that read or run them."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The folder that holds pyproject.toml."""
