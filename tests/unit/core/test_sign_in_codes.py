"""Codes: what is shown can be typed in any way people type, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appservice.core.sign_in_codes import SIGN_OUT_COMMAND, browser_of, command_of, is_sign_out, new_code, sign_in_code


def test_a_code_is_long_enough_and_has_no_look_alikes() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert {len(code) for code in codes} == {8}
    assert not set("".join(codes)) & set("01OILU")


def test_the_command_says_its_code() -> None:
    code = new_code()
    assert sign_in_code(command_of(code)) == code


@pytest.mark.parametrize(
    "body",
    [
        "!reel sign-in ABCD2345", "!REEL Sign-In abcd2345", "  !reel\tsign-in  ABCD2345\n", "!reel sign-in ABCD-2345",
        "!reel sign-in abcd 2345", "!reel sign-in `ABCD2345`", "!reel sign-in ABCD\u00a02345.",
    ],
)  # fmt: skip
def test_a_code_as_people_send_it(body: str) -> None:
    assert sign_in_code(body) == "ABCD2345"


@pytest.mark.parametrize("body", ["!reel sign-in", "!reel sign-in ", "!reel sign-in ABCD234567", "!reel sign-in ß\x00"])
def test_a_wrong_code_is_one_that_never_fits(body: str) -> None:
    code = sign_in_code(body)
    assert code is not None
    assert len(code) != 8


@pytest.mark.parametrize("body", ["", "!reel", "!reel help", "reel sign-in ABCD2345", "> !reel sign-in ABCD2345"])
def test_other_messages(body: str) -> None:
    assert sign_in_code(body) is None
    assert not is_sign_out(body)


def test_signing_out() -> None:
    assert is_sign_out(SIGN_OUT_COMMAND)
    assert is_sign_out(" !Reel  SIGN-OUT\n")
    assert not is_sign_out(f"{SIGN_OUT_COMMAND} please")


@given(st.text())
def test_whatever_is_sent_the_database_takes_it(tail: str) -> None:
    code = sign_in_code(f"!reel sign-in {tail}")
    assert code is not None
    assert code.isascii()
    assert code.isalnum() or not code


@pytest.mark.parametrize(
    ("user_agent", "browser"),
    [
        ("Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "Firefox, Android"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36", "Chrome, Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605.1.15 Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("<b>@room</b>", ""),
    ],
)  # fmt: skip
def test_browsers_by_what_they_say(user_agent: str, browser: str) -> None:
    assert browser_of(user_agent) == browser
