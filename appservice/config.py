"""The configuration: one YAML file and `ROOMREEL_…` variables, checked once, then frozen. The only reader of both."""

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from appservice.core.errors import ConfigError
from appservice.core.languages import Language
from appservice.core.model import UserId
from appservice.core.rules.permissions import Level
from appservice.core.rules.quotas import Quotas
from transcode.settings import Settings

ENV_PREFIX = "ROOMREEL_"
EMBEDDED = "embedded"
_LEAST_KEY = 32  # characters


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an absolute http(s) URL without query, such as https://example.org")
    return value.rstrip("/")


def _hook_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment:
        raise ValueError("must be an absolute http(s) URL, such as http://127.0.0.1:9000/verdict")
    return value


BaseUrl = Annotated[str, AfterValidator(_base_url)]


def _secret_text(value: object) -> object:
    # One of digits alone is a number to YAML.
    return str(value) if isinstance(value, int) else value


def _own_secret(value: SecretStr) -> SecretStr:
    if value.get_secret_value().startswith("CHANGE-ME"):
        raise ValueError("is still the example's, which everybody knows; make your own")
    return value


Secret = Annotated[SecretStr, BeforeValidator(_secret_text), AfterValidator(_own_secret)]
Port = Annotated[int, Field(ge=0, le=65535)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HomeserverConfig(_Section):
    """The homeserver that this application service is registered with."""

    url: BaseUrl
    server_name: Annotated[str, Field(min_length=1, max_length=255)]
    admin_token: Secret | None = None


class Appservice(_Section):
    """What the homeserver knows of us (`registration.yaml`)."""

    url: BaseUrl
    id: str = "roomreel"
    as_token: Annotated[Secret, Field(min_length=16)]
    hs_token: Annotated[Secret, Field(min_length=16)]
    bot_localpart: Annotated[str, Field(pattern=r"^[a-z0-9._=/+-]+$")] = "reel"
    bot_name: str = "Roomreel"
    admin_room: Annotated[str, Field(pattern=r"^![^\s\x00]{1,254}$")] | None = None
    language: Language = "en"


def _networks(*texts: str) -> list[IPv4Network | IPv6Network]:
    return [ip_network(text) for text in texts]


class Web(_Section):
    """Our web server, the address under which viewers reach it, and the proxies whose `X-Forwarded-For` counts.

    `drain` is for how many seconds it still serves once it is to stop, while `/ready` says 503.
    """

    public_url: BaseUrl
    host: str = "127.0.0.1"
    port: Port = 8470
    frame_ancestors: list[str] = []
    drain: Annotated[float, Field(ge=0, le=600)] = 0
    trusted_proxies: list[IPv4Network | IPv6Network] = _networks("127.0.0.0/8", "::1/128")


class Metrics(_Section):
    """The listener for Prometheus; keep it off the internet."""

    host: str = "127.0.0.1"
    port: Port = 8471


class Identity(_Section):
    """Whose word we take on who a viewer is (OpenID userinfo)."""

    homeservers: dict[str, BaseUrl] = {}
    federation: bool = False
    allowed_networks: list[IPv4Network | IPv6Network] = []


class Media(_Section):
    """What a video may be: size in MiB, duration in seconds."""

    max_size: Annotated[int, Field(gt=0)] = 1024
    max_duration: Annotated[int, Field(gt=0)] = 7200


def _rungs(value: tuple[int, ...]) -> tuple[int, ...]:
    return Settings(rungs=tuple(sorted(set(value), reverse=True))).rungs


# All of x264 but `placebo`, which costs much and gives nothing.
Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]
Encoder = Literal["libx264", "h264_vaapi", "h264_nvenc", "h264_qsv"]


class LadderPolicy(StrEnum):
    """When the rungs below a stream copy are made: before anybody needs them, or once somebody does."""

    ALWAYS = "always"
    WATCHED = "watched"


class Transcode(_Section):
    """How renditions are made; with which ffmpeg, and how many threads it may use (0: by the number of cores)."""

    rungs: Annotated[tuple[int, ...], AfterValidator(_rungs)] = Settings().rungs
    preset: Preset = "veryfast"
    encoder: Encoder = "libx264"
    # pydantic's models have a method `copy`.
    copy_source: Annotated[bool, Field(alias="copy")] = True
    ladder: LadderPolicy = LadderPolicy.ALWAYS
    threads: Annotated[int, Field(ge=0)] = 0
    ffmpeg: str | None = None
    ffprobe: str | None = None


