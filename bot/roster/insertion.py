"""Putting new heroes into the database, several at once, along with the fact that they were added."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypedDict, cast

from sqlalchemy import (
    JSON,
    FromClause,
    Insert,
    Select,
    Text,
    UpdateBase,
    bindparam,
    column,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero
from bot.db.types import words


class NewHero(TypedDict):
    """What `new_hero` has checked and encrypted: the columns of a hero that has no number yet."""

    guild_id: int
    owner_id: int
    name: str
    name_key: str
    secret_name: str
    secret_key: str | None
    secret_seal: str
    age: int | None
    description: str | None
    created_at: datetime
    updated_at: datetime


async def insert_heroes(session: AsyncSession, heroes: Sequence[NewHero]) -> dict[str, Hero]:
    """Insert heroes, and write down that their owners added them, who take turns from here on.

    Args:
        session: one that writes.
        heroes: of any guilds and owners.

    Returns:
        Each hero by its seal, without those whose names are taken.
    """
    if not heroes:
        return {}
    # Always in the same order: two batches with the same names could wait for each other otherwise.
    ordered = sorted(heroes, key=lambda hero: (hero["guild_id"], hero["name_key"]))
    if session.get_bind().dialect.name == "postgresql":
        # As they are: PostgreSQL can turn an escaped letter into one in UTF-8 databases only.
        wanted = {"heroes": json.dumps(ordered, default=datetime.isoformat, ensure_ascii=False)}
        added = (await session.exec(_ON_POSTGRES, params=wanted)).scalars().all()
    else:
        added = (await session.exec(_ON_SQLITE, params=ordered)).scalars().all()
        if added:
            await session.exec(_HISTORY_ON_SQLITE, params={"added": [hero.id for hero in added]})
    # By their seals, since names do not tell them apart: a batch may hold one name twice.
    return {hero.secret_seal: hero for hero in added}


_table: Final = SQLModel.metadata.tables
_hero: Final = _table["hero"]
# The database decides who gets a name; to look first would let two members pass at once.
_NAME: Final[dict[str, Any]] = {
    "index_elements": ["guild_id", "name_key"],
    "index_where": text("removed_at IS NULL"),
}


def _history(added: FromClause) -> Insert:
    """Write down who added these heroes."""
    entry = {
        "guild_id": added.c.guild_id,
        "hero_id": added.c.id,
        "actor_id": added.c.owner_id,
        "action": literal(Action.ADDED, words(Action)),
        "changes": literal({}, JSON),
        "at": added.c.created_at,
    }
    return insert(_table["history"]).from_select(list(entry), select(*entry.values()))


def _on_postgres() -> Select[Any]:
    """Turns, heroes and history in one statement: each trip to PostgreSQL takes its time.

    The heroes go in as one JSON text. A parameter for each value would make another statement of each
    number of heroes, and arrays one that PostgreSQL plans anew each time.
    """
    columns = [column(name, _hero.c[name].type) for name in NewHero.__annotations__]
    heroes = func.json_to_recordset(sql_cast(bindparam("heroes", type_=Text), postgresql.JSON))
    new = select(heroes.table_valued(*columns).render_derived(with_types=True)).cte("new_heroes")
    owners = select(new.c.owner_id).distinct().order_by(new.c.owner_id).subquery()
    # Counted to the end before the first hero is inserted, so that each owner's turn has come by then.
    turns = select(func.count(func.pg_advisory_xact_lock(owners.c.owner_id)).label("taken")).subquery()
    added = (
        postgresql.insert(Hero)
        .from_select([each.name for each in columns], select(*new.c).join(turns, turns.c.taken > 0))
        .on_conflict_do_nothing(**_NAME)
        .returning(_hero)
        .cte("added")
    )
    return select(added).add_cte(_history(added).cte("added_history"))


def _loaded(statement: Select[Any] | Insert) -> UpdateBase:
    """Load what the statement returns: a third of the work that an object made from the values is."""
    # SQLModel's `exec` takes such a statement, but has no type for it.
    return cast("UpdateBase", select(Hero).from_statement(statement))


_ON_POSTGRES: Final = _loaded(_on_postgres())
_ON_SQLITE: Final = _loaded(sqlite.insert(_hero).on_conflict_do_nothing(**_NAME).returning(_hero))
_HISTORY_ON_SQLITE: Final = _history(
    select(_hero).where(_hero.c.id.in_(bindparam("added", expanding=True))).subquery()
)
