"""`roomreel check` finds each common mistake where it was really made, and says what to do."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import yaml
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse, free_port
from tests.support.command_line import findings, roomreel
from tests.support.databases import CreateDatabase
from tests.support.installation import Installation
from tests.support.waiting import eventually

PARTS = [
    "configuration", "registration", "database", "homeserver", "openid", "clock", "homeserver to us", "admin room",
    "public address", "proxy", "widget page", "event stream", "uploads", "ranges", "ffmpeg", "storage", "sandbox",
    "encryption",
]  # fmt: skip


@pytest.fixture
def twin(reel: Installation, tmp_path: Path) -> Installation:
    """A second configuration of the running Roomreel, for tests to break."""
    twin = Installation(tmp_path / "twin", reel.synapse, dict(reel.settings))
    twin.folder.mkdir()
    twin.write_config()
    return twin


async def failures(installation: Installation) -> dict[str, str]:
    """Return the parts that fail, with what is said of them."""
    code, found = await findings(installation)
    failed = {part: said for part, (verdict, said) in found.items() if verdict == "FAIL"}
    assert code == (1 if failed else 0)
    return failed


async def test_check_of_a_running_installation(reel: Installation, twin: Installation) -> None:
    twin.registration.write_text(reel.registration.read_text())
    twin.registration.chmod(0o600)
    code, found = await findings(twin)
    assert (code, list(found)) == (0, PARTS)
    assert {part: said for part, (verdict, said) in found.items() if verdict != "ok"} == {}
    assert reel.bot in found["homeserver"][1]


async def test_check_before_the_first_start_listens_for_the_homeserver_itself(spare: Installation) -> None:
    code, found = await findings(spare)
    assert (code, list(found)) == (0, PARTS)
    assert "reached us" in found["homeserver to us"][1]


async def test_check_warns_of_an_admin_room_that_others_read(
    reel: Installation, twin: Installation, alice: MatrixClient, bob: MatrixClient
) -> None:
    room_id = await alice.create_room(invite=[reel.bot])

    async def joined() -> bool:
        return reel.bot in await alice.joined_members(room_id)

    async def admin_room() -> tuple[str, str]:
        code, found = await findings(twin)
        assert code == 0
        return found["admin room"]

    await eventually(joined, what="the bot in the room")
    twin.write_config(appservice={"admin_room": room_id}, permissions={"*": "user", alice.user_id: "admin"})
    assert await admin_room() == ("ok", f"only admins read {room_id}")

    await alice.invite(room_id, bob.user_id)
    await alice.send_state(room_id, "m.room.join_rules", {"join_rule": "public"})
    await alice.send_state(room_id, "m.room.history_visibility", {"history_visibility": "world_readable"})
    verdict, said = await admin_room()
    assert verdict == "warn"
    for part in ("make it invite-only", "members only", f"{bob.user_id} read it and are no admins"):
        assert part in said
    assert alice.user_id not in said

    twin.write_config(appservice={"admin_room": "!nowhere:test.local"})
    assert "invite the bot there" in (await admin_room())[1]


async def test_check_distinguishes_wrong_hs_tokens(spare: Installation) -> None:
    spare.write_config(appservice={"hs_token": "not-the-one-of-the-registration"})
    failed = await failures(spare)
    assert list(failed) == ["homeserver to us"]
    assert "we refuse the homeserver's hs_token" in failed["homeserver to us"]


@pytest.mark.parametrize(
    ("sections", "broken", "advice"),
    [
        ({"database": "postgresql://u:pass-word@127.0.0.1:1/none"}, {"database"}, "Check that PostgreSQL runs"),
        ({"homeserver": {"url": "http://127.0.0.1:1"}}, {"homeserver", "homeserver to us"}, "Check homeserver.url"),
        ({"homeserver": {"server_name": "other.org"}}, {"homeserver"}, "Correct homeserver.server_name"),
        (
            {"appservice": {"as_token": "no-such-token-at-all"}},
            {"homeserver", "homeserver to us"},
            "as_token is the same in both",
        ),
        ({"appservice": {"id": "somebody-else"}}, {"homeserver to us"}, "Make appservice.id that of the registration"),
        ({"appservice": {"bot_localpart": "not-ours"}}, {"homeserver"}, "appservice.bot_localpart"),
        ({"transcode": {"ffmpeg": "/none/ffmpeg"}}, {"ffmpeg"}, "/none/ffmpeg"),
        ({"data_dir": "config.yaml"}, {"storage"}, "Check data_dir"),
        ({"worker": {"min_free": 10**9}}, {"storage"}, "Make room"),
    ],
    ids=lambda value: "-".join(f"{key}" for key in value) if isinstance(value, dict) else None,
)
async def test_check_names_the_broken_part_and_what_to_do(
    twin: Installation, sections: dict[str, Any], broken: set[str], advice: str
) -> None:
    twin.write_config(**sections)
    failed = await failures(twin)
    assert set(failed) == broken
    assert any(advice in said for said in failed.values()), failed
    assert "pass-word" not in str(failed)


# The registration


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"as_token": "another-token-of-somebody"}, "as_token is another one"),
        ({"hs_token": "another-token-of-somebody"}, "hs_token is another one"),
        ({"id": "other"}, "id is 'other', not reel"),
        ({"url": "http://other.example:8470"}, "url is 'http://other.example:8470', not http://127.0.0.1"),
        ({"sender_localpart": "reel"}, "sender_localpart is the bot's own name, reel"),
        ({"namespaces": {"users": [{"exclusive": True, "regex": "^@bot:"}]}}, "no regex of its users matches @reel:"),
        ({"namespaces": None}, "no regex of its users matches @reel:"),
        (None, "as_token and hs_token are swapped"),
    ],
)
async def test_check_compares_the_registration(
    reel: Installation, twin: Installation, change: dict[str, Any] | None, advice: str
) -> None:
    registration = yaml.safe_load(reel.registration.read_text())
    if change is None:
        change = {"as_token": registration["hs_token"], "hs_token": registration["as_token"]}
    twin.registration.write_text(yaml.safe_dump({**registration, **change}))
    failed = await failures(twin)
    assert list(failed) == ["registration"]
    assert advice in failed["registration"]
    assert "roomreel generate-registration" in failed["registration"]
    assert "another-token" not in str(failed)


async def test_check_of_a_registration_that_all_may_read_or_that_is_none(
    reel: Installation, twin: Installation
) -> None:
    other = twin.folder / "other.yaml"
    other.write_text(reel.registration.read_text())
    other.chmod(0o644)
    code, output, _ = await roomreel("check", "-c", twin.config, "-r", other)
    assert code == 0
    assert f"warn  registration: everybody on this machine can read {other}" in output
    other.write_text("as_token: [secret-in-a-broken-file")
    code, output, _ = await roomreel("check", "-c", twin.config, "-r", other)
    assert code == 1
    assert f"FAIL  registration: {other} is no registration" in output
    assert "secret-in" not in output


@pytest.fixture(scope="module")
async def misled(
    tmp_path_factory: pytest.TempPathFactory, create_migrated: CreateDatabase
) -> AsyncIterator[dict[str, Installation]]:
    """Installations by what is wrong with their registration, at a Synapse whose listener lacks `openid`."""
    folder = tmp_path_factory.mktemp("misled")
    port = free_port()
    listener = {"type": "http", "port": port, "bind_addresses": ["127.0.0.1"], "resources": [{"names": ["client"]}]}
    synapse = Synapse(folder / "synapse", port=port, extra={"listeners": [listener]})
    database = await create_migrated("misled")
    slots = ("swapped", "sender", "silent", "stranger", "nowhere")
    installations = {slot: Installation.prepare(folder / slot, synapse, slot=slot, database=database) for slot in slots}
    for slot, installation in installations.items():
        registration = yaml.safe_load(installation.registration.read_text())
        as_token, hs_token = registration["as_token"], registration["hs_token"]
        registration |= {
            "swapped": {"as_token": hs_token, "hs_token": as_token},
            "sender": {"sender_localpart": slot},
            "silent": {"url": "http://127.0.0.1:1"},
            "stranger": {"url": synapse.base_url},
            "nowhere": {"url": None},
        }[slot]
        installation.registration.write_text(yaml.safe_dump(registration))
    synapse.registrations = [each.registration for each in installations.values()]
    # What the homeserver reads lies elsewhere: what it does has to be enough.
    async with synapse:
        for installation in installations.values():
            installation.registration.unlink()
        yield installations


@pytest.mark.parametrize(
    ("slot", "part", "advice"),
    [
        ("swapped", "homeserver", "the tokens are swapped"),
        ("sender", "homeserver", "sender_localpart is the bot's own name (@sender:test.local)"),
        ("silent", "homeserver to us", "the homeserver does not reach us"),
        ("stranger", "homeserver to us", "something else than Roomreel responds"),
        ("nowhere", "homeserver to us", "the registration has no url"),
    ],
)
async def test_check_finds_what_is_wrong_with_the_homeserver(
    misled: dict[str, Installation], slot: str, part: str, advice: str
) -> None:
    failed = await failures(misled[slot])
    assert "Add `openid` to the resources of that listener" in failed.pop("openid")
    assert advice in failed.pop(part)
    if slot == "swapped":
        assert "does not know our as_token" in failed.pop("homeserver to us")
    assert failed == {}


@pytest.mark.parametrize(("hours", "said"), [(1, "behind the homeserver's"), (-1, "ahead of the homeserver's")])
async def test_check_compares_the_clock_with_the_homeservers(
    twin: Installation, aiohttp_server: AiohttpServer, hours: int, said: str
) -> None:
    async def respond(_: web.Request) -> web.Response:
        date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
        return web.json_response({"versions": ["v1.11"]}, headers={"Date": date})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", respond)
    other = await aiohttp_server(app)
    twin.write_config(homeserver={"url": f"http://127.0.0.1:{other.port}"})
    _, found = await findings(twin)
    verdict, text = found["clock"]
    assert verdict == "warn"
    assert said in text
    assert "NTP" in text


# Database, ffmpeg and folders


async def test_check_of_a_database_that_was_not_migrated(
    twin: Installation, create_database: Callable[[str], Awaitable[str]]
) -> None:
    dsn = await create_database("check-empty")
    twin.write_config(database=dsn, encryption={"key": "k" * 32})
    _, found = await findings(twin)
    assert found["database"][0] == "ok"
    assert "the first `roomreel serve` makes its schema" in found["database"][1]
    assert found["encryption"] == ("warn", "the bot's device is looked at once the database has its schema")
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE something ()")
    finally:
        await connection.close()
    failed = await failures(twin)
    assert list(failed) == ["database"]
    assert "run `roomreel migrate -c FILE`" in failed["database"]


@pytest.mark.parametrize(
    ("function", "verdict", "said"),
    [
        (
            "current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT ''140012''::text'",
            "FAIL",
            "PostgreSQL 14 is too old: our schema needs 15",
        ),
        (
            "clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now() + interval ''90 seconds'''",
            "warn",
            "s ahead of this machine's",
        ),
        (
            "clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT now() - interval ''90 seconds'''",
            "warn",
            "s behind this machine's",
        ),
    ],
)
async def test_check_of_a_database_that_is_too_old_or_has_another_time(
    twin: Installation, create_migrated: CreateDatabase, function: str, verdict: str, said: str
) -> None:
    # A server whose functions say so: an older one, and one with another clock, are not to be had on one machine.
    dsn = await create_migrated("check-other")
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE SCHEMA shadow")
        await connection.execute(f"CREATE FUNCTION shadow.{function}")
        await connection.execute('ALTER DATABASE "check-other" SET search_path = shadow, pg_catalog, public')
    finally:
        await connection.close()
    twin.write_config(database=dsn)
    _, found = await findings(twin)
    assert found["database"][0] == verdict
    assert said in found["database"][1]


async def test_check_of_an_ffmpeg_that_is_too_old(twin: Installation) -> None:
    old = twin.folder / "ffmpeg"
    old.write_text("#!/bin/sh\necho 'ffmpeg version 4.4.2 Copyright (c) 2000-2021 the FFmpeg developers'\n")
    old.chmod(0o755)
    twin.write_config(transcode={"ffmpeg": str(old)})
    failed = await failures(twin)
    assert list(failed) == ["ffmpeg"]
    assert "install ffmpeg 7 or newer" in failed["ffmpeg"]


async def test_check_names_the_encoder_that_replaces_one_that_does_not_work(twin: Installation) -> None:
    twin.write_config(transcode={"encoder": "h264_nvenc"})
    code, found = await findings(twin)
    assert code == 0
    assert "encodes with libx264, not with h264_nvenc: " in found["ffmpeg"][1]


async def test_check_of_folders(twin: Installation, tmp_path: Path, in_memory: Path | None) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "uploads").write_text("no folder")
    twin.write_config(data_dir=str(data))
    said = (await failures(twin))["storage"]
    assert f"{data}/uploads cannot be written" in said
    assert "who owns it" in said
    (data / "uploads").unlink()
    if in_memory is None or in_memory.stat().st_dev == data.stat().st_dev:
        return
    (data / "scratch").rmdir() if (data / "scratch").is_dir() else None
    (in_memory / "scratch").mkdir()
    (data / "scratch").symlink_to(in_memory / "scratch")
    assert "scratch and media are on different file systems" in (await failures(twin))["storage"]


async def test_check_warns_of_what_could_be_safer(
    twin: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    code, found = await findings(twin)
    assert code == 0
    assert found["sandbox"][0] == "warn"
    assert "install prlimit" in found["sandbox"][1]


# Between us and viewers, without a proxy; with one: test_check_proxy.py


async def test_check_of_an_address_that_clients_refuse(twin: Installation) -> None:
    twin.write_config(web={"public_url": f"http://{socket.gethostname()}:1"})
    _, found = await findings(twin)
    assert found["public address"][0] == "FAIL"
    assert "clients on https refuse such a widget" in found["public address"][1]
    assert found["proxy"][0] == "warn"
    assert "does not respond from this machine" in found["proxy"][1]


async def test_the_probes_are_for_whoever_has_the_configuration(
    reel: Installation, http: aiohttp.ClientSession
) -> None:
    for method, path in (
        ("GET", "/api/v1/check"), ("GET", "/api/v1/rooms/check/events"), ("PATCH", "/api/v1/uploads/check"),
        ("GET", "/media/check"),
    ):  # fmt: skip
        for headers in ({}, {"Authorization": "Bearer 99999999999.abc"}, {"Authorization": "Bearer é.é"}):
            async with http.request(method, reel.url + path, headers=headers) as response:
                assert response.status == 403, (path, headers)
