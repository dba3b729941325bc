"""Putting new heroes into the database, several at once, along with the fact that they were added."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypedDict, cast

from sqlalchemy import (
    CTE,
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
from bot.roster.quota import has_room


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


async def insert_heroes(
    session: AsyncSession, heroes: Sequence[NewHero], bounds: dict[str, object]
) -> dict[str, Hero]:
    """Insert heroes, and write down that their owners added them.

    Args:
        session: one that writes, in which their owners took turns.
        heroes: of any guilds and owners.
        bounds: how many heroes an owner may have and add; see `Quota.bounds`.

    Returns:
        Each hero by its seal, without those whose names are taken, and without those of owners who have no
        room for all of theirs.
    """
    on_postgres = session.get_bind().dialect.name == "postgresql"
    # One parameter, since one for each value would make another statement of each number of heroes. Letters
    # as they are: PostgreSQL can turn an escaped one into itself in UTF-8 databases only.
    moment = datetime.isoformat if on_postgres else _as_sqlite_keeps_it
    wanted = {"new": json.dumps(heroes, default=moment, ensure_ascii=False), **bounds}
    added = (await session.exec(_ON_POSTGRES if on_postgres else _ON_SQLITE, params=wanted)).scalars().all()
    if added and not on_postgres:
        await session.exec(_HISTORY_ON_SQLITE, params={"added": [hero.id for hero in added]})
    # By their seals, since names do not tell them apart: a batch may hold one name twice.
    return {hero.secret_seal: hero for hero in added}


def _as_sqlite_keeps_it(moment: datetime) -> str:
    """As SQLAlchemy stores it there: in UTC, without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_table: Final = SQLModel.metadata.tables
_hero: Final = _table["hero"]
# The database decides who gets a name; to look first would let two members pass at once.
_NAME: Final[dict[str, Any]] = {
    "index_elements": ["guild_id", "name_key"],
    "index_where": text("removed_at IS NULL"),
}
_COLUMNS: Final = list(NewHero.__annotations__)


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


def _with_room(new: CTE) -> Select[Any]:
    """Those of the new heroes whose owners have room for all of theirs."""
    also = new.alias()
    more = select(func.count()).select_from(also).where(also.c.owner_id == new.c.owner_id).scalar_subquery()
    # Always in the same order: two batches with the same names could wait for each other otherwise.
    return (
        select(*new.c)
        .where(has_room(new.c.guild_id, new.c.owner_id, more))
        .order_by(new.c.guild_id, new.c.name_key)
    )


def _on_postgres() -> Select[Any]:
    """Heroes and history in one statement: each trip to PostgreSQL takes its time."""
    heroes = func.json_to_recordset(sql_cast(bindparam("new", type_=Text), postgresql.JSON))
    columns = [column(name, _hero.c[name].type) for name in _COLUMNS]
    new = select(heroes.table_valued(*columns).render_derived(with_types=True)).cte("new_heroes")
    added = (
        postgresql.insert(Hero)
        .from_select(_COLUMNS, _with_room(new))
        .on_conflict_do_nothing(**_NAME)
        .returning(_hero)
        .cte("added")
    )
    return select(added).add_cte(_history(added).cte("added_history"))


def _on_sqlite() -> Insert:
    """The heroes alone: SQLite can't insert into two tables at once."""
    hero = func.json_each(bindparam("new", type_=Text)).table_valued("value").c.value
    columns = [
        func.json_extract(hero, f"$.{name}", type_=_hero.c[name].type).label(name) for name in _COLUMNS
    ]
    return (
        sqlite.insert(_hero)
        .from_select(_COLUMNS, _with_room(select(*columns).cte("new_heroes")))
        .on_conflict_do_nothing(**_NAME)
        .returning(_hero)
    )


def _loaded(statement: Select[Any] | Insert) -> UpdateBase:
    """Load what the statement returns: a third of the work that an object made from the values is."""
    # SQLModel's `exec` takes such a statement, but has no type for it.
    return cast("UpdateBase", select(Hero).from_statement(statement))


_ON_POSTGRES: Final = _loaded(_on_postgres())
_ON_SQLITE: Final = _loaded(_on_sqlite())
_HISTORY_ON_SQLITE: Final = _history(
    select(_hero).where(_hero.c.id.in_(bindparam("added", expanding=True))).subquery()
)
