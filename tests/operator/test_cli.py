"""The operator's commands, as far as they concern no other file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot import __version__
from bot.roster.vault import new_key

ROOT = Path(__file__).parents[2]


def python(code: str, *arguments: str, cwd: Path) -> str:
    """Run Python in a process of its own and return what it printed."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout


def modules_after(*arguments: str, cwd: Path) -> tuple[str, set[str]]:
    """Run a command; return what it printed and the names of all modules that are loaded after it."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('', *sys.modules, sep='\\n'))\n"
        "from bot.operator.cli import main\n"
        "main()\n"
    )
    output, _, modules = python(code, *arguments, cwd=cwd).partition("\n\n")
    return output, set(modules.split())


@pytest.mark.parametrize("arguments", [("keys", "new"), ("--help",), ("--version",)])
def test_a_small_command_does_not_import_the_bot(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    _, modules = modules_after(*arguments, cwd=tmp_path)

    assert "bot.operator.cli" in modules
    assert modules.isdisjoint({"discord", "sqlalchemy", "PIL", "cryptography", "asyncio", "rich"})


def test_keys_new_prints_a_key_that_fernet_takes(tmp_path: Path) -> None:
    output, _ = modules_after("keys", "new", cwd=tmp_path)

    fernet = Fernet(output.strip())
    assert fernet.decrypt(fernet.encrypt(b"Dive Wilson")) == b"Dive Wilson"


def test_a_new_key_is_as_fernet_makes_it_and_never_the_same() -> None:
    assert len(new_key()) == len(Fernet.generate_key())
    assert new_key() != new_key()


def test_the_bot_imports_nothing_that_only_a_command_needs(tmp_path: Path) -> None:
    code = "import sys, bot.operator.cli, bot.operator.run, cogs.hero\nprint(*sys.modules)"

    modules = set(python(code, cwd=tmp_path).split())

    assert "discord" in modules
    assert modules.isdisjoint({"cryptography", "PIL", "rapidfuzz", "matplotlib", "rich"})


def test_the_version_is_printed(tmp_path: Path) -> None:
    output, _ = modules_after("--version", cwd=tmp_path)

    assert output == f"Hero Roster {__version__}"