class Worker(_Section):
    """Videos at a time in one process, tries for each, and seconds until a dead worker's job is taken over.

    Admins are notified when fewer than `min_free` MiB are free on the disk of `data_dir`.
    """

    concurrency: Annotated[int, Field(gt=0)] = 1
    attempts: Annotated[int, Field(gt=0)] = 5
    heartbeat_timeout: Annotated[float, Field(gt=0)] = 10
    min_free: Annotated[int, Field(ge=0)] = 2048


class Serve(StrEnum):
    """How files come from object storage to viewers: through us, by addresses that expire, or by a CDN."""

    PROXY = "proxy"
    REDIRECT = "redirect"
    CDN = "cdn"


def _storage_url(value: str) -> str:
    parts = urlsplit(value)
    has_place = parts.path.startswith("/") and not parts.netloc if parts.scheme == "file" else bool(parts.netloc)
    if parts.scheme not in {"s3", "gs", "az", "file"} or not has_place or parts.query or parts.fragment or "@" in value:
        raise ValueError("must be s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder")
    return value.rstrip("/")


class Place(_Section):
    """Object storage, or without a `url` the folders below `data_dir`; `options` are obstore's, secrets or not."""

    url: Annotated[str, AfterValidator(_storage_url)] | None = None
    endpoint: BaseUrl | None = None
    region: str | None = None
    path_style: bool = True
    allow_http: bool = False
    options: dict[str, Secret] = {}

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.endpoint and self.endpoint.startswith("http://") and not self.allow_http:
            raise ValueError("`endpoint` is not https: set `allow_http: true` where nobody else is on the line")
        if self.url is None and (self.endpoint or self.options):
            raise ValueError("`url` is missing, without which nothing is in object storage")
        return self


class StorageConfig(Place):
    """Where videos, uploads and exports are stored, and how viewers get them; `cache` in MiB.

    `also` is where what was stored before is read, until it was moved.
    """

    serve: Serve = Serve.PROXY
    cdn_url: BaseUrl | None = None
    cache: Annotated[int, Field(gt=0)] = 2048
    also: Place | None = None

    @property
    def is_local(self) -> bool:
        """Whether all is in the folders below `data_dir`."""
        return self.url is None and self.also is None

    @model_validator(mode="after")
    def _servable(self) -> Self:
        if self.serve is Serve.CDN and self.cdn_url is None:
            raise ValueError("`serve: cdn` needs `cdn_url`")
        if self.serve is not Serve.PROXY and (self.url is None or self.url.startswith("file:")):
            raise ValueError(f"`serve: {self.serve}` needs object storage: s3://, gs:// or az://")
        if self.also is not None and (self.also.url, self.also.endpoint) == (self.url, self.endpoint):
            raise ValueError("`also` is the same place: what is moved from there would be deleted")
        return self


class Retention(_Section):
    """Days for which things are stored; None: for ever. `days` is for videos, `left_rooms_days` for what is stored of
    rooms that the bot left.
    """

    days: Annotated[int, Field(gt=0, le=36_500)] | None = None
    left_rooms_days: Annotated[int, Field(ge=0, le=36_500)] | None = 30


class Rooms(_Section):
    """What holds for a room whose moderators chose nothing else: `history` is a number of messages."""

    history: Annotated[int, Field(ge=0, le=1000)] = 0


class BlockIn(StrEnum):
    """Where a file may not come again that was blocked: in the room of its video, or in every room."""

    ROOM = "room"
    SERVER = "server"


class Webhook(_Section):
    """The service that judges each video before it is shown; what is done when it gives no verdict in `timeout` s.

    `block` is where its verdict of that name holds.
    """

    url: Annotated[str, AfterValidator(_hook_url)]
    secret: Annotated[Secret, Field(min_length=16)]
    timeout: Annotated[float, Field(gt=0, le=60)] = 10
    on_failure: Literal["hold", "allow"] = "hold"
    block: BlockIn = BlockIn.ROOM


class Moderation(_Section):
    """What is shut out from the whole installation: `policy_lists` are rooms' ids or aliases."""

    policy_lists: tuple[Annotated[str, Field(pattern=r"^[!#]\S{1,254}$")], ...] = ()
    webhook: Webhook | None = None


class Encryption(_Section):
    """Encrypted rooms, and media that are encrypted on disk: in encrypted rooms, or in `all_rooms`.

    `key` is the secret under which all others are stored; `previous_key` the one before, until a start has replaced it.
    `key_file` and `previous_key_file` hold them instead.
    """

    key: Annotated[Secret, Field(min_length=_LEAST_KEY)] | None = None
    key_file: Path | None = None
    previous_key: Annotated[Secret, Field(min_length=_LEAST_KEY)] | None = None
    previous_key_file: Path | None = None
    all_rooms: bool = False


