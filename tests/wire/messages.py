"""How Discord makes a message of what a bot sends."""

from typing import TYPE_CHECKING

from .records import COMPONENTS_V2, EPHEMERAL, LOADING, SLASH, Answer, Json, Message, nested, walk
from .rules import check_message

if TYPE_CHECKING:
    from .records import Upload
    from .wire import Wire

SETTABLE = 1 << 2 | 1 << 12 | COMPONENTS_V2  # flags that an edit may add: no embeds, silent, components v2


def blank(wire: "Wire", channel_id: int, flags: int = 0, answer: Answer | None = None) -> Message:
    """A new message of the bot without anything in it."""
    fields: Json = {
        "id": str(wire.snowflake()),
        "type": 0,
        "channel_id": str(channel_id),
        "author": wire.bot_user,
        "content": "",
        "embeds": [],
        "components": [],
        "attachments": [],
        "mentions": [],
        "mention_roles": [],
        "flags": flags,
        "timestamp": "2024-01-01T00:00:00+00:00",
        "edited_timestamp": None,
    }
    reader = None
    if answer is not None:
        fields["type"] = 20 if answer.kind == SLASH else 19
        fields["application_id"] = fields["webhook_id"] = str(wire.application_id)
        owners = {"0": str(answer.member.guild.id)}
        cause: Json = {"id": str(answer.id), "type": answer.kind, "user": answer.member.user}
        fields["interaction_metadata"] = cause | {"authorizing_integration_owners": owners}
        reader = answer.member.id if flags & EPHEMERAL else None
    message = Message(fields, reader)
    wire.messages[int(fields["id"])] = message
    return message


def amend(wire: "Wire", message: Message, payload: Json, files: list["Upload"]) -> Message:
    """Apply a payload to a message, all of it or, raising Refused, nothing."""
    after: Json = {}
    for key, kind in (("content", str), ("embeds", list), ("components", list)):
        if key in payload:
            after[key] = payload[key] or kind()
    after["flags"] = (message["flags"] | (payload.get("flags") or 0) & SETTABLE) & ~LOADING
    kept = nested(message, "attachments")
    if "attachments" in payload:
        listed = [str(each.get("id")) for each in nested(payload, "attachments")]
        kept = [each for each in kept if each["id"] in listed]
    names = {each["filename"] for each in kept} | {each.filename for each in files}
    check_message({**message, **after, "poll": payload.get("poll")}, names)
    kept = [*kept, *(wire.attach(int(message["channel_id"]), each) for each in files)]
    after["attachments"] = kept
    urls = {f"attachment://{each['filename']}": each["url"] for each in kept}
    for number, node in enumerate(walk(nested(after, "components")), 1):
        node.setdefault("id", number)
        shown: list[Json | None] = [node.get("media"), node.get("file")]
        for media in (*shown, *(each["media"] for each in nested(node, "items"))):
            if media:
                media["url"] = media["proxy_url"] = urls.get(media["url"], media["url"])
    message.update(after)
    return message
