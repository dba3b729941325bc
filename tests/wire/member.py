"""Members of guilds, who use the bot the way Discord's client lets them."""

from typing import TYPE_CHECKING, Any, cast

from .form import BUTTON, CHECKBOX, LABEL, RADIO, ROW, SELECTS, TEXT, TEXT_INPUT, TEXT_SELECT
from .guild import MEMBER_PERMISSIONS, Guild
from .records import (
    AUTOCOMPLETE,
    COMPONENT,
    MODAL,
    SLASH,
    Answer,
    CannotSend,
    Json,
    Message,
    dumps,
    nested,
    walk,
)

if TYPE_CHECKING:
    from .wire import Wire

ADMINISTRATOR = 1 << 3


class Member:
    """Somebody in a guild. Every use of the bot returns at once with the Answer to await.

    The methods raise CannotSend for what Discord's own client would not send; `raw` sends anything.
    """

    def __init__(self, wire: "Wire", guild: Guild, user_id: int, name: str, permissions: int) -> None:
        self.wire = wire
        self.guild = guild
        self.id = user_id
        self.name = name
        self.user: Json = {
            "id": str(user_id),
            "username": name.lower().replace(" ", "_"),
            "global_name": name,
            "discriminator": "0",
            "avatar": None,
        }
        self.profile: Json = {"roles": [], "flags": 0, "joined_at": "2024-01-01T00:00:00+00:00"}
        self.permissions = permissions

    @property
    def permissions(self) -> int:
        """Bits of discord.Permissions; setting them shows from the next interaction on."""
        return self._permissions

    @permissions.setter
    def permissions(self, bits: int) -> None:
        self._permissions = bits
        guild = str(self.guild.id)
        always: Json = {
            "application_id": str(self.wire.application_id),
            "version": 1,
            "guild_id": guild,
            "guild": {"id": guild, "locale": "en-US", "features": []},
            "channel_id": str(self.guild.channel_id),
            "channel": self.guild.channel,
            "member": {**self.profile, "user": self.user, "permissions": str(bits)},
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": str(MEMBER_PERMISSIONS),
            "entitlements": [],
            "authorizing_integration_owners": {"0": guild},
            "context": 0,
            "attachment_size_limit": 10 << 20,
        }
        self._always = dumps(always)[1:]

    def leave(self) -> None:
        """Leave the guild: Discord says 10007 from now on."""
        self.guild.members.pop(self.id, None)

    # -- commands ------------------------------------------------------------------------------------------

    def slash(self, command: str, /, **options: Any) -> Answer:
        """Use a command, such as "hero add"; options are str, int, float, bool, Member or id, Upload."""
        return self.raw(SLASH, self.command_data(command, options))

    def autocomplete(self, command: str, option: str, typed: str, /, **others: Any) -> Answer:
        """Type `typed` into an option of a command whose `others` are filled; the answer has `choices`."""
        return self.raw(AUTOCOMPLETE, self.command_data(command, {**others, option: typed}, focused=option))

    def slash_raw(self, data: Json) -> Answer:
        """Send any interaction data as a command, valid or not."""
        return self.raw(SLASH, data)

    def user_menu(self, name: str, target: "Member") -> Answer:
        """Use a user context menu on another member."""
        command = self.wire.command(name, self.guild.id, kind=2)
        found: Json = {}
        _resolve_user(found, target)
        data: Json = {
            "id": command["id"],
            "name": name,
            "type": 2,
            "target_id": str(target.id),
            "resolved": found,
        }
        return self.raw(SLASH, data)

    def command_data(self, command: str, options: Json, focused: str | None = None) -> Json:
        """The interaction data of a command with these options, checked as Discord's client does."""
        names = command.split()
        node = root = self.wire.command(names[0], self.guild.id)
        needed = int(root.get("default_member_permissions") or 0)
        if needed & ~self.permissions and not self.permissions & ADMINISTRATOR:
            raise CannotSend(f"/{command} is not shown to {self.name}")
        path: list[Json] = []
        for name in names[1:]:
            node = next((each for each in nested(node, "options") if each["name"] == name), Json())
            path.append(node)
        specs = nested(node, "options")
        if not node or any(spec["type"] in (1, 2) for spec in specs):
            raise CannotSend(f"there is no command /{command}")
        if unknown := options.keys() - {spec["name"] for spec in specs}:
            raise CannotSend(f"/{command} has no option {', '.join(sorted(unknown))}")
        resolved: Json = {}
        values: list[Json] = []
        for spec in specs:
            name = spec["name"]
            if name not in options:
                if spec.get("required") and focused is None:
                    raise CannotSend(f"/{command} needs the option {name}")
            elif focused is not None:
                typed = str(options[name].id) if isinstance(options[name], Member) else options[name]
                mark = {"focused": True} if name == focused else {}
                values.append({"name": name, "type": spec["type"], "value": typed, **mark})
            else:
                values.append(
                    {"name": name, "type": spec["type"], "value": self._value(spec, options[name], resolved)}
                )
        for node in reversed(path):
            values = [{"name": node["name"], "type": node["type"], "options": values}]
        data: Json = {"id": root["id"], "name": root["name"], "type": 1, "options": values}
        return data | ({"resolved": resolved} if resolved else {})

    def _value(self, spec: Json, value: Any, resolved: Json) -> Any:
        """The value of an option as it is sent; what it refers to goes into `resolved`."""
        name, kind = spec["name"], spec["type"]
        if kind in (6, 9):
            member = value if isinstance(value, Member) else self.wire.members.get(int(value))
            if member is None:
                raise CannotSend(f"{name}: nobody has the id {value}")
            _resolve_user(resolved, member)
            return str(member.id)
        if kind in (7, 8):
            found = self.guild.channel if kind == 7 else self.guild.role
            if str(value) != found["id"]:
                raise CannotSend(f"{name}: {value} is not in this server")
            resolved["channels" if kind == 7 else "roles"] = {found["id"]: found}
            return found["id"]
        if kind == 11:
            attachment = self.wire.attach(self.guild.channel_id, value)
            resolved.setdefault("attachments", {})[attachment["id"]] = attachment
            return attachment["id"]
        types: dict[int, Any] = {3: str, 4: int, 5: bool, 10: int | float}
        if not isinstance(value, types[kind]) or (kind == 4 and isinstance(value, bool)):
            raise CannotSend(f"{name}: {value!r} is not of type {kind}")
        if kind == 3 and not spec.get("min_length", 0) <= len(value) <= spec.get("max_length", 6000):
            raise CannotSend(f"{name}: {len(value)} characters")
        if kind in (4, 10) and not spec.get("min_value", -(2**53)) <= value <= spec.get("max_value", 2**53):
            raise CannotSend(f"{name}: {value} is out of range")
        if spec.get("choices") and value not in [choice["value"] for choice in spec["choices"]]:
            raise CannotSend(f"{name}: {value!r} is not one of the choices")
        return value

    # -- components and modals -----------------------------------------------------------------------------

    def click(self, message: Message, custom_id: str | None = None, *, label: str | None = None) -> Answer:
        """Press a button of a message, by its custom id or its label."""
        node = self._find(message, (BUTTON,), custom_id, label)
        return self.raw(COMPONENT, {"component_type": BUTTON, "custom_id": node["custom_id"]}, message)

    def select(self, message: Message, custom_id: str | None, *values: "str | Member") -> Answer:
        """Choose values (or members) in a select; the custom id may be None if there is only one select."""
        node = self._find(message, SELECTS, custom_id, None)
        data: Json = {"component_type": node["type"], "custom_id": node["custom_id"], **_chosen(node, values)}
        return self.raw(COMPONENT, data, message)

    def submit(self, opened: Answer, values: dict[str, Any]) -> Answer:
        """Send the modal that an answer opened; `values` by custom id or label, others as prefilled."""
        if opened.modal is None:
            raise CannotSend("no modal was opened")
        left, resolved, rows = dict(values), Json(), list[Json]()
        for node in opened.modal["components"]:
            field: Json = (
                node["component"] if node["type"] == LABEL else (node.get("components") or [node])[0]
            )
            key = next(
                (
                    each
                    for each in (field.get("custom_id"), node.get("label"), field.get("label"))
                    if each in left
                ),
                None,
            )
            sent: Json = {"type": field["type"], "id": field.get("id", 0)}
            if field["type"] != TEXT:
                sent["custom_id"] = field["custom_id"]
                given = left.pop(key) if key is not None else None
                sent |= _filled(field, given, resolved)
            wrap = {LABEL: {"component": sent}, ROW: {"components": [sent]}}.get(node["type"])
            rows.append({"type": node["type"], "id": node.get("id", 0), **wrap} if wrap else sent)
        if left:
            raise CannotSend(f"the modal has no field {', '.join(left)}")
        data: Json = {"custom_id": opened.modal["custom_id"], "components": rows}
        return self.raw(MODAL, data | ({"resolved": resolved} if resolved else {}), opened.source)

    def _find(
        self, message: Message, kinds: tuple[int, ...], custom_id: str | None, label: str | None
    ) -> Json:
        if message.deleted or message.reader not in (None, self.id):
            raise CannotSend(f"{self.name} does not see the message")
        nodes = [node for node in walk(message["components"]) if node["type"] in kinds]
        for node in nodes:
            if (custom_id or node.get("custom_id")) == node.get("custom_id") and label in (
                None,
                node.get("label"),
            ):
                if node.get("disabled") or not node.get("custom_id"):
                    raise CannotSend(f"{node.get('label') or custom_id} cannot be used")
                return node
        shown = [node.get("label") or node.get("custom_id") for node in nodes]
        raise CannotSend(f"the message has no {label or custom_id or 'such component'}, only {shown}")

    def raw(self, kind: int, data: Json, source: Message | None = None) -> Answer:
        """Send an interaction of any kind (2 command, 3 component, 4 autocomplete, 5 modal) with any data."""
        wire = self.wire
        answer = Answer(wire.snowflake(), kind, self, source, wire.now(), wire.patience)
        used = "" if source is None else f'"message":{dumps(source)},'
        head = f'{{"id":"{answer.id}","token":"{answer.token}","type":{kind},"data":{dumps(data)},{used}'
        wire.interact(answer, head + self._always)
        return answer


