"""`roomreel init`, at a terminal, from a script and at a container's first start: what it asks, looks at and writes."""

import asyncio
import os
import pty
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from appservice.config import load_config
from appservice.demo.synapse import Synapse
from appservice.registration import render_registration
from tests.support.command_line import roomreel
from tests.support.launch import ROOT

PUBLIC_URL = "https://localhost"


class Terminal:
    """`roomreel init` at a terminal, and what it said so far."""

    def __init__(self, process: asyncio.subprocess.Process, descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.said = ""

    async def asks(self, text: str) -> None:
        """Wait for a text, from where the last one ended."""
        async with asyncio.timeout(60):
            while text not in self.said:
                self.said += await asyncio.to_thread(self._read)
        self.said = self.said.partition(text)[2]

    def _read(self) -> str:
        return os.read(self._descriptor, 4096).decode()

    def answer(self, text: str) -> None:
        os.write(self._descriptor, f"{text}\n".encode())

    async def ends(self) -> int:
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def at_terminal(folder: Path) -> AsyncIterator[Terminal]:
    ours, theirs = pty.openpty()
    # What is started in the background ignores Ctrl-C, and a terminal is not there.
    process = await asyncio.create_subprocess_exec(
        "env", "--default-signal=INT", sys.executable, "-m", "appservice", "init", "-c", folder / "config.yaml",
        cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_five_questions_make_an_installation(synapse: Synapse, alice: object, tmp_path: Path) -> None:
    async with at_terminal(tmp_path) as terminal:
        await terminal.asks("Your homeserver's name")
        terminal.answer("https://test.local")
        await terminal.asks("is no server name")
        terminal.answer("test.local")
        await terminal.asks("Where Roomreel reaches the homeserver")
        terminal.answer("http://127.0.0.1:1")
        await terminal.asks("does not respond")
        terminal.answer(synapse.base_url)
        await terminal.asks("[https://reel.test.local]")
        terminal.answer("http://reel.example.org")
        await terminal.asks("plain http")
        terminal.answer(PUBLIC_URL)
        await terminal.asks("[@admin:test.local]")
        terminal.answer("@nobody:test.local")
        await terminal.asks("The homeserver has no user @nobody:test.local")
        terminal.answer("@alice:test.local")
        await terminal.asks("[embedded]")
        terminal.answer("postgresql://u:p@127.0.0.1:1/none")
        await terminal.asks("does not respond")
        terminal.answer("embedded")
        await terminal.asks("Next:")
        await terminal.asks("Invite @reel:test.local to a room")
        assert await terminal.ends() == 0
    assert files(tmp_path) == ["config.yaml", "registration.yaml"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    config = load_config(tmp_path / "config.yaml", {})
    assert (config.homeserver.url, config.web.public_url) == (synapse.base_url, PUBLIC_URL)
    assert config.permissions == {"test.local": "user", "@alice:test.local": "admin"}
    assert config.encryption.key is not None
    assert (tmp_path / "registration.yaml").read_text() == render_registration(config)
    # Another run has other secrets.
    tokens = {config.appservice.as_token.get_secret_value(), config.appservice.hs_token.get_secret_value()}
    assert len(tokens) == 2


async def test_an_answer_that_does_not_prove_true_stays_for_who_insists(tmp_path: Path) -> None:
    async with at_terminal(tmp_path) as terminal:
        await terminal.asks("Your homeserver's name")
        terminal.answer("test.local")
        await terminal.asks("Where Roomreel reaches the homeserver")
        terminal.answer("http://127.0.0.1:1")
        await terminal.asks("Enter to stay with this one")
        terminal.answer("")
        await terminal.asks("viewers' browsers reach Roomreel")


@pytest.mark.parametrize("question", ["Your homeserver's name", "[embedded]"])
async def test_an_interrupt_leaves_nothing(synapse: Synapse, alice: object, tmp_path: Path, question: str) -> None:
    answers = ["test.local", synapse.base_url, PUBLIC_URL, "@alice:test.local"] if question == "[embedded]" else []
    async with at_terminal(tmp_path) as terminal:
        for asked, answer in zip(
            ("homeserver's name", "reaches the homeserver", "viewers' browsers", "Matrix id"), answers, strict=False
        ):
            await terminal.asks(asked)
            terminal.answer(answer)
        await terminal.asks(question)
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ends() == 130
        await asyncio.to_thread(_drain, terminal)
        assert "Traceback" not in terminal.said
    assert files(tmp_path) == []


def _drain(terminal: Terminal) -> None:
    # A terminal that nobody writes to any more ends with an error (pty(7)).
    try:
        while True:
            terminal.said += os.read(terminal._descriptor, 4096).decode()  # noqa: SLF001 - of this test
    except OSError:
        pass


# From a script


def given(synapse: Synapse, folder: Path) -> list[str | Path]:
    return [
        "init", "-c", folder / "config.yaml", "--server-name", "test.local", "--homeserver-url", synapse.base_url,
        "--public-url", PUBLIC_URL,
    ]  # fmt: skip


async def test_flags_answer_everything(synapse: Synapse, tmp_path: Path) -> None:
    code, output, errors = await roomreel(*given(synapse, tmp_path), "--admin", "@a:b.org", "--database", "embedded")
    assert (code, errors) == (0, "")
    assert "Note:" not in output
    config = load_config(tmp_path / "config.yaml", {})
    assert config.permissions == {"test.local": "user", "@a:b.org": "admin"}
    for secret in (config.appservice.as_token, config.appservice.hs_token):
        assert secret.get_secret_value() not in output


async def test_nothing_is_overwritten(synapse: Synapse, tmp_path: Path) -> None:
    for name in ("registration.yaml", "config.yaml"):
        (tmp_path / name).write_text("mine")
        code, _, errors = await roomreel(*given(synapse, tmp_path))
        assert code == 2
        assert f"{name} is there already" in errors
        assert files(tmp_path) == [name]
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--server-name", "a b"], "--server-name: 'a b' is no server name"),
        (["--public-url", "reel"], "--public-url: 'reel' is no address"),
        (["--admin", "me"], "--admin: 'me' is no Matrix id"),
        (["--database", "mysql://u:pass-word@h/d"], "--database: A database is `embedded`"),
        (["-r", "/none/registration.yaml"], "Nothing can be written to /none"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_left(
    synapse: Synapse, tmp_path: Path, more: list[str], said: str
) -> None:
    code, output, errors = await roomreel(*given(synapse, tmp_path), *more)
    assert (code, output) == (2, "")
    assert said in errors
    assert "pass-word" not in errors
    assert files(tmp_path) == []


async def test_a_missing_answer_is_named(tmp_path: Path) -> None:
    code, _, errors = await roomreel("init", "-c", tmp_path / "config.yaml", "--server-name", "test.invalid")
    assert code == 2
    assert "ROOMREEL_HOMESERVER__URL may say it, too" in errors


# The first start of a container

VARIABLES = {
    "ROOMREEL_HOMESERVER__SERVER_NAME": "test.local",
    "ROOMREEL_HOMESERVER__URL": "http://synapse:8008",
    "ROOMREEL_WEB__PUBLIC_URL": "https://reel.test.local",
    "ROOMREEL_DATABASE": "postgresql://roomreel:pass-word@database/roomreel",
}


async def start(folder: Path, **env: str) -> tuple[int, str]:
    code, output, errors = await roomreel("init", "--first-start", "-c", folder / "config.yaml", env=env)
    return code, output + errors


async def test_the_first_start_writes_both_and_the_second_goes_on(tmp_path: Path) -> None:
    code, said = await start(tmp_path, **VARIABLES)
    assert code == 3
    assert "app_service_config_files" in said
    assert files(tmp_path) == ["config.yaml", "registration.yaml"]
    text = (tmp_path / "config.yaml").read_text()
    assert "pass-word" not in text + said
    registration = yaml.safe_load((tmp_path / "registration.yaml").read_text())
    assert registration["url"] == "http://roomreel:8470"
    config = load_config(tmp_path / "config.yaml", VARIABLES)
    assert registration["as_token"] == config.appservice.as_token.get_secret_value()
    assert config.database == VARIABLES["ROOMREEL_DATABASE"]
    assert await start(tmp_path, **VARIABLES) == (0, "")
    assert (tmp_path / "config.yaml").read_text() == text


async def test_a_first_start_without_variables_is_filled_in_by_hand(tmp_path: Path) -> None:
    code, said = await start(tmp_path)
    assert code == 3
    assert "Fill in what is marked CHANGE" in said
    assert files(tmp_path) == ["config.yaml"]
    code, said = await start(tmp_path)
    assert code == 2
    assert "Fill in what is marked CHANGE" in said
    assert files(tmp_path) == ["config.yaml"]
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("example.org", "test.local"))
    code, said = await start(tmp_path)
    assert code == 3
    assert files(tmp_path) == ["config.yaml", "registration.yaml"]
    assert (tmp_path / "registration.yaml").read_text() == render_registration(load_config(file, {}))
    assert await start(tmp_path) == (0, "")


async def test_a_registration_that_is_kept_elsewhere_is_not_missed(tmp_path: Path) -> None:
    await start(tmp_path, **VARIABLES)
    code, output, errors = await roomreel(
        "init", "--first-start", "-c", tmp_path / "config.yaml", "-r", "/none/registration.yaml", env=VARIABLES
    )
    assert (code, output, errors) == (0, "", "")
