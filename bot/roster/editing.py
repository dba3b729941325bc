"""Changing what is known about a hero."""

from dataclasses import dataclass, field

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero
from bot.roster.asker import Asker, Right
from bot.roster.errors import NotYoursError, Refusal, RosterError
from bot.roster.heroes import flush_name, hero_by_id
from bot.roster.history import Changes, record
from bot.roster.quota import check_pace
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.roster.secrets import may_read_secret
from bot.roster.vault import Vault


@dataclass(frozen=True, slots=True)
class Edit:
    """The new fields of a hero.

    Args:
        version: the version of the hero that the asker saw.
        name: see `clean_name`.
        age: see `clean_age`.
        description: see `clean_description`.
        secret_name: see `clean_secret_name`; None leaves it as it is.
    """

    version: int
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
        super().__init__(Refusal.STALE_EDIT)
        self.hero = hero


async def edit_hero(session: AsyncSession, asker: Asker, vault: Vault, hero_id: int, edit: Edit) -> Hero:
    """Change a hero, unless it is no longer what the asker saw.

    Args:
        session: one that writes.
        asker: its owner or a keeper. Only those who may read the secret identity may change it.
        vault: encrypts the secret identity.
        hero_id: the hero's number.
        edit: the new fields.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker lacks the right.
        InvalidHeroError: a field holds what it may not.
        StaleEditError: the hero has another version by now.
        NameTakenError: another hero has that name.
    """
    await check_pace(session, asker)
    hero = await hero_by_id(session, asker, hero_id, Right.OWNER_OR_KEEPER, lock=True)
    values = _clean(edit)
    secret_name = None if edit.secret_name is None else clean_secret_name(edit.secret_name)
    if hero.version != edit.version:
        raise StaleEditError(hero)
    changes: Changes = {
        name: [getattr(hero, name), value] for name, value in values.items() if getattr(hero, name) != value
    }
    if secret_name is not None and await _is_new_secret(session, asker, vault, hero, secret_name):
        vault.seal(hero, secret_name)
        changes["secret_name"] = []
    if not changes:
        return hero
    for name, value in values.items():
        setattr(hero, name, value)
    hero.name_key = name_key(hero.name)
    hero.version += 1
    hero.updated_at = asker.now
    record(session, hero, Action.EDITED, asker, changes=changes)
    await flush_name(session, hero)
    return hero


def _clean(edit: Edit) -> dict[str, str | int | None]:
    return {
        "name": clean_name(edit.name),
        "age": clean_age(edit.age),
        "description": clean_description(edit.description),
    }


async def _is_new_secret(
    session: AsyncSession, asker: Asker, vault: Vault, hero: Hero, secret_name: str
) -> bool:
    if not await may_read_secret(session, asker, hero):
        raise NotYoursError(Refusal.SECRET_NOT_YOURS_TO_CHANGE)
    return vault.unseal(hero) != secret_name
