"""A bare aiohttp handler that answers everything with the same bytes and headers: `python -m bench._bare_server`."""

import json
import sys
from pathlib import Path

from aiohttp import web


def main(port: int, body: bytes, headers: dict[str, str]) -> None:
    """Serve until terminated."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]).read_bytes(), json.loads(sys.argv[3]))
