"""Who asks the roster for something."""

from dataclasses import dataclass, field

from bot.db.models import Hero
from bot.roster.errors import NotYoursError
from bot.roster.quota import Quota


@dataclass(frozen=True, slots=True)
class Asker:
    """A member, as far as the roster cares.

    Args:
        id: the member's snowflake.
        keeper: whether they may manage the server.
        quota: how much they may change and own.
    """

    id: int
    keeper: bool = False
    quota: Quota = field(default_factory=Quota)

    def require_care_of(self, hero: Hero) -> None:
        """Let pass the hero's owner and keepers.

        Raises:
            NotYoursError: the asker is neither.
        """
        if self.id != hero.owner_id and not self.keeper:
            raise NotYoursError(
                f"Only <@{hero.owner_id}>, who plays this hero, and members who may manage this server can "
                "do that."
            )

    def require_ownership_of(self, hero: Hero) -> None:
        """Let pass the hero's owner alone.

        Raises:
            NotYoursError: the asker is somebody else.
        """
        if self.id != hero.owner_id:
            raise NotYoursError(f"Only <@{hero.owner_id}>, who plays this hero, can do that.")
