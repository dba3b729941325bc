"""Tell a secret identity to those who may read it."""

from bot.interactions.answer import answers, asker_of
from bot.interactions.host import Interaction
from bot.interactions.send import Answer, To
from bot.roster.secrets import read_secret
from bot.text import escape, quote
from cogs.ui.buttons import HeroButton


class SecretIdentity(HeroButton, kind="secret"):
    """Show the secret identity of a hero to the member who clicks, if they may read it."""

    label = "Secret identity"
    emoji = "🎭"

    @answers(To.ASKER)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Answer privately with the secret identity."""
        return await tell_secret(interaction, self.hero_id)


async def tell_secret(interaction: Interaction, hero_id: int) -> str:
    """Return a sentence with a hero's secret identity for the asker; see `read_secret`."""
    bot = interaction.client
    async with bot.db.write() as session:
        hero, secret_name = await read_secret(session, asker_of(interaction), bot.vault, hero_id)
    return f"{quote(hero.name)} is secretly **{escape(secret_name)}**."
