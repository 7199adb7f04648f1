"""What operators see of a service that did real work: metrics, `admin top`, and a log with ids and without secrets."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp
import pytest

from appservice import metrics
from appservice.demo.client import MatrixClient
from appservice.demo.synapse import Synapse
from tests.support.commands import CommandSender
from tests.support.installation import Installation
from tests.support.rooms import make_room
from tests.support.secrets import forms
from tests.support.viewer import Viewer
from tests.support.waiting import eventually
from tests.unit.test_metrics import ours

KEY, PASSWORD, WEBHOOK = "a key of this test, which is long enough", "password-of-the-dsn", "secret-of-the-webhook"


@pytest.fixture
async def observed(spare: Installation) -> AsyncIterator[Installation]:
    """A service at debug level, with every secret that a configuration can have."""
    parts = urlsplit(spare.settings["database"])
    place = f"{(parts.username or 'postgres')}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}"
    webhook = {"url": "http://127.0.0.1:9/verdict", "secret": WEBHOOK, "timeout": 1, "on_failure": "allow"}
    spare.write_config(
        database=urlunsplit(parts._replace(netloc=place)), encryption={"key": KEY}, moderation={"webhook": webhook}
    )
    async with spare.running() as service:
        yield service


async def _series(http: aiohttp.ClientSession, service: Installation) -> dict[str, float]:
    async with http.get(f"http://127.0.0.1:{service.settings['metrics']['port']}/metrics") as response:
        assert response.status == 200
        lines = [line for line in (await response.text()).splitlines() if line.startswith("roomreel_")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def _work(service: Installation, http: aiohttp.ClientSession, alice: MatrixClient, clip: Path) -> list[str]:
    """Let it do a bit of everything, and return the secrets that this took."""
    room_id = await make_room(alice, service)
    openid = await alice.openid_token()
    status, session = await service.open_session(http, openid, room_id)
    assert status == 200
    viewer = Viewer(service.url, http, room_id, session["token"])
    headers = {"Authorization": f"Bearer {viewer.token}"}
    async with http.get(f"{service.url}/api/v1/rooms/{quote(room_id)}/events?since=0", headers=headers) as stream:
        event_id = await alice.send_video(room_id, clip)
        await viewer.video_in(event_id, "ready")
        async with asyncio.timeout(30):
            async for line in stream.content:
                if line.startswith(b"event: delta"):
                    break

    async def grant() -> str | None:
        video = await viewer.video(event_id)  # shown once the webhook's time is over
        return str(video["poster_url"]).split("/")[2] if video and video["poster_url"] else None

    watched = await eventually(grant, what="a grant")
    assert watched
    async with http.post(f"{service.url}/api/v1/sign-in", json={"room_id": room_id}) as response:
        sign_in = await response.json()
    await alice.send_text(room_id, sign_in["command"])

    async def signed_in() -> str | None:
        body = {"sign_in": sign_in["secret"], "room_id": room_id}
        async with http.post(f"{service.url}/api/v1/session", json=body) as response:
            return (await response.json())["token"] if response.status == 200 else None

    browser = await eventually(signed_in, what="the browser being signed in")
    assert browser
    await CommandSender(alice, room_id)("!reel export")

    async def link() -> str | None:
        rows = await service.rows("SELECT room_id FROM rooms WHERE made_for = $1", alice.user_id)
        if not rows:
            return None
        await alice.join(rows[0]["room_id"])
        bodies = [str(event["content"].get("body")) for event in await alice.messages(rows[0]["room_id"])]
        return next((found.group(1) for body in bodies if (found := re.search(r"/export/(\S+)", body))), None)

    export = await eventually(link, what="the link to the export")
    assert export
    await _go_wrong(service, http, viewer, [watched, export, sign_in["secret"]])
    return [viewer.token, browser, export, sign_in["secret"], openid["access_token"], alice.access_token, watched]


async def _go_wrong(service: Installation, http: aiohttp.ClientSession, viewer: Viewer, known: list[str]) -> None:
    """Send what fails, with secrets where they may be and where they may not; and break what runs by itself."""
    for secret in known:
        for path in (f"/media/{secret}/none/x.ts", f"/export/{secret}/x", f"/api/v1/nothing?token={secret}"):
            async with http.get(service.url + path) as response:
                assert response.status >= 400
    for token in (service.hs_token + "x", viewer.token, service.as_token):
        assert (await service.transaction(http, [], token=token))[0] == 403
    for body in (f'{{"openid_token": {{"access_token": "{known[0]}"', f'{{"token": "{viewer.token}"}}'):
        async with http.post(f"{service.url}/api/v1/session", data=body) as response:
            assert response.status == 400
    await service.rows("ALTER TABLE alarms RENAME TO mislaid")

    async def is_broken() -> bool:
        return bool(service.log_entries("work_broken"))

    await eventually(is_broken, what="a mistake in the log")
    await service.rows("ALTER TABLE mislaid RENAME TO alarms")


async def test_work_is_measured_and_logged_with_ids_and_without_secrets(
    observed: Installation, http: aiohttp.ClientSession, synapse: Synapse, clip: Path
) -> None:
    # Nobody who was in an encrypted room before: their link would come encrypted.
    member = await synapse.user(f"member-{secrets.token_hex(4)}")
    before = await _series(http, observed)
    secret_texts = await _work(observed, http, member, clip)
    await _check_metrics(http, observed, before)
    await _check_ids(http, observed)
    code, output = await observed.command("admin", "-c", str(observed.config), "top", "--once")
    assert code == 0, output
    assert re.search(r"^video +1 +0 +0\.1$", output, re.MULTILINE), output
    assert await observed.stop() == 0
    log = observed.log_file.read_text()
    stored = [row["value"] for row in await observed.rows("SELECT value FROM secrets")]
    assert len(stored) >= 2
    configured = [observed.as_token, observed.hs_token, KEY, PASSWORD, WEBHOOK]
    for secret in (*secret_texts, *configured, *forms(*stored)):
        assert len(secret) >= 8
        lines = [line for line in log.splitlines() if secret in line]
        assert not lines, (secret, lines[:3])


async def _check_metrics(http: aiohttp.ClientSession, service: Installation, before: dict[str, float]) -> None:
    async def read() -> dict[str, float] | None:
        found = await _series(http, service)  # what is read from the database is some seconds old
        return found if found['roomreel_videos{state="ready"}'] >= 1 else None

    after = await eventually(read, what="the video being counted")
    assert after
    for name in (
        "roomreel_time_to_playable_seconds_count", "roomreel_time_to_ready_seconds_count",
        "roomreel_video_seconds_count", "roomreel_event_stream_lag_seconds_count",
        "roomreel_transaction_seconds_count", "roomreel_downloaded_bytes_total",
        'roomreel_jobs_total{kind="video",outcome="done"}', 'roomreel_job_seconds_count{kind="video"}',
        'roomreel_homeserver_request_seconds_count{endpoint="send",outcome="ok"}',
        'roomreel_homeserver_request_seconds_count{endpoint="download",outcome="ok"}',
        'roomreel_events_total{outcome="taken"}', 'roomreel_transactions_total{outcome="stored"}',
        'roomreel_storage_bytes{kind="videos"}', 'roomreel_storage_bytes{kind="exports"}', "roomreel_disk_free_bytes",
        "roomreel_database_up", 'roomreel_database_connections{state="idle"}',
    ):  # fmt: skip
        assert after[name] > 0, name
    playable, ready = (after[f"roomreel_time_to_{stage}_seconds_sum"] for stage in ("playable", "ready"))
    assert 0 < playable <= ready < 300
    # Whatever people send, there are the same counters; of histograms those of declared values.
    endpoints, outcomes = metrics.HOMESERVER_SECONDS.values
    known = {*endpoints, *outcomes, *metrics.JOB_SECONDS.values[0]}
    new = set(after) - set(before)
    assert all(re.match(r"roomreel_(homeserver_request|job)_seconds_", name) for name in new), new
    assert {value for name in new for value in re.findall(r'(?:endpoint|outcome|kind)="([^"]*)"', name)} <= known
    served = {re.sub(r"(_bucket|_sum|_count|_created)?(\{.*)?$", "", name) for name in after}
    assert {name.removesuffix("_total") for name in ours()} >= {name.removesuffix("_total") for name in served}
    people = re.compile(r"[@!$#][^\"]*:")
    assert not [name for name in after if people.search(name)]


async def _check_ids(http: aiohttp.ClientSession, service: Installation) -> None:
    given = f"of-the-proxy-{secrets.token_hex(4)}"
    headers = {"Authorization": f"Bearer {service.hs_token}", "X-Request-ID": given}
    url = f"{service.url}/_matrix/app/v1/transactions/txn-7"
    async with http.put(url, headers=headers, json={}) as response:
        assert (response.status, response.headers["X-Request-ID"]) == (400, given)

    async def logged() -> list[dict[str, object]]:
        return [entry for entry in service.log_entries() if entry.get("request_id") == given]

    entries = await eventually(logged, what="what the request logged")
    assert entries
    assert {entry["event"] for entry in entries} == {"transaction_not_taken", "request"}
    assert {entry["txn_id"] for entry in entries if entry["event"] == "transaction_not_taken"} == {"txn-7"}
    (video,) = service.log_entries("video_ready")
    assert (video["job"], video["job_attempt"], type(video["job_id"])) == ("video", 0, int)
    requests = [entry["request_id"] for entry in service.log_entries("request")]
    assert len(set(requests)) == len(requests)
