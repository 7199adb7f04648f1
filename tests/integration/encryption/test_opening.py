"""Opening the bot's device: one look at whether it is there, and no new one where it is gone."""

from typing import Any, cast

import aiohttp
import pytest
from mautrix.api import HTTPAPI, Method

from appservice.core.model import UserId
from appservice.demo.client import MatrixClient
from appservice.encryption.errors import DeviceLostError
from appservice.encryption.opening import Account, Rooms, open_device
from appservice.matrix.client import HomeserverClient
from tests.support.installation import Installation


async def test_a_start_looks_only_whether_the_device_is_there(
    spare: Installation, dsn: str, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What else is wrong is looked at once, by whoever looks after it."""
    await HomeserverClient(http, spare.synapse.base_url, spare.as_token, "reel-b", UserId(spare.bot)).register()
    account = Account(
        spare.bot, spare.synapse.base_url, spare.as_token, dsn, "pickle key of the tests", "", lambda _: False
    )
    rooms = cast("Rooms", None)
    async with open_device(account, rooms, http, {}) as device:
        await device.sync(0)
        device_id = device.id
    looked: list[str] = []
    request = HTTPAPI.request

    async def counted(self: HTTPAPI, method: Method, path: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        looked.append(f"{method} {path}")
        return await request(self, method, path, *args, **options)

    monkeypatch.setattr(HTTPAPI, "request", counted)
    async with open_device(account, rooms, http, {}) as device:
        assert device.id == device_id
    assert len(looked) == 1
    assert looked[0].endswith(f"/devices/{device_id}")
    async with MatrixClient(spare.synapse.base_url, spare.as_token, spare.bot) as bot:
        path = f"/_matrix/client/v3/devices/{device_id}"
        await bot.request("DELETE", path, json={}, params={"user_id": spare.bot})
    with pytest.raises(DeviceLostError, match=device_id):
        async with open_device(account, rooms, http, {}):
            pass
