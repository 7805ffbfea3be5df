"""Every setting of the product: one frozen object, read once from the environment by a composition root.

The environment is the only source. Nothing outside the process is looked at here: whether a file or a server is really
there is found out by whoever opens it.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent

_KEY_ID = re.compile(r"[a-z0-9]{1,16}")
_KEY_BYTES = 32


class SettingsError(Exception):
    """A setting is missing or unusable. The text is one line for each variable, and holds no value that was given."""


def _from_root(path: Path) -> Path:
    return path if path.is_absolute() else PROJECT_ROOT / path


RootedPath = Annotated[Path, AfterValidator(_from_root)]


class Settings(BaseSettings):
    """Build it with `load_settings()`; tests build it with keyword arguments."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="LINLI_",
        env_ignore_empty=True,
        populate_by_name=True,
        validate_default=True,
    )

    # A password may stand in the address, so it is kept out of every printed form of this object.
    database_url: str = Field(
        validation_alias="DATABASE_URL",
        repr=False,
        description="PostgreSQL: postgresql://user:password@host:port/database",
    )
    temporal_address: str = Field(
        default="127.0.0.1:7233", validation_alias="TEMPORAL_ADDRESS", description="Temporal's frontend, host:port"
    )
    temporal_namespace: str = Field(
        default="default", validation_alias="TEMPORAL_NAMESPACE", min_length=1, description="Temporal namespace"
    )
    temporal_ui_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        description="Where people open Temporal's own pages; a case then leads to its run there",
    )
    task_queue: str = Field(default="linli", min_length=1, description="Task queue of API and worker; the same in both")

    pack: RootedPath = Field(
        default=Path("config/shengli-road"), description="Folder of the district pack; relative to the project's root"
    )
    pack_overlay: RootedPath | None = Field(
        default=None, description="A TOML file laid over the pack, such as shorter clocks for a simulation"
    )
    calendar: RootedPath = Field(default=Path("config/calendar"), description="Folder of the yearly working calendars")

    data_keys: SecretStr = Field(
        description="AES keys for personal data, id:base64,id:base64; the first encrypts, all decrypt"
    )
    dev_token_secret: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Signs development tokens, at least 16 characters; without it none is valid",
    )

    public_url: str | None = Field(
        default=None, description="Where people reach this installation, as https://linli.example.cn; no path behind it"
    )
    session_idle_hours: int = Field(
        default=168, ge=1, le=2_160, description="A session ends when nobody has used it for so many hours"
    )
    session_days: int = Field(default=30, ge=1, le=365, description="A session ends after so many days, used or not")
    plain_http_cookie: bool = Field(
        default=False,
        description="For plain http on loopback only: the session's cookie is `linli`, without Secure and the `__Host-` prefix",
    )
    oidc_issuer: str | None = Field(
        default=None, description="OpenID Connect: the provider's issuer, https://…; not set, nobody signs in by one"
    )
    oidc_client_id: str = Field(default="linli", min_length=1, description="OpenID Connect: the client's id there")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="OpenID Connect: the client's secret; without one the client is a public one"
    )
    oidc_claim: str = Field(
        default="preferred_username",
        min_length=1,
        description="OpenID Connect: the claim of the ID token that says who it is",
    )
    oidc_matches: Literal["user", "person"] = Field(
        default="user",
        description="OpenID Connect: what the claim holds, the `user` name of an account or a `person`'s id",
    )

    webhook_allow: str = Field(
        default="",
        description="Networks that webhooks may reach beside the public ones, also by plain http: 127.0.0.0/8,10.3.0.0/16",
    )
    webhook_pauses: str = Field(
        default="5,30,120,600,3600,10800,28800,43200",
        description="Seconds between one try of a webhook and the next; after the last one a delivery is given up",
    )

    neighbour_keys: SecretStr | None = Field(
        default=None, description='API keys for other city systems as JSON, neighbour to key: {"chengguan": "…"}'
    )
    neighbour_allow: str = Field(
        default="",
        description="Networks of other city systems beside the public ones, also by plain http: 10.3.0.0/16",
    )

    rate_limit: int = Field(
        default=60_000,
        ge=0,
        le=10_000_000,
        description="Requests a minute for each key, session or link; 0 for no limit",
    )
    rate_limit_unknown: int = Field(
        default=30_000,
        ge=0,
        le=10_000_000,
        description="Requests a minute for each address that names nobody; 0 for no limit",
    )
    max_body_bytes: int = Field(
        default=262_144, ge=1_024, le=67_108_864, description="Largest request body; larger ones are answered 413"
    )
    files: str = Field(
        default=".data/files",
        min_length=1,
        description="Where uploaded files are kept, sealed: a folder (relative to the project's root) or s3://bucket/prefix",
    )
    files_s3_endpoint: str | None = Field(
        default=None, description="Address of an S3-compatible service, such as http://minio:9000; unset means AWS"
    )
    files_s3_region: str = Field(default="us-east-1", min_length=1, description="Region of the bucket")
    files_s3_access_key: str | None = Field(
        default=None, description="Access key of the bucket; without it the machine's own role is used"
    )
    files_s3_secret_key: SecretStr | None = Field(default=None, description="The secret that belongs to the access key")
    max_file_bytes: int = Field(
        default=20_971_520, ge=65_536, le=268_435_456, description="Largest uploaded file; larger ones are answered 413"
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Server for e-mail: smtp://user:password@host:587?starttls=yes or smtps://…; without it none is sent",
    )
    mail_from: str | None = Field(default=None, description="Sender of e-mail, a mailbox: 邻里 <noreply@example.cn>")
    apprise: SecretStr | None = Field(
        default=None,
        description='More channels as JSON, channel to apprise URL: {"sms": "jsons://gateway.example/send?:to={address}"}',
    )
    starters: int = Field(default=4, ge=1, le=64, description="Workflows the API starts at the same time")
    db_pool_max: int = Field(default=10, ge=1, le=100, description="Database connections at most, per process")

    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged")
    access_log: bool = Field(default=False, description="One line for each request: method, route template, status, ms")
    commit: str = Field(default="unknown", max_length=64, description="Commit that /version names; set by the image")

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: str) -> str:
        if not re.match(r"postgres(ql)?://[^/\s]*/[^\s?]+", url):
            raise ValueError("write it as postgresql://user:password@host:port/database")
        return url

    @field_validator("temporal_address")
    @classmethod
    def _has_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise ValueError("write it as host:port")
        return address

    @field_validator("files")
    @classmethod
    def _is_place(cls, place: str) -> str:
        if place.startswith("s3:"):
            if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?", place):
                raise ValueError("write it as s3://bucket or s3://bucket/prefix")
            return place
        return str(_from_root(Path(place)))

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _is_https(cls, url: str | None) -> str | None:
        if url is None or re.fullmatch(
            r"https://[^\s?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/[^\s?#]*)?", url
        ):
            return url
        raise ValueError("write it as https://host, without a query; plain http only for this machine itself")

    @field_validator("oidc_issuer")
    @classmethod
    def _has_a_way_back(cls, issuer: str | None, info: ValidationInfo) -> str | None:
        if issuer is not None and info.data.get("public_url") is None:
            raise ValueError("set LINLI_PUBLIC_URL too, so that the provider can send people back")
        return issuer

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^/\s]+/?", url):
            raise ValueError("write it without a path, as https://linli.example.cn")
        return None if url is None else url.rstrip("/")

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not re.match(r"smtps?://[^/\s]+", url.get_secret_value()):
            raise ValueError("write it as smtp://user:password@host:port or smtps://…")
        return url

    @field_validator("apprise")
    @classmethod
    def _is_table_of_channels(cls, table: SecretStr | None) -> SecretStr | None:
        if table is not None and not _maps_to_addresses(table.get_secret_value()):
            raise ValueError('write it as a JSON object: {"channel": "schema://…{address}"}')
        return table

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @field_validator("webhook_pauses")
    @classmethod
    def _are_pauses(cls, text: str) -> str:
        if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?(,\d{1,6}(\.\d{1,3})?){0,29}", text):
            raise ValueError("write seconds, separated by commas, at most thirty: 5,30,120")
        return text

    @field_validator("neighbour_keys")
    @classmethod
    def _is_table_of_keys(cls, table: SecretStr | None) -> SecretStr | None:
        if table is not None and not _maps_to_words(table.get_secret_value()):
            raise ValueError('write it as a JSON object: {"neighbour": "key"}')
        return table

    @field_validator("webhook_allow", "neighbour_allow")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        try:
            networks_of(text)
        except ValueError:
            raise ValueError("write networks, separated by commas: 10.3.0.0/16,fd00::/8") from None
        return text

    @field_validator("data_keys")
    @classmethod
    def _is_key_ring(cls, keys: SecretStr) -> SecretStr:
        _parse_key_ring(keys.get_secret_value())
        return keys

    def key_ring(self) -> dict[str, bytes]:
        """Key id to 32-byte AES key, in the order given: the first encrypts, all decrypt."""
        return _parse_key_ring(self.data_keys.get_secret_value())


