"""Where a runner's token comes from, and where it may go."""

from pathlib import Path

import pytest

from appservice.core.errors import ConfigError
from appservice.core.runners import new_token
from appservice.runner.client import Server
from appservice.runner.run import TOKEN_VARIABLE, Options, token_of

TOKEN, OTHER = new_token(), new_token()


def test_a_token_comes_from_option_file_or_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    environment = {TOKEN_VARIABLE: OTHER}
    assert token_of(Options("https://x", token_file=file), environment) == TOKEN
    assert token_of(Options("https://x", token=TOKEN), environment) == TOKEN
    assert token_of(Options("https://x"), environment) == OTHER


def test_no_token_and_what_is_none_are_refused_without_showing_it(tmp_path: Path) -> None:
    for options in (
        Options("https://x"), Options("https://x", token_file=tmp_path / "none"),
        Options("https://x", token="secret-1"),
    ):  # fmt: skip
        with pytest.raises(ConfigError) as refused:
            token_of(options, {})
        assert "secret-1" not in str(refused.value)
    assert TOKEN not in repr(Server("https://x", TOKEN))


@pytest.mark.parametrize(
    "url", ["https://example.org", "https://example.org/reel", "http://127.0.0.1:1", "http://[::1]"]
)
def test_where_a_token_may_go(url: str) -> None:
    Server(url, TOKEN).check()


@pytest.mark.parametrize(
    "url", ["http://example.org", "ftp://x", "example.org", "https://", "https://x?y", "http://10.0.0.1"]
)
def test_where_it_may_not(url: str) -> None:
    with pytest.raises(ConfigError):
        Server(url, TOKEN).check()
