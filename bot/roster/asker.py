"""The member who asks the roster for something, and what that member may do with a hero."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from bot.db.models import Hero, utcnow
from bot.roster.errors import NotYoursError, Refusal


class Right(Enum):
    """The relation to a hero that a function requires."""

    ANYONE = "anyone"
    OWNER_OR_KEEPER = "owner or keeper"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Asker:
    """A member who asks for something.

    Args:
        id: the member's snowflake.
        guild_id: the snowflake of the guild in which they ask. All that they ask for is in it.
        now: the time at which they ask; by default now.
        keeper: whether they may manage the server.
    """

    id: int
    guild_id: int
    now: datetime = field(default_factory=utcnow)
    keeper: bool = False

    def require(self, right: Right, hero: Hero) -> None:
        """Refuse an asker who lacks a right.

        Args:
            right: the relation that the asker must have.
            hero: the hero.

        Raises:
            NotYoursError: the asker lacks the right.
        """
        if right is Right.ANYONE or self.id == hero.owner_id:
            return
        if right is Right.OWNER:
            raise NotYoursError(Refusal.NOT_YOURS, owner=hero.owner_id)
        if not self.keeper:
            raise NotYoursError(Refusal.NOT_YOURS_NOR_A_KEEPER, owner=hero.owner_id)
