"""What our bot shows, for the two bots beside it, so that all three build and send as much."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui


def shown(*items: ui.Item[Any]) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container[Any](*items, accent_colour=0xC0392B))
    # Nobody clicks here, so discord.py need not keep it.
    view.stop()
    return view


def card(name: str, description: str | None, age: int | None, owner_id: int, *labels: str) -> ui.LayoutView:
    """A hero's card with the button for the secret identity, after others with these labels."""
    buttons = [ui.Button[Any](label=label, custom_id=f"hero:{label}:1") for label in labels]
    secret = ui.Button[Any](label="Secret identity", emoji="🎭", custom_id="hero:secret:1")
    return shown(
        ui.TextDisplay(f"## {name}"),
        ui.TextDisplay(description or "-"),
        ui.TextDisplay(f"**Age** {age} · Played by <@{owner_id}> since <t:1700000000:D>"),
        ui.ActionRow[Any](*buttons, secret),
    )


def page(total: int, heroes: Sequence[tuple[str, int | None, int]]) -> ui.LayoutView:
    """The first page of a list; of each hero the name, the age and who plays it."""
    lines = [f"**{name}** · {age} · <@{owner_id}>" for name, age, owner_id in heroes]
    options = [discord.SelectOption(label=name, value=name) for name, _, _ in heroes]
    buttons = [ui.Button[Any](emoji=emoji, custom_id=f"list:{emoji}:1") for emoji in "⏮◀▶⏭"]
    return shown(
        ui.TextDisplay(f"## {total} heroes"),
        ui.TextDisplay("\n".join(lines)),
        ui.TextDisplay("-# Page 1, by name"),
        ui.ActionRow[Any](ui.Select[Any](custom_id="hero:open", placeholder="Open a card", options=options)),
        ui.ActionRow[Any](*buttons),
    )