class Log(_Section):
    """How much is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "console"


class Config(_Section):
    """Everything that an operator sets. `database` is a `postgresql://` address, or `embedded`.

    Where that of `database` is a pooler's that gives each transaction another connection, `database_direct` is
    PostgreSQL's own.
    """

    homeserver: HomeserverConfig
    appservice: Appservice
    web: Web
    metrics: Metrics = Metrics()
    database: Annotated[str, Field(pattern=r"^(embedded$|postgres(ql)?://)")] = "embedded"
    database_direct: Annotated[str, Field(pattern=r"^postgres(ql)?://")] | None = None
    data_dir: Path = Path("data")
    permissions: dict[str, Level] = {}
    identity: Identity = Identity()
    media: Media = Media()
    limits: Quotas = Quotas()
    transcode: Transcode = Transcode()
    worker: Worker = Worker()
    rooms: Rooms = Rooms()
    moderation: Moderation = Moderation()
    retention: Retention = Retention()
    encryption: Encryption = Encryption()
    storage: StorageConfig = StorageConfig()
    log: Log = Log()

    @property
    def bot(self) -> UserId:
        """The bot's full Matrix user id."""
        return UserId(f"@{self.appservice.bot_localpart}:{self.homeserver.server_name}")


def load_config(path: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Read `path` and the `ROOMREEL_SECTION__KEY` variables, which win. Raises ConfigError.

    A relative `data_dir` is taken from the folder of the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The configuration {path} cannot be read: {error}. Start from config.yaml.example."
        ) from error
    try:
        tree = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {_yaml_problem(error)}.") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold sections such as `homeserver:`; see config.yaml.example.")
    merged = _with_env(tree, env)
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, error))) from error
    encryption = _with_keys(path, config.encryption)
    if config.database == EMBEDDED and config.database_direct:
        raise ConfigError(
            f"{path}: `database_direct` goes with a `database` that is a pooler's address, not `embedded`."
        )
    return config.model_copy(update={"data_dir": (path.parent / config.data_dir).resolve(), "encryption": encryption})


def _with_keys(path: Path, encryption: Encryption) -> Encryption:
    """Return the section with its keys, also those that are in files of their own."""
    keys = {
        name: _read_key(path, name, file)
        for name, file in (("key", encryption.key_file), ("previous_key", encryption.previous_key_file))
        if file is not None
    }
    for name in keys:
        if getattr(encryption, name) is not None:
            raise ConfigError(f"{path}: `encryption.{name}` and `encryption.{name}_file` exclude each other.")
    merged = encryption.model_copy(update=keys)
    if merged.key is None and (merged.previous_key is not None or merged.all_rooms):
        raise ConfigError(f"{path}: `encryption.key` is missing. See config.yaml.example for what it means.")
    return merged


def _read_key(path: Path, name: str, file: Path) -> SecretStr:
    where = path.parent / file
    try:
        text = where.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: `encryption.{name}_file`: {where} cannot be read: {error}.") from error
    if len(text) < _LEAST_KEY:
        raise ConfigError(f"{path}: `encryption.{name}_file`: {where} has fewer than {_LEAST_KEY} characters.")
    return SecretStr(text)


def _yaml_problem(error: yaml.YAMLError) -> str:
    # The error's own text, and its chain, quote the line: a secret may stand there.
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        problem = re.sub(r"'[^']{2,}'", "'…'", error.problem or "")
        return f"{problem} (line {mark.line + 1}, column {mark.column + 1})"
    return "it holds a character that YAML does not allow"


def _with_env(tree: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    # A section with nothing in it (`log:`) is None to YAML, and means its defaults.
    merged = {
        key: dict(value) if isinstance(value, dict) else value for key, value in tree.items() if value is not None
    }
    for name in sorted(env):
        if not name.startswith(ENV_PREFIX):
            continue
        section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
        try:
            value = yaml.safe_load(env[name])
        except yaml.YAMLError as error:
            raise ConfigError(f"The variable {name} is not a YAML value: {_yaml_problem(error)}. Quote it.") from None
        if not key:
            merged[section] = value
        elif isinstance(part := merged.setdefault(section, {}), dict):
            part[key] = value
    return merged


def _explain(path: Path, error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        match problem["type"]:
            case "extra_forbidden":
                lines.append(f"{path}: unknown key `{key}`. Remove it, or see config.yaml.example for the right name.")
            case "missing":
                lines.append(f"{path}: `{key}` is missing. See config.yaml.example for what it means.")
            case _:
                lines.append(f"{path}: `{key}`: {problem['msg']}.")
    return lines
