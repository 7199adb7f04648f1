"""Server names and addresses: what is one, and which may be called."""

from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.errors import ForbiddenError
from appservice.matrix.discovery import Address, is_reachable, split_server_name


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("example.org", "example.org", None),
        ("example.org:8448", "example.org", 8448),
        ("EXAMPLE.org:0", "EXAMPLE.org", 0),
        ("10.0.0.1", "10.0.0.1", None),
        ("10.0.0.1:65535", "10.0.0.1", 65535),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[::1]:443", "::1", 443),
        ("[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1),
    ],
)
def test_a_server_name(name: str, host: str, port: int | None) -> None:
    assert split_server_name(name) == (host, port)


@pytest.mark.parametrize(
    "name",
    [
        "", ":8448", "example.org:", "example.org:65536", "example.org:999999", "example.org:-1", "example.org:８",
        "a b", "a/b", "user@example.org", "example.org?x", "example.org#x", "exämple.org", "a_b", "::1", "[::1", "[]",
        "[example.org]", "[fe80::1%eth0]", "example.org\n", "example.org:1:2", "https://example.org", "x" * 256,
        "a\\b", "a%2fb", "\x00",
    ],
)  # fmt: skip
def test_no_server_name(name: str) -> None:
    with pytest.raises(ForbiddenError):
        split_server_name(name)


@given(st.text(st.characters(), max_size=30))
def test_whatever_comes_is_a_server_name_or_forbidden(name: str) -> None:
    try:
        host, port = split_server_name(name)
    except ForbiddenError:
        return
    assert not set(host) & set("/?#@%\\ \t\n[]")
    assert port is None or 0 <= port <= 65535


PUBLIC = ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8"]
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",  # noqa: S104
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1", "2001:db8::1",
    "100::1",
]  # fmt: skip
DISGUISED = [
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:100.64.0.1",  # IPv4-mapped
    "::127.0.0.1", "::ffff:0:127.0.0.1",  # IPv4-compatible, IPv4-translated
    "2002:7f00:1::", "2002:a00:1::1",  # 6to4
    "64:ff9b::127.0.0.1", "64:ff9b:1::7f00:1",  # NAT64
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_reachable(address, [])


@pytest.mark.parametrize("address", PRIVATE + DISGUISED)
def test_addresses_that_are_not_the_internets(address: str) -> None:
    assert not is_reachable(address, [])


@pytest.mark.parametrize("address", DISGUISED + PRIVATE)
def test_allowing_one_network_allows_no_other(address: str) -> None:
    assert not is_reachable(address, [IPv4Network("203.0.113.0/24"), IPv6Network("fd99::/32")])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", IPv4Network("10.0.0.0/8")),
        ("::ffff:10.1.2.3", IPv4Network("10.0.0.0/8")),
        ("fd12::1", IPv6Network("fd12::/16")),
        ("127.0.0.1", IPv4Network("127.0.0.0/8")),
    ],
)
def test_a_network_that_the_config_allows(address: str, network: IPv4Network | IPv6Network) -> None:
    assert is_reachable(address, [IPv4Network("203.0.113.0/24"), network])


def test_public_addresses_stay_reachable_beside_allowed_networks() -> None:
    assert is_reachable("1.1.1.1", [IPv4Network("10.0.0.0/8")])


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_every_disguise_of_the_kernel(address: object) -> None:
    assert is_reachable(f"::ffff:{address}", []) is is_reachable(str(address), [])


def test_the_address_to_request() -> None:
    assert Address("[::1]", 8448, "::1", "[::1]").base_url == "https://[::1]:8448"
