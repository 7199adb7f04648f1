"""A real nginx: with deploy/nginx.conf in front of a service, or bare in front of a folder."""

import asyncio
import contextlib
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_STARTUP_S = 20

# One worker. The temporary folders are where it runs, for it may run as anybody.
_WHOLE = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 1024; }}
http {{
    include /etc/nginx/mime.types;
    sendfile on;
    tcp_nopush on;
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{content}
}}
"""


def bare(port: int, root: Path) -> str:
    """Return a server of files, and nothing else."""
    return f"server {{ listen 127.0.0.1:{port}; root {root}; }}"


def deployed(port: int, upstream: int, media: Path, folder: Path) -> str:
    """Return deploy/nginx.conf with its addresses and folders changed, and without TLS."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    text = re.sub(r"(?m)^ *(?:listen \[::\]|ssl_certificate).*\n", "", text)
    for there, here in (
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port};"),
        ("server 127.0.0.1:8470;", f"server 127.0.0.1:{upstream};"),
        ("/var/lib/roomreel/media/", f"{media}/"),
        ("/var/cache/roomreel-access", f"{folder}/cache"),
    ):
        text = text.replace(there, here)
    return text


@asynccontextmanager
async def nginx(folder: Path, port: int, content: str, *, runs_in: tuple[str, ...] = ()) -> AsyncIterator[str]:
    """Run nginx with a configuration's `http` until the context ends; yield its URL. `folder` is its own."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else its worker cannot read a test's folder
    file.write_text(_WHOLE.format(folder=folder, user=user, content=content))
    # Debian has it where only root's PATH leads.
    path = f"{os.environ['PATH']}:/usr/sbin"
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *runs_in, "nginx", "-p", folder, "-c", file, stdout=output, stderr=output, env={**os.environ, "PATH": path}
        )
    try:
        async with asyncio.timeout(_STARTUP_S):
            while not _listens(port):
                assert process.returncode is None, (folder / "output").read_text()
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
