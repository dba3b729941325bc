"""A stand-in for Discord on loopback, and members who use the bot that is connected to it.

    async with Wire() as wire:
        ...start a bot with wire.environment()...
        ana = wire.member("Ana")
        await wire.gateway.connected()
        answer = await ana.slash("hero add", name="Deadpond", secret_name="Dive Wilson")
        assert answer.ephemeral and answer.message is not None
        later = await ana.click(answer.message, label="Announce")

Leaving the context fails, by name, for requests that Discord does not know and payloads that it would refuse.
"""

from .faults import Fault, Faults
from .form import Refused
from .guild import Guild
from .member import Member
from .records import Answer, CannotSend, Message, Overdue, Upload, WireError
from .wire import Wire

__all__ = [
    "Answer",
    "CannotSend",
    "Fault",
    "Faults",
    "Guild",
    "Member",
    "Message",
    "Overdue",
    "Refused",
    "Upload",
    "Wire",
    "WireError",
]
