"""A session that waits for its connection when it first needs one.

It relies on two names of SQLAlchemy 2.1: `sqlalchemy.util.concurrency.await_`, by which its own async drivers
await something beneath the synchronous API, and `Session.get_bind`, a documented hook that runs before each
use of a connection. It brings sessions that cost nothing while they are unused, so that simultaneous calls
can share one (`bot.db.batch`), and connections in the order in which sessions ask for them. Without it,
`Database` would wait for a connection as soon as it opens a session. If SQLAlchemy's pool were fair, half of
it would be needless. `tests/db/test_driver_names.py` names what it relies on.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.util.concurrency import await_
from sqlmodel import Session
from typing_extensions import override


class LazySession(Session):
    """The synchronous session within each `AsyncSession`."""

    take_turn: Callable[[], Awaitable[None]] | None = None
    """The function to await before the first use of a connection; None after that."""

    @override
    def get_bind(self, *args: Any, **options: Any) -> Engine | Connection:
        if self.take_turn is not None:
            take_turn, self.take_turn = self.take_turn, None
            await_(take_turn())
        return super().get_bind(*args, **options)
