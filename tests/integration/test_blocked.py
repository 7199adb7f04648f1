"""Whom the configuration blocks is let in by nothing, nor by what they had before."""

import aiohttp

from appservice.demo.client import MatrixClient
from tests.support.installation import Installation
from tests.support.rooms import make_room


async def test_a_blocked_member_has_no_session_and_sends_nothing(
    spare: Installation, http: aiohttp.ClientSession, alice: MatrixClient, bob: MatrixClient
) -> None:
    async with spare.running():
        room_id = await make_room(alice, spare, bob)
        viewer = await spare.viewer(http, bob, room_id)
        code = await _code(spare, http, room_id)
    spare.write_config(permissions={"*": "user", bob.user_id: "blocked"})
    async with spare.running():
        status, error = await spare.open_session(http, await bob.openid_token(), room_id)
        assert (status, error["errcode"]) == (403, "M_FORBIDDEN")
        headers = {"Authorization": f"Bearer {viewer.token}", "Tus-Resumable": "1.0.0", "Upload-Length": "10"}
        for method, path in (
            ("GET", f"rooms/{room_id}"), ("GET", f"rooms/{room_id}/events"), ("POST", "uploads"),
            ("PUT", f"rooms/{room_id}/watching"),
        ):  # fmt: skip
            async with http.request(
                method, f"{spare.url}/api/v1/{path}", headers=headers, json={"watching": True}
            ) as response:
                assert response.status == 403, path
        # Nor by a code that they send: the browser that shows it waits in vain.
        await bob.send_text(room_id, code["command"])
        body = {"sign_in": code["secret"], "room_id": room_id}
        async with http.post(f"{spare.url}/api/v1/session", json=body) as response:
            assert response.status == 202
        status, _ = await spare.open_session(http, await alice.openid_token(), room_id)
        assert status == 200


async def _code(reel: Installation, http: aiohttp.ClientSession, room_id: str) -> dict[str, str]:
    async with http.post(f"{reel.url}/api/v1/sign-in", json={"room_id": room_id}) as response:
        assert response.status == 200
        sign_in: dict[str, str] = await response.json()
        return sign_in
