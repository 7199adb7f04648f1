"""`roomreel check` behind a real nginx: what its configuration takes from viewers is found, and what to write there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appservice.demo.synapse import free_port
from tests.support.command_line import findings
from tests.support.installation import Installation
from tests.support.nginx import bare, deployed, nginx

GOOD = "client_max_body_size 0; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"


@pytest.fixture
def twin(reel: Installation, tmp_path: Path) -> Installation:
    """A second configuration of the running Roomreel, for tests to put a proxy before."""
    twin = Installation(tmp_path / "twin", reel.synapse, dict(reel.settings))
    twin.folder.mkdir()
    twin.write_config()
    return twin


@asynccontextmanager
async def behind(installation: Installation, settings: str, *, listen: str = "", to: int = 0) -> AsyncIterator[str]:
    """Put an nginx with these settings before an installation, whose public URL becomes its."""
    port = free_port()
    upstream = to or installation.settings["web"]["port"]
    content = f"""
        server {{
            listen 127.0.0.1:{port} {listen};
            {settings}
            location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
        }}"""
    async with nginx(installation.folder / "nginx", port, content):
        scheme = "https" if listen else "http"
        installation.write_config(web={"public_url": f"{scheme}://127.0.0.1:{port}"})
        yield installation.settings["web"]["public_url"]


async def troubles(installation: Installation) -> dict[str, tuple[str, str]]:
    """Return what is not well between viewers and us."""
    _, found = await findings(installation)
    return {part: how for part, how in found.items() if how[0] != "ok"}


async def test_our_nginx_is_well_with_the_service_and_without(
    reel: Installation, spare: Installation, twin: Installation, tmp_path: Path
) -> None:
    for installation in (twin, spare):
        port, upstream = free_port(), urlsplit(reel.url if installation is twin else spare.url).port
        assert upstream
        folder = tmp_path / f"nginx-{port}"
        async with nginx(folder, port, deployed(port, upstream, installation.media, folder)):
            installation.write_config(web={"public_url": f"http://127.0.0.1:{port}"})
            _, found = await findings(installation)
        assert {part: how for part, how in found.items() if how[0] != "ok"} == {}
        assert found["proxy"][1] == "127.0.0.1 is trusted to say whose requests it hands on"


@pytest.mark.parametrize(
    ("settings", "part", "verdict", "advice"),
    [
        (f"{GOOD} add_header X-Frame-Options SAMEORIGIN;", "widget page", "FAIL", "`X-Frame-Options: SAMEORIGIN`"),
        (
            f"{GOOD} add_header Content-Security-Policy \"default-src https:; frame-ancestors 'self'\";",
            "widget page",
            "FAIL",
            "`frame-ancestors 'self'`",
        ),
        (
            f"{GOOD} add_header Content-Security-Policy \"default-src 'self'\";",
            "widget page",
            "warn",
            "`default-src 'self'`",
        ),
        (f"{GOOD} proxy_hide_header Content-Security-Policy;", "widget page", "warn", "let it pass"),
        (f"{GOOD} proxy_ignore_headers X-Accel-Buffering;", "event stream", "FAIL", "`proxy_buffering off;"),
        (GOOD.replace("client_max_body_size 0;", ""), "uploads", "FAIL", "`client_max_body_size 0;`"),
        (f'{GOOD} proxy_set_header Range "";', "ranges", "FAIL", "Range and If-Range"),
        (
            'client_max_body_size 0; proxy_set_header X-Forwarded-For "";',
            "proxy",
            "warn",
            "says nobody's X-Forwarded-For",
        ),
        ("client_max_body_size 0;", "proxy", "warn", "as it is"),
        (
            'client_max_body_size 0; proxy_set_header X-Forwarded-For ""; proxy_set_header X-Real-IP $remote_addr;',
            "proxy",
            "warn",
            "(X-Real-IP does not count)",
        ),
        (f"{GOOD} location /media/ {{ return 404; }}", "ranges", "FAIL", "answers 404 for /media/check"),
        (
            f"{GOOD} location /api/v1/uploads {{ limit_except GET POST {{ deny all; }} }}",
            "uploads",
            "FAIL",
            "hand on all paths and methods",
        ),
    ],
)
async def test_check_names_what_the_proxy_spoils(
    twin: Installation, settings: str, part: str, verdict: str, advice: str
) -> None:
    async with behind(twin, settings):
        found = await troubles(twin)
    assert list(found) == [part]
    assert found[part][0] == verdict
    assert advice in found[part][1]


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ("return 301 https://www.example.org$request_uri;", "redirects to https://www.example.org"),
        ('auth_basic "private"; auth_basic_user_file /dev/null;', "demands a password"),
        ("rewrite ^ /elsewhere$uri break;", "another release"),
        ("return 200 'Welcome to nginx!';", "leads to something else than Roomreel"),
    ],
)
async def test_check_of_an_address_that_leads_elsewhere(twin: Installation, settings: str, advice: str) -> None:
    async with behind(twin, settings):
        found = await troubles(twin)
    assert list(found) == ["proxy"]
    assert advice in found["proxy"][1]


async def test_check_of_a_proxy_that_does_not_reach_us(twin: Installation) -> None:
    async with behind(twin, GOOD, to=1):
        found = await troubles(twin)
    assert found["proxy"][0] == "FAIL"
    assert "let it hand on to 127.0.0.1" in found["proxy"][1]


async def test_check_of_another_server_at_our_address(twin: Installation, tmp_path: Path) -> None:
    port = free_port()
    async with nginx(tmp_path / "nginx", port, bare(port, tmp_path)) as url:
        twin.write_config(web={"public_url": url})
        found = await troubles(twin)
    assert "leads to something else than Roomreel" in found["proxy"][1]


async def test_check_of_a_service_with_another_configuration(twin: Installation) -> None:
    twin.write_config(appservice={"hs_token": "not-the-one-that-the-service-has"})
    found = await troubles(twin)
    assert "before its configuration changed" in found["proxy"][1]


@pytest.mark.parametrize("trusted", [False, True])
async def test_check_of_a_proxy_that_is_not_trusted(spare: Installation, *, trusted: bool) -> None:
    spare.write_config(web={"trusted_proxies": ["127.0.0.0/8"] if trusted else ["192.0.2.0/24"]})
    async with behind(spare, GOOD):
        found = await troubles(spare)
    assert ("Add 127.0.0.1 there." in found.get("proxy", ("", ""))[1]) is not trusted
    assert list(found) == ([] if trusted else ["proxy"])


async def test_check_of_a_certificate_that_nobody_trusts(twin: Installation) -> None:
    file = twin.folder / "tls.pem"
    file.write_bytes(_self_signed("127.0.0.1"))
    settings = f"{GOOD} ssl_certificate {file}; ssl_certificate_key {file};"
    async with behind(twin, settings, listen="ssl") as url:
        found = await troubles(twin)
    assert found["proxy"][0] == "FAIL"
    assert f"the certificate of {url} is not valid" in found["proxy"][1]


def _self_signed(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