def _maps_to_addresses(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and all(isinstance(url, str) and "://" in url for url in found.values())


def _maps_to_words(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and all(isinstance(word, str) and word for word in found.values())


def networks_of(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Networks written with commas between them. Raises ValueError."""
    return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())


def _parse_key_ring(text: str) -> dict[str, bytes]:
    ring: dict[str, bytes] = {}
    for entry in text.split(","):
        key_id, colon, encoded = entry.strip().partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise ValueError("write it as id:base64,id:base64 with ids of lower-case letters and digits")
        if key_id in ring:
            raise ValueError("every key id may stand there once")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError("each key must be standard base64") from None
        if len(key) != _KEY_BYTES:
            raise ValueError("each key must be 32 bytes; make one with: openssl rand -base64 32")
        ring[key_id] = key
    return ring


def variable_of(field: str) -> str:
    """The environment variable that sets a field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"LINLI_{field.upper()}"


def load_settings() -> Settings:
    """Read the environment; raises SettingsError with one sentence for each variable that is missing or wrong."""
    try:
        return Settings.model_validate({})
    except ValidationError as error:
        # `from None`: the original would print the values, and some are secrets.
        raise SettingsError("\n".join(_sentence(e) for e in error.errors(include_url=False))) from None


def _sentence(error: ErrorDetails) -> str:
    where = str(error["loc"][0])
    name = variable_of(where) if where in Settings.model_fields else where
    if error["type"] == "missing":
        return f"{name} is not set. Set it in the environment; docs/reference/settings.md says what it means."
    cause = error.get("ctx", {}).get("error")
    # Only our own validators' words and pydantic's description of the type are shown, never the input.
    return f"{name} cannot be used: {cause or error['msg']}."
