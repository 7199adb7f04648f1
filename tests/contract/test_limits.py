"""Whoever sends too many requests has to wait, and nobody else has to."""

import asyncio
from collections import Counter
from urllib.parse import quote

import pytest

from appservice.core.errors import LimitExceededError
from appservice.web.limits import Limit, RateLimits
from tests.support.service import Service


def test_each_is_counted_apart_and_may_come_again() -> None:
    limits = RateLimits()
    for _ in range(30):
        limits.count(Limit.CODES, "192.0.2.1")
    with pytest.raises(LimitExceededError) as refused:
        limits.count(Limit.CODES, "192.0.2.1")
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 1
    limits.count(Limit.CODES, "192.0.2.2")
    limits.count(Limit.REPORTS, "192.0.2.1")


@pytest.mark.parametrize(
    ("method", "path", "times"),
    [
        ("POST", "/api/v1/session", 1500), ("POST", "/api/v1/sign-in", 100), ("DELETE", "/api/v1/sign-in", 1500),
        ("GET", "/u/@nobody:example.org", 400), ("GET", "/u/@nobody:example.org/reel.json", 400),
        ("GET", "/export/" + "x" * 43, 100), ("GET", "/api/v1/time", 2500), ("GET", "/nothing", 2500),
        ("GET", "/api/v1/rooms/!r", 2500), ("PATCH", "/api/v1/uploads/" + "0" * 8 + "-0000" * 3 + "-" + "0" * 12, 2500),
        ("GET", "/ready", 2500), ("GET", f"/media/9999999999.{'A' * 22}/1.1/reel/all/{'0' * 16}/index.m3u8", 2500),
    ],
)  # fmt: skip
async def test_every_way_in_without_a_session_is_bounded(service: Service, method: str, path: str, times: int) -> None:
    headers = {"X-Forwarded-For": f"2001:db8:{abs(hash((method, path))) % 65536:x}:1::1"}
    statuses: Counter[int] = Counter()
    last: dict[str, str | int] = {}
    for _ in range(0, times, 50):

        async def send_request() -> None:
            async with service.http.request(method, service.url + path, headers=headers) as response:
                statuses[response.status] += 1
                if response.status == 429:
                    last.update(await response.json())
                    assert int(response.headers["Retry-After"]) >= 1

        await asyncio.gather(*(send_request() for _ in range(50)))
        if statuses[429]:
            break
    assert statuses[429], statuses
    assert all(status < 500 for status in statuses), statuses
    assert last["errcode"] == "M_LIMIT_EXCEEDED"
    assert isinstance(last["retry_after_ms"], int)
    async with service.http.request(method, service.url + path, headers={"X-Forwarded-For": "203.0.113.5"}) as response:
        assert response.status != 429


async def test_a_user_is_bounded_whatever_address_they_use(service: Service) -> None:
    alice, bob = service.user("alice"), service.user("bob")
    room = await service.room(alice, bob)
    hers, his = await service.viewer(alice, room), await service.viewer(bob, room)
    url = f"{service.url}/api/v1/rooms/{quote(room.room_id, safe='')}/members/{quote(alice, safe='')}/order"

    async def order(token: str, address: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        async with service.http.put(url, json={"videos": []}, headers=headers) as response:
            return response.status

    found = Counter([await order(hers.token, f"192.0.2.{number}") for number in range(200)])
    assert found[200] >= 60
    assert found[429] > 0
    assert set(found) == {200, 429}
    assert await order(his.token, "192.0.2.1") == 403, "as before"


async def test_what_the_bot_says_for_somebody_is_bounded(service: Service) -> None:
    alice = service.user()
    browser = await service.signed_in(alice, await service.room(alice))
    nowhere = "/api/v1/videos/00000000-0000-0000-0000-000000000000/comments"
    found = Counter([(await browser.request("POST", nowhere, {"text": "x", "nonce": "a"}))[0] for _ in range(60)])
    assert found[404] >= 20
    assert found[429] > 0
    assert set(found) == {404, 429}
