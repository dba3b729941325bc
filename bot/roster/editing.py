"""Changing what is known about a hero."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero
from bot.roster.asker import Asker
from bot.roster.errors import NotYoursError, RosterError
from bot.roster.heroes import hero_by_id, name_taken
from bot.roster.history import Changes, record
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.roster.secrets import may_read_secret
from bot.roster.vault import Vault


@dataclass(frozen=True, slots=True)
class Edit:
    """What a hero is to become.

    Args:
        name: see `clean_name`.
        age: see `clean_age`.
        description: see `clean_description`.
        secret_name: see `clean_secret_name`; None leaves it as it is.
    """

    name: str
    age: int | None
    description: str | None
    secret_name: str | None = field(default=None, repr=False)


class StaleEditError(RosterError):
    """Somebody else changed the hero since the form was opened.

    Args:
        hero: as it is now.
    """

    def __init__(self, hero: Hero) -> None:
        super().__init__("Somebody changed this hero while you were writing, so nothing was saved.")
        self.hero = hero


async def edit_hero(
    session: AsyncSession,
    *,
    guild_id: int,
    hero_id: int,
    version: int,
    edit: Edit,
    asker: Asker,
    vault: Vault,
    now: datetime,
) -> Hero:
    """Change a hero, unless it is no longer what the asker saw.

    Args:
        session: one that writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        version: which version the asker saw.
        edit: what it is to become.
        asker: its owner or a keeper; only who may read the secret identity may change it.
        vault: what encrypts the secret identity.
        now: the present moment.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker may not.
        InvalidHeroError: a field holds what it may not.
        StaleEditError: the hero has another version by now.
        NameTakenError: another hero has that name.
    """
    await asker.quota.check_pace(session, asker.id, now)
    hero = await hero_by_id(session, guild_id=guild_id, hero_id=hero_id, lock=True)
    asker.require_care_of(hero)
    wanted: dict[str, str | int | None] = {
        "name": clean_name(edit.name),
        "age": clean_age(edit.age),
        "description": clean_description(edit.description),
    }
    secret_name = None if edit.secret_name is None else clean_secret_name(edit.secret_name)
    if hero.version != version:
        raise StaleEditError(hero)
    changes: Changes = {
        name: [getattr(hero, name), value] for name, value in wanted.items() if getattr(hero, name) != value
    }
    if secret_name is not None and await _is_new_secret(session, hero, asker, vault, secret_name):
        vault.put(hero, secret_name)
        changes["secret_name"] = []
    if not changes:
        return hero
    for name, value in wanted.items():
        setattr(hero, name, value)
    hero.name_key = name_key(hero.name)
    hero.version += 1
    hero.updated_at = now
    record(session, hero, Action.EDITED, actor_id=asker.id, at=now, changes=changes)
    name = hero.name
    try:
        await session.flush()
    except IntegrityError as error:
        raise await name_taken(session, guild_id, name, error) from None
    return hero


async def _is_new_secret(
    session: AsyncSession, hero: Hero, asker: Asker, vault: Vault, secret_name: str
) -> bool:
    if not await may_read_secret(session, hero, asker):
        raise NotYoursError("Only the hero's owner, and whom they trust with it, can change the secret.")
    return vault.read(hero) != secret_name
