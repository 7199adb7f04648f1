"""The configuration: what is refused, and how the refusal names the key; the examples are true."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from appservice.config import Config, load_config
from appservice.core.errors import ConfigError
from appservice.core.rules.permissions import Level
from appservice.media.object_opening import open_objects
from appservice.registration import new_token, render_registration

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "config.yaml.example"
LEAST: dict[str, Any] = {
    "homeserver": {"url": "http://localhost:8008/", "server_name": "example.org"},
    "appservice": {"url": "http://localhost:8470", "as_token": "a" * 20, "hs_token": "h" * 20},
    "web": {"public_url": "https://reel.example.org/"},
}


def load(tmp_path: Path, tree: object, env: dict[str, str] | None = None) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree), encoding="utf-8")
    return load_config(path, env or {})


def with_keys(**sections: dict[str, object]) -> dict[str, Any]:
    return {**LEAST, **{name: {**LEAST.get(name, {}), **keys} for name, keys in sections.items()}}


def without(section: str, key: str | None = None) -> dict[str, Any]:
    if key is None:
        return {name: keys for name, keys in LEAST.items() if name != section}
    return {**LEAST, section: {name: value for name, value in LEAST[section].items() if name != key}}


def test_the_least_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST)
    assert config.bot == "@reel:example.org"
    assert config.homeserver.url == "http://localhost:8008"
    assert config.web.public_url == "https://reel.example.org"
    assert config.database == "embedded"
    assert config.permissions == {}
    assert "aaaa" not in repr(config)
    assert "hhhh" not in repr(config)


def test_a_relative_data_dir_starts_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert load(tmp_path, LEAST).data_dir == tmp_path / "data"
    assert load(tmp_path, {**LEAST, "data_dir": "../there"}).data_dir == tmp_path.parent / "there"
    assert load(tmp_path, {**LEAST, "data_dir": "/srv/reel"}).data_dir == Path("/srv/reel")


def test_the_frozen_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST)
    with pytest.raises(ValueError, match="frozen"):
        config.database = "embedded"


@pytest.mark.parametrize(
    ("tree", "key"),
    [
        ({**LEAST, "wbe": {}}, "wbe"),
        (with_keys(web={"prot": 1}), "web.prot"),
        (with_keys(appservice={"as-token": "x"}), "appservice.as-token"),
        (with_keys(identity={"federations": True}), "identity.federations"),
    ],
)
def test_an_unknown_key_is_named(tmp_path: Path, tree: object, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"config\.yaml: unknown key `{key}`"):
        load(tmp_path, tree)


@pytest.mark.parametrize(
    ("tree", "key"),
    [
        (without("homeserver"), "homeserver"),
        (without("homeserver", "server_name"), "homeserver.server_name"),
        (without("appservice", "as_token"), "appservice.as_token"),
        (without("web", "public_url"), "web.public_url"),
    ],
)
def test_a_missing_key_is_named(tmp_path: Path, tree: object, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"`{key}` is missing\. See config\.yaml\.example"):
        load(tmp_path, tree)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {**without("web"), "wbe": {}, "database": "mysql://x"})
    assert [word for word in ("`web`", "`wbe`", "`database`") if word not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("homeserver", "url", "localhost:8008"),
        ("homeserver", "url", "ftp://example.org"),
        ("homeserver", "url", "http://"),
        ("homeserver", "url", "http://example.org/?a=b"),
        ("homeserver", "url", "http://example.org/#a"),
        ("homeserver", "server_name", ""),
        ("appservice", "as_token", "short"),
        ("appservice", "bot_localpart", "Reel"),
        ("appservice", "bot_localpart", "reel:x"),
        ("appservice", "language", "de"),
        ("web", "port", 65536),
        ("web", "port", -1),
        ("web", "port", "http"),
        ("identity", "allowed_networks", ["10.0.0.1/8"]),
        ("identity", "homeservers", {"friends.example": "friends.example"}),
        ("media", "max_size", 0),
        ("media", "max_duration", -5),
        ("transcode", "threads", -1),
        ("transcode", "rungs", []),
        ("transcode", "rungs", [720, 721]),
        ("transcode", "rungs", 720),
        ("transcode", "preset", "placebo"),
        ("transcode", "encoder", "hevc_nvenc"),
        ("transcode", "copy", "sometimes"),
        ("worker", "concurrency", 0),
        ("worker", "attempts", 0),
        ("worker", "heartbeat_timeout", 0),
        ("moderation", "webhook", {"url": "ftp://x", "secret": "x" * 20}),
        ("log", "level", "loud"),
        ("log", "format", "xml"),
        ("permissions", "*", "god"),
    ],
)
def test_a_wrong_value_is_named_and_a_secret_not_printed(tmp_path: Path, section: str, key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"`{section}\.{key.replace('*', '.')}") as caught:
        load(tmp_path, with_keys(**{section: {key: value}}))
    assert "short" not in str(caught.value)


def test_what_renditions_are_made(tmp_path: Path) -> None:
    chosen = load(tmp_path, with_keys(transcode={"rungs": [360, 1080, 360], "copy": False})).transcode
    assert (chosen.rungs, chosen.copy_source) == ((1080, 360), False)
    with pytest.raises(ConfigError, match=r"`transcode\.rungs`: .*some of 1080, 720, 480, 360, 240, not \[480, 7\]"):
        load(tmp_path, with_keys(transcode={"rungs": [480, 7]}))
    with pytest.raises(ConfigError, match=r"`transcode\.preset`: .*'veryfast'"):
        load(tmp_path, with_keys(transcode={"preset": "turbo"}))


@pytest.mark.parametrize("database", ["mysql://x", "embedded2", "", "sqlite:///x"])
def test_the_database_is_embedded_or_a_postgresql(tmp_path: Path, database: str) -> None:
    with pytest.raises(ConfigError, match="`database`"):
        load(tmp_path, {**LEAST, "database": database})


@pytest.mark.parametrize("database", ["embedded", "postgres://u@h/d", "postgresql://u:p@h/d"])
def test_databases(tmp_path: Path, database: str) -> None:
    assert load(tmp_path, {**LEAST, "database": database}).database == database


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "is not YAML"),
        ("a: b: c", "is not YAML"),
        ("- a\n- b\n", "must hold sections"),
        ("just text", "must hold sections"),
        ("", "`homeserver` is missing"),
        ("homeserver:\n", "`homeserver`"),
        ("1: 2\n", "config.yaml"),
    ],
)
def test_what_is_no_configuration(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml cannot be read: .*Start from config\.yaml\.example"):
        load_config(tmp_path / "missing.yaml", {})
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(binary, {})


def test_a_secret_does_not_come_back_in_an_error_about_yaml(tmp_path: Path) -> None:
    for sigil in ("@", "*", "!", "%", "&a &"):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, f"appservice:\n  as_token: {sigil}very-secret-token\n")
        assert "very-secret" not in str(caught.value)
        assert "line 2" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "appservice:\n  as_token: very-secret\x07\n")
    assert "very-secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="ROOMREEL_APPSERVICE__AS_TOKEN") as caught:
        load(tmp_path, LEAST, {"ROOMREEL_APPSERVICE__AS_TOKEN": "%very-secret-token"})
    assert "very-secret" not in str(caught.value)


def test_the_environment_wins(tmp_path: Path) -> None:
    env = {
        "ROOMREEL_WEB__PORT": "9000",
        "ROOMREEL_DATABASE": "postgresql://reel:pw@db/reel",
        "ROOMREEL_APPSERVICE__HS_TOKEN": "x" * 20,
        "ROOMREEL_IDENTITY__ALLOWED_NETWORKS": "[10.0.0.0/8]",
        "ROOMREEL_PERMISSIONS": "{'@boss:example.org': admin}",
        "ROOMREEL_METRICS__HOST": "::1",
        "OTHER_WEB__PORT": "1",
        "PATH": "/bin",
    }
    config = load(tmp_path, with_keys(web={"port": 1234, "host": "0.0.0.0"}), env)  # noqa: S104 - only a word here
    assert config.web.port == 9000
    assert config.web.host == "0.0.0.0"  # noqa: S104
    assert config.database == "postgresql://reel:pw@db/reel"
    assert config.appservice.hs_token.get_secret_value() == "x" * 20
    assert config.identity.allowed_networks == [IPv4Network("10.0.0.0/8")]
    assert config.permissions == {"@boss:example.org": Level.ADMIN}
    assert config.metrics.host == "::1"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"ROOMREEL_WEB__PROT": "1"}, "unknown key `web.prot`"),
        ({"ROOMREEL_WBE": "1"}, "unknown key `wbe`"),
        ({"ROOMREEL_WEB__PORT": "["}, "The variable ROOMREEL_WEB__PORT is not a YAML value"),
        ({"ROOMREEL_WEB__PORT": "abc"}, "`web.port`"),
        ({"ROOMREEL_WEB": "5"}, "`web`"),
        ({"ROOMREEL_WEB": "5", "ROOMREEL_WEB__PORT": "9000"}, "`web`"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, env: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, LEAST, env)
    assert said in str(caught.value)


# The examples


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + (field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")


OWN = {
    "ROOMREEL_APPSERVICE__AS_TOKEN": "own-as-token-of-a-test",
    "ROOMREEL_APPSERVICE__HS_TOKEN": "own-hs-token-of-a-test",
}


def test_the_examples_secrets_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"`appservice\.as_token`: .*still the example's"):
        load_config(EXAMPLE, {"ROOMREEL_APPSERVICE__HS_TOKEN": "own-hs-token-of-a-test"})


def test_the_example_loads() -> None:
    config = load_config(EXAMPLE, OWN)
    assert config.permissions["@admin:example.org"] is Level.ADMIN


def test_every_key_is_in_the_example_with_its_default() -> None:
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    written = set()
    for name, value in example.items():
        written.add(name)
        if isinstance(value, dict) and name != "permissions":
            written |= {f"{name}.{key}" for key in value}
        if name == "limits":
            written |= {f"{name}.{key}.{limit}" for key in value for limit in value[key]}
    assert written == set(_keys(Config))
    config = load_config(EXAMPLE, OWN)
    for section in ("metrics", "identity", "media", "limits", "retention", "transcode", "worker", "log", "database"):
        assert getattr(config, section) == Config.model_fields[section].default, section


def test_the_example_of_the_registration_is_what_we_write() -> None:
    text = (ROOT / "registration.yaml.example").read_text(encoding="utf-8")
    for change_me, own in zip(
        ("CHANGE-ME-TO-A-LONG-RANDOM-SECRET", "CHANGE-ME-TO-ANOTHER-LONG-SECRET"), OWN.values(), strict=True
    ):
        text = text.replace(change_me, own)
    lines = text.splitlines(keepends=True)
    assert lines[0].startswith("#")
    assert "".join(line for line in lines if not line.startswith("#")) == render_registration(load_config(EXAMPLE, OWN))


def test_a_registration(tmp_path: Path) -> None:
    config = load(tmp_path, with_keys(appservice={"bot_localpart": "re.el", "id": "my-reel"}))
    registration = yaml.safe_load(render_registration(config))
    assert registration["as_token"] == "a" * 20
    assert registration["hs_token"] == "h" * 20
    assert registration["id"] == "my-reel"
    assert registration["sender_localpart"] != "re.el"
    assert registration["namespaces"]["users"] == [{"exclusive": True, "regex": r"^@re\.el:example\.org$"}]
    assert registration["rate_limited"] is False


def test_fresh_tokens_are_long_and_differ() -> None:
    assert len(new_token()) >= 40
    assert new_token() != new_token()


KEY, OTHER_KEY = "k" * 32, "o" * 32


def test_keys_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    config = load(tmp_path, with_keys(encryption={"key_file": "key", "previous_key": OTHER_KEY}))
    assert config.encryption.key is not None
    assert config.encryption.key.get_secret_value() == KEY
    assert KEY not in repr(config)


@pytest.mark.parametrize(
    ("encryption", "problem"),
    [
        ({"key": "short"}, "at least 32"),
        ({"key_file": "missing"}, "`encryption.key_file`: .*missing cannot be read"),
        ({"key_file": "short"}, "fewer than 32"),
        ({"key": KEY, "key_file": "key"}, "exclude each other"),
        ({"previous_key": KEY}, "`encryption.key` is missing"),
        ({"all_rooms": True}, "`encryption.key` is missing"),
    ],
)
def test_keys_that_are_none(tmp_path: Path, encryption: dict[str, object], problem: str) -> None:
    (tmp_path / "key").write_text(KEY, encoding="utf-8")
    (tmp_path / "short").write_text("short", encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        load(tmp_path, with_keys(encryption=encryption))


@pytest.mark.parametrize(
    ("storage", "problem"),
    [
        ({"url": "http://example.org/bucket"}, "s3://bucket/prefix"),
        ({"url": "s3://key:secret@bucket"}, "s3://bucket/prefix"),
        ({"url": "s3:///prefix"}, "s3://bucket/prefix"),
        ({"url": "file://folder"}, "file:///folder"),
        ({"url": "s3://b", "endpoint": "http://10.0.0.1:9000"}, "allow_http: true"),
        ({"endpoint": "https://s3.example.org"}, "`url` is missing"),
        ({"options": {"account_key": "very-secret"}}, "`url` is missing"),
        ({"url": "s3://b", "serve": "cdn"}, "cdn_url"),
        ({"serve": "redirect"}, "needs object storage"),
        ({"url": "file:///srv/reel", "serve": "redirect"}, "needs object storage"),
        ({"url": "s3://b", "serve": "nginx"}, "`storage.serve`"),
        ({"url": "s3://b", "cache": 0}, "`storage.cache`"),
    ],
)
def test_storage_that_cannot_be(tmp_path: Path, storage: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        load(tmp_path, {**LEAST, "storage": storage})
    assert "secret" not in str(caught.value)


def test_storage_keeps_its_secrets(tmp_path: Path) -> None:
    options = {"access_key_id": "who", "secret_access_key": 12345678}
    config = load(tmp_path, {**LEAST, "storage": {"url": "s3://b/p/", "options": options}})
    assert config.storage.url == "s3://b/p"
    assert config.storage.options["secret_access_key"].get_secret_value() == "12345678"
    assert "12345678" not in repr(config)
    with pytest.raises(ConfigError, match=r"storage\.options") as caught:
        open_objects(config.storage.model_copy(update={"options": {"bogus": SecretStr("very-secret")}}))
    assert "very-secret" not in str(caught.value)
    assert "bogus" in str(caught.value)
