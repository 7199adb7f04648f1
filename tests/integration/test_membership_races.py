"""A kicked member's access ends, whatever response of the homeserver is on its way: a real Synapse, and a proxy."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.proxy import pass_on
from tests.support.rooms import make_room
from tests.support.viewer import Viewer
from tests.support.waiting import eventually

ACCESS_ENDS_S = 10.0
_ADDRESSES = itertools.count()


@dataclass
class DelayingProxy:
    """Pass requests on to a homeserver, and hold back its responses about a member while a test wants it."""

    target: str
    url: str = ""
    holding: bool = False
    delays: Iterator[float] = field(default_factory=lambda: itertools.repeat(0.0))
    held: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["DelayingProxy"]:
        async with aiohttp.ClientSession() as self._http:
            app = web.Application(client_max_size=2**30)
            app.router.add_route("*", "/{path:.*}", self._pass_on)
            async with TestServer(app) as server:
                self.url = str(server.make_url("")).rstrip("/")
                yield self

    async def _pass_on(self, request: web.Request) -> web.Response:
        response = await pass_on(self._http, self.target, request)
        if "/state/m.room.member/" in request.path:
            if self.holding:
                self.held.set()
                await self.release.wait()
            await asyncio.sleep(next(self.delays))
        return response


@pytest.fixture
async def proxy(spare: Installation) -> AsyncIterator[DelayingProxy]:
    async with DelayingProxy(spare.synapse.base_url).running() as proxy:
        spare.write_config(homeserver={"url": proxy.url})
        yield proxy
        await spare.kill()


async def test_a_response_of_before_a_kick_that_arrives_after_it(
    proxy: DelayingProxy, spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare, bob)
        before = await spare.viewer(http, bob, room_id)
        proxy.holding = True
        session_request = asyncio.create_task(spare.open_session(http, await bob.openid_token(), room_id))
        await asyncio.wait_for(proxy.held.wait(), 30)
        await alice.kick(room_id, bob.user_id)

        async def stored() -> bool:
            query = "SELECT FROM members WHERE room_id = $1 AND user_id = $2 AND membership = 'leave'"
            return bool(await spare.rows(query, room_id, bob.user_id))

        await eventually(stored, what="the kick being stored")
        proxy.release.set()
        status, response = await session_request
        assert (status, response["errcode"]) == (403, "M_FORBIDDEN")
        assert (await before.get(f"/api/v1/rooms/{room_id}"))[0] == 403
        assert await stored()


async def test_forty_rounds_of_joining_and_leaving(
    proxy: DelayingProxy, spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    proxy.delays = itertools.cycle((0.0, 0.005, 0.02, 0.04, 0.08))
    async with spare.running():
        room_id = await make_room(alice, spare, bob)
        for number in range(40):
            if number:
                await alice.invite(room_id, bob.user_id)
                await bob.join(room_id)
            token = await _leave_in_the_middle_of_requests(spare, http, bob, room_id)
            last = Viewer(spare.url, http, room_id, token)

            async def is_out(last: Viewer = last) -> bool:
                return (await last.get(f"/api/v1/rooms/{last.room_id}"))[0] == 403

            await eventually(is_out, seconds=ACCESS_ENDS_S, what=f"the end of access in round {number}")


async def _leave_in_the_middle_of_requests(
    reel: Installation, http: aiohttp.ClientSession, user: MatrixClient, room_id: str
) -> str:
    """Let a user leave while sessions are requested, some with a response after it; return the latest's token."""
    openid_token = await user.openid_token()
    left, tokens = asyncio.Event(), asyncio.Queue[str]()

    async def request() -> None:
        while True:
            is_last = left.is_set()
            # As from many browsers behind a proxy: not what one address may request is of interest here.
            headers = {"X-Forwarded-For": f"2001:db8:{next(_ADDRESSES):x}::1"}
            body = {"openid_token": openid_token, "room_id": room_id}
            async with http.post(f"{reel.url}/api/v1/session", json=body, headers=headers) as response:
                if response.status == 200:
                    tokens.put_nowait((await response.json())["token"])
            if is_last:
                return

    requesting = [asyncio.create_task(request()) for _ in range(4)]
    token = await asyncio.wait_for(tokens.get(), 30)
    await user.leave(room_id)
    left.set()
    await asyncio.gather(*requesting)
    while not tokens.empty():
        token = tokens.get_nowait()
    return token
