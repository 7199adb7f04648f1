#!/usr/bin/env python3
"""A detection service for Roomreel's `moderation.webhook`, to start your own from. Python's standard library alone.

It blocks files whose SHA-256 stands in a list, and holds for the room's moderators what plays longer than an hour.
Extend `judge` to examine the images.

    ROOMREEL_WEBHOOK_SECRET=… python3 verdict_webhook_example.py --port 9000 --blocked hashes.txt
"""

import argparse
import hashlib
import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_MOST_BYTES = 16 * 1024 * 1024
_LONG_S = 3600


def judge(request: dict[str, Any], blocked: set[str]) -> dict[str, str]:
    """Return the verdict on a video: `allow`, `hold` or `block`, and a reason that its sender may read.

    Where a block holds, in the video's room or in all of them, is Roomreel's `moderation.webhook.block`.
    `request["pictures"]` are the poster and the storyboard, JPEG in base64 (`data`).
    """
    if request["sha256"] in blocked:
        return {"verdict": "block", "reason": "It is on the list of this server."}
    if (request["duration"] or 0) > _LONG_S:
        return {"verdict": "hold", "reason": "It is longer than an hour."}
    return {"verdict": "allow"}


def is_signed(body: bytes, signature: str, secret: bytes) -> bool:
    """Say whether the signature is that of the secret that is shared with Roomreel."""
    return hmac.compare_digest(signature, f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}")


class _Handler(BaseHTTPRequestHandler):
    secret: bytes
    list_of_blocked: Path | None

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= _MOST_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        if not is_signed(body, self.headers.get("X-Roomreel-Signature") or "", self.secret):
            self.send_error(403)
            return
        # Read anew each time: the list is edited while we run.
        lines = self.list_of_blocked.read_text().split() if self.list_of_blocked else []
        response = json.dumps(judge(json.loads(body), set(lines))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--blocked", type=Path, help="a file of SHA-256 hashes in hexadecimal, one a line")
    arguments = parser.parse_args()
    _Handler.secret = os.environ["ROOMREEL_WEBHOOK_SECRET"].encode()
    _Handler.list_of_blocked = arguments.blocked
    ThreadingHTTPServer((arguments.host, arguments.port), _Handler).serve_forever()


if __name__ == "__main__":
    main()
