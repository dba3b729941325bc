"""The settings from the environment and .env, read once and validated together."""

import base64
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AnyWebsocketUrl,
    BeforeValidator,
    Field,
    HttpUrl,
    PlainValidator,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL

from bot.db.url import DEFAULT_URL, parse_url
from bot.errors import EX_CONFIG, OperatorError

KEY_BYTES: Final = 32
"""Bytes in a key of `SECRET_KEYS`: https://github.com/fernet/spec/blob/master/Spec.md#key-format"""


def _check_token(token: SecretStr) -> SecretStr:
    value = token.get_secret_value()
    # It travels in an HTTP header; anything else would fail there, long after the start.
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("is not a bot token; copy it again from the Bot page of your application")
    return token


def _check_key(key: str) -> str:
    if len(base64.urlsafe_b64decode(key)) != KEY_BYTES:
        raise ValueError
    return key


def _split_keys(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return tuple(_check_key(key.strip()) for key in value.split(","))
    except ValueError:
        raise ValueError(
            "must hold keys as `python -m bot keys new` prints them, separated by commas"
        ) from None


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """The settings of one process. Each field is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    discord_token: Annotated[SecretStr, AfterValidator(_check_token)] | None = None
    database_url: Annotated[URL, NoDecode, PlainValidator(parse_url)] = DEFAULT_URL
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_keys)] = ()
    changes_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 60
    heroes_per_member: Annotated[int, Field(ge=1, le=100_000)] = 50
    discord_api_url: HttpUrl | None = None
    discord_gateway_url: AnyWebsocketUrl | None = None
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = "text"
    log_sql: bool = False
    dev_guild_id: Annotated[int, Field(gt=0, lt=2**63)] | None = None


def _plainly(detail: Any) -> str:
    """Say what is wrong with one variable, without echoing its value."""
    name = str(detail["loc"][0]).upper()
    kind: str = detail["type"]
    if kind == "value_error":
        reason = str(detail["ctx"]["error"])
    elif kind == "literal_error":
        reason = f"must be {detail['ctx']['expected']}"
    elif kind.startswith("bool"):
        reason = "must be true or false"
    elif kind.startswith(("int", "greater", "less")) and name != "DEV_GUILD_ID":
        reason = "must be a whole number of at least 1"
    elif kind.startswith("url"):
        reason = "is not a web address of the kind that .env.example shows"
    elif name == "DEV_GUILD_ID":
        reason = "must be the id of a server: a whole number of up to 19 digits"
    else:
        reason = "is not valid; .env.example describes it"
    return f"  {name} {reason}"


def load_settings() -> Settings:
    """Read the environment and .env.

    Raises:
        OperatorError: with one line for each wrong variable and exit code 78; values are never echoed.
    """
    try:
        return Settings()
    except ValidationError as error:
        # A union reports each of its branches; one line for each variable is enough.
        lines = dict.fromkeys(_plainly(detail) for detail in error.errors(include_url=False))
        raise OperatorError(
            "These settings need attention (in the environment or .env):\n" + "\n".join(lines), EX_CONFIG
        ) from None