def _resolve_user(resolved: Json, member: Member) -> None:
    resolved.setdefault("users", {})[str(member.id)] = member.user
    if member.id in member.guild.members:
        profile = {**member.profile, "permissions": str(member.permissions)}
        resolved.setdefault("members", {})[str(member.id)] = profile


def _chosen(node: Json, values: tuple["str | Member", ...]) -> Json:
    """The values of a select as they are sent."""
    if not node.get("min_values", 1) <= len(values) <= node.get("max_values", 1):
        raise CannotSend(f"{node['custom_id']}: {len(values)} values")
    resolved: Json = {}
    for value in values:
        if isinstance(value, Member):
            _resolve_user(resolved, value)
        elif node["type"] == TEXT_SELECT and value not in [option["value"] for option in node["options"]]:
            raise CannotSend(f"{node['custom_id']}: there is no {value!r}")
    sent: Json = {"values": [str(value.id) if isinstance(value, Member) else value for value in values]}
    return sent | ({"resolved": resolved} if resolved else {})


def _filled(field: Json, given: Any, resolved: Json) -> Json:
    """The value of a modal's field as it is sent."""
    if field["type"] == CHECKBOX:
        return {"value": bool(field.get("default") if given is None else given)}
    if field["type"] == RADIO:
        return {"value": given}
    if field["type"] != TEXT_INPUT:
        several = [option["value"] for option in nested(field, "options") if option.get("default")]
        if given is not None:
            several = cast("list[Any]", given) if isinstance(given, list) else [given]
        values = tuple(several)
        if not values and not field.get("required", True):
            return {"values": []}
        sent = _chosen(field, values)
        for key, found in sent.pop("resolved", {}).items():
            resolved.setdefault(key, {}).update(found)
        return sent
    value = str(field.get("value") or "" if given is None else given)
    low = max(field.get("min_length", 0), 1) if value or field.get("required", True) else 0
    if not low <= len(value) <= field.get("max_length", 4000):
        raise CannotSend(f"{field['custom_id']}: {len(value)} characters")
    return {"value": value}
