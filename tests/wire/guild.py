"""Servers of usual size."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .records import Json, dumps

if TYPE_CHECKING:
    from .member import Member

MEMBER_PERMISSIONS = (
    0x8000_0000 | 1 << 10 | 1 << 11 | 1 << 14 | 1 << 16
)  # commands, view, send, embed, read history
CHANNELS, ROLES, EMOJI = 20, 15, 10
"""What a usual server has of each."""


@dataclass(slots=True)
class Guild:
    """A server of usual size, used in its first channel; `members` are those that Discord knows by id."""

    id: int
    name: str
    bot_user: Json
    members: "dict[int, Member]" = field(default_factory=dict[int, "Member"])

    @property
    def channel_id(self) -> int:
        return self.id + 1

    @property
    def channel(self) -> Json:
        return {
            "id": str(self.channel_id),
            "type": 0,
            "name": "general",
            "position": 0,
            "guild_id": str(self.id),
            "permissions": str(MEMBER_PERMISSIONS),
        }

    @property
    def role(self) -> Json:
        return {
            "id": str(self.id),
            "name": "@everyone",
            "permissions": str(MEMBER_PERMISSIONS),
            "position": 0,
        }

    @property
    def created(self) -> str:
        """The JSON of its GUILD_CREATE."""
        bot: Json = {"user": self.bot_user, "roles": [], "flags": 0, "joined_at": "2024-01-01T00:00:00+00:00"}
        channels = [
            self.channel | {"id": str(self.channel_id + number), "name": f"{number}", "position": number}
            for number in range(1, CHANNELS)
        ]
        roles = [
            self.role
            | {"id": str(self.channel_id + CHANNELS + number), "name": f"{number}", "position": number}
            for number in range(1, ROLES)
        ]
        emoji: list[Json] = [
            {"id": str(self.channel_id + CHANNELS + ROLES + number), "name": f"e{number}", "roles": []}
            for number in range(EMOJI)
        ]
        guild: Json = {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.id + 2),
            "unavailable": False,
            "member_count": len(self.members) + 1,
            "preferred_locale": "en-US",
            "features": [],
            "roles": [self.role, *roles],
            "channels": [self.channel, *channels],
            "emojis": emoji,
            "members": [bot],
        }
        return dumps(guild)
