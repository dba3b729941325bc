"""One small function for each route that a bot of commands, components and messages needs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .form import Refused
from .guild import Guild
from .messages import amend, blank
from .records import (
    AUTOCOMPLETE,
    COMPONENT,
    EPHEMERAL,
    LOADING,
    MODAL,
    SLASH,
    Answer,
    Json,
    Message,
    Upload,
)
from .rules import check_choices, check_commands, check_modal

if TYPE_CHECKING:
    from .wire import Wire

T = TypeVar("T")
CALLBACKS = {SLASH: (4, 5, 9), COMPONENT: (4, 5, 6, 7, 9), AUTOCOMPLETE: (8,), MODAL: (4, 5, 6, 7)}


@dataclass(slots=True)
class Call:
    """One request: the variables of its path, its query, its JSON and the files sent along."""

    wire: "Wire"
    path: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: list[Upload] | None = None

    def compose(self, channel_id: int, payload: Json, answer: Answer | None = None) -> Message:
        """A new message."""
        flags = (payload.get("flags") or 0) & EPHEMERAL if answer is not None else 0
        return self.amend(blank(self.wire, channel_id, flags, answer), payload)

    def amend(self, message: Message, payload: Json) -> Message:
        """A changed message."""
        return amend(self.wire, message, payload, self.files or [])


# -- the application -----------------------------------------------------------------------------------------


def application(call: Call) -> Json:
    owner: Json = {"id": "1", "username": "operator", "discriminator": "0", "avatar": None}
    about: Json = {
        "name": "wire",
        "description": "",
        "icon": None,
        "verify_key": "",
        "flags": 0,
        "owner": owner,
    }
    return {"id": call.wire.bot_user["id"], "bot_public": True, "bot_require_code_grant": False, **about}


def gateway_bot(call: Call) -> Json:
    wire = call.wire
    left = max(0, wire.sessions - len(wire.gateway.identifies))
    reset_after = int(wire.sessions_reset * 1000)
    limit: Json = {"total": wire.sessions, "remaining": left, "reset_after": reset_after}
    limit["max_concurrency"] = wire.max_concurrency
    return {"url": wire.gateway_url, "shards": wire.shards, "session_start_limit": limit}


def get_commands(call: Call) -> list[Json]:
    return call.wire.commands.get(int(call.path.get("guild", 0)), [])


def put_commands(call: Call) -> list[Json]:
    wire, guild = call.wire, int(call.path.get("guild", 0))
    check_commands(call.body)
    if guild and guild not in wire.guilds:
        raise Refused(403, 50001, "Missing Access")
    before = {(each["type"], each["name"]): each["id"] for each in wire.commands.get(guild, [])}
    stored: list[Json] = []
    for sent in call.body:
        each: Json = {
            "description": "",
            "type": 1,
            **sent,
            "application_id": call.path["app"],
            "version": "1",
        }
        each["id"] = before.get((each["type"], each["name"])) or str(wire.snowflake())
        stored.append(each | ({"guild_id": str(guild)} if guild else {}))
    wire.commands[guild] = stored
    wire.syncs.append(guild)
    return stored


# -- guilds, members, channels and their messages ------------------------------------------------------------


def guild_of(call: Call) -> Guild:
    return _known(call.wire.guilds.get(int(call.path["guild"])), 10004, "Guild")


def member(call: Call) -> Json:
    found = _known(guild_of(call).members.get(int(call.path["user"])), 10007, "Member")
    return {**found.profile, "user": found.user}


def user(call: Call) -> Json:
    return _known(call.wire.members.get(int(call.path["user"])), 10013, "User").user


def channel(call: Call) -> Json:
    return _known(call.wire.guilds.get(int(call.path["channel"]) - 1), 10003, "Channel").channel


def typing(call: Call) -> None:
    channel(call)


def post(call: Call) -> Message:
    message = call.compose(int(channel(call)["id"]), call.body)
    call.wire.posted.append(message)
    return message


def get_message(call: Call) -> Message:
    found = call.wire.messages.get(int(call.path["message"]))
    hidden = found is None or found.deleted or found.reader or found["channel_id"] != call.path["channel"]
    return _known(None if hidden else found, 10008, "Message")


def patch_message(call: Call) -> Message:
    return call.amend(get_message(call), call.body)


def delete_message(call: Call) -> None:
    get_message(call).deleted = True


def _known(found: T | None, code: int, what: str) -> T:
    if found is None:
        raise Refused(404, code, f"Unknown {what}")
    return found


# -- interactions --------------------------------------------------------------------------------------------


def callback(call: Call) -> Json | None:
    wire, answer = call.wire, call.wire.answers.get(call.path["token"])
    if answer is not None and answer.acknowledged:
        raise Refused(400, 40060, "Interaction has already been acknowledged.")
    if (
        answer is None
        or str(answer.id) != call.path["id"]
        or wire.now() - answer.dispatched_at > wire.ack_within
    ):
        raise Refused(404, 10062, "Unknown interaction")
    kind: int = call.body.get("type")
    data: Json = call.body.get("data") or {}
    if kind not in CALLBACKS[answer.kind] or (kind in (6, 7) and answer.source is None):
        raise Refused(400, 50035, "Invalid Form Body", {"type": f"{kind} does not answer this interaction."})
    _carry_out(call, answer, kind, data)
    answer.callback, answer.acknowledged_at = kind, wire.now()
    if not answer.deferred:
        answer.answered_at = answer.acknowledged_at
    answer.notify()
    if "with_response" not in call.query:
        return None
    done: Json = {"id": str(answer.id), "type": answer.kind}
    resource: Json = {"type": kind}
    if answer.message is not None and kind != 6:
        resource["message"] = answer.message
        done["response_message_id"] = answer.message["id"]
        done["response_message_loading"] = kind == 5
        done["response_message_ephemeral"] = answer.ephemeral
    return {"interaction": done, "resource": resource}


def _carry_out(call: Call, answer: Answer, kind: int, data: Json) -> None:
    """Do what a callback of this kind asks."""
    answer.private = kind in (4, 5) and bool((data.get("flags") or 0) & EPHEMERAL)
    channel_id = answer.member.guild.channel_id
    if kind == 4:
        answer.message = call.compose(channel_id, data, answer)
    elif kind == 5:
        answer.message = blank(call.wire, channel_id, LOADING | answer.private * EPHEMERAL, answer)
    elif answer.source is not None and kind in (6, 7):
        answer.message = answer.source if kind == 6 else call.amend(answer.source, data)
    elif kind == 8:
        check_choices(data.get("choices"))
        answer.choices = data.get("choices") or []
    else:
        check_modal(data)
        answer.modal = data


def _webhook(call: Call) -> Answer:
    """The interaction whose token a webhook call bears."""
    answer = call.wire.answers.get(call.path["token"])
    if answer is None or not answer.acknowledged or call.path["app"] != call.wire.bot_user["id"]:
        raise Refused(404, 10015, "Unknown Webhook")
    if call.wire.now() - answer.dispatched_at > call.wire.token_lives:
        raise Refused(401, 50027, "Invalid Webhook Token")
    return answer


def _answered(call: Call, answer: Answer) -> None:
    answer.answered_at = answer.answered_at or call.wire.now()
    answer.notify()


def follow_up(call: Call) -> Message:
    answer = _webhook(call)
    if answer.message is not None and answer.message["flags"] & LOADING:
        message = call.amend(answer.message, call.body)  # the first one takes the place of the deferral
    else:
        message = call.compose(answer.member.guild.channel_id, call.body, answer)
        answer.followups.append(message)
    _answered(call, answer)
    return message


def get_answer(call: Call) -> Message:
    answer, name = _webhook(call), call.path["message"]
    found = answer.message if name == "@original" else None
    for each in (answer.message, *answer.followups):
        found = each if each is not None and each["id"] == name else found
    return _known(None if found is None or found.deleted else found, 10008, "Message")


def patch_answer(call: Call) -> Message:
    message = call.amend(get_answer(call), call.body)
    _answered(call, _webhook(call))
    return message


def delete_answer(call: Call) -> None:
    answer, message = _webhook(call), get_answer(call)
    message.deleted = True
    answer.followups = [each for each in answer.followups if each is not message]
    answer.message = None if message is answer.message else answer.message
    _answered(call, answer)


ROUTES: dict[str, Callable[[Call], Any]] = {
    "GET /users/@me": lambda call: call.wire.bot_user,
    "GET /oauth2/applications/@me": application,
    "GET /applications/@me": application,
    "GET /gateway": lambda call: {"url": call.wire.gateway_url},
    "GET /gateway/bot": gateway_bot,
    "GET /applications/{app}/commands": get_commands,
    "PUT /applications/{app}/commands": put_commands,
    "GET /applications/{app}/guilds/{guild}/commands": get_commands,
    "PUT /applications/{app}/guilds/{guild}/commands": put_commands,
    "GET /guilds/{guild}": lambda call: json.loads(guild_of(call).created),
    "GET /guilds/{guild}/members/{user}": member,
    "GET /users/{user}": user,
    "GET /channels/{channel}": channel,
    "POST /channels/{channel}/typing": typing,
    "POST /channels/{channel}/messages": post,
    "GET /channels/{channel}/messages/{message}": get_message,
    "PATCH /channels/{channel}/messages/{message}": patch_message,
    "DELETE /channels/{channel}/messages/{message}": delete_message,
    "POST /interactions/{id}/{token}/callback": callback,
    "POST /webhooks/{app}/{token}": follow_up,
    "GET /webhooks/{app}/{token}/messages/{message}": get_answer,
    "PATCH /webhooks/{app}/{token}/messages/{message}": patch_answer,
    "DELETE /webhooks/{app}/{token}/messages/{message}": delete_answer,
}
BY_LENGTH: dict[tuple[str, int], list[tuple[list[str], str]]] = {}
for _name in ROUTES:
    _method, _, _path = _name.partition(" ")
    BY_LENGTH.setdefault((_method, _path.count("/")), []).append((_path.split("/"), _name))


def find(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The name of the route for a request, and the variables of its path."""
    parts = path.split("/")
    for segments, name in BY_LENGTH.get((method, path.count("/")), ()):
        pairs = list(zip(segments, parts, strict=True))
        if all(segment == part or segment[:1] == "{" for segment, part in pairs):
            return name, {segment[1:-1]: part for segment, part in pairs if segment[:1] == "{"}
    return None
