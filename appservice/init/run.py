"""Asks, looks, writes, and says what comes next; also at the first start of a container."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appservice.config import load_config
from appservice.core.errors import ConfigError
from appservice.init.files import configuration, write_both, write_one
from appservice.init.questions import (
    ADMIN,
    DATABASE,
    HOMESERVER,
    PUBLIC_URL,
    QUESTIONS,
    SERVER_NAME,
    Answers,
    Question,
    appservice_url_for,
)
from appservice.init.template import Place
from appservice.registration import render_registration

DONE, EXPLAINED = 0, 3
"""Exit codes: all is there; or something was written, and a person has to do the rest."""

_PLACES: Mapping[str, Place] = {
    SERVER_NAME: ("homeserver", "server_name"),
    HOMESERVER: ("homeserver", "url"),
    PUBLIC_URL: ("web", "public_url"),
    DATABASE: ("database", ""),
}
_APPSERVICE_URL = "ROOMREEL_APPSERVICE__URL"
_CONTAINER_URL = "http://roomreel:8470"  # by the service's name in deploy/compose
_EXAMPLE = "example.org"


@dataclass(frozen=True)
class Init:
    """One run: where files go, what was answered beforehand, and how to speak; `ask` is None where nobody is there."""

    config: Path
    registration: Path
    given: Mapping[str, str | None]
    env: Mapping[str, str]
    say: Callable[[str], None]
    ask: Callable[[str], str] | None = None

    def run(self) -> int:
        """Ask what was not given, and write both files. Raises ConfigError."""
        for file in (self.config, self.registration):
            if file.exists():
                raise ConfigError(f"{file} is there already: nothing is overwritten. Move it away first.")
        answers: dict[str, str] = {}
        for question in QUESTIONS:
            answers[question.name] = self._answer(question, answers)
        url = self._appservice_url(answers)
        self._write(answers, url)
        self.say("\n".join(self._next_steps(answers, url)))
        return DONE

    def first_start(self) -> int:
        """Write what a container lacks at its start, by its variables, and say so; do nothing once all is there."""
        if self.config.exists():
            return self._second_start()
        answers = {question.name: answer for question in QUESTIONS if (answer := self._given(question))}
        missing = [question for question in QUESTIONS if question.needed and question.name not in answers]
        url = self._given_url() or _CONTAINER_URL
        if missing:
            values = {**self._values(answers), ("appservice", "url"): url}
            write_one(self.config, configuration(values, None, None))
            unset = ", ".join(question.variable for question in missing)
            self.say(
                f"Wrote {self.config}, with secrets of its own. Fill in what is marked CHANGE there (or set {unset}), "
                "then start again: that writes the registration for the homeserver."
            )
            return EXPLAINED
        for question in QUESTIONS:
            if question.name not in answers:
                answers[question.name] = asyncio.run(question.default(answers))
        self._write(answers, url)
        self.say("\n".join(self._next_steps(answers, url)))
        return EXPLAINED

    def _second_start(self) -> int:
        """Write the registration of a configuration that somebody has filled in."""
        if self.registration.exists():
            return DONE
        config = load_config(self.config, self.env)
        if config.homeserver.server_name == _EXAMPLE:
            raise ConfigError(f"Fill in what is marked CHANGE in {self.config}, then start again.")
        try:
            write_one(self.registration, render_registration(config))
        except ConfigError:
            return DONE  # it is kept elsewhere, and this folder is not ours to write
        self.say(f"Wrote {self.registration}.\n{_to_synapse(self.registration)}\nThen start again.")
        return EXPLAINED

    # Answers

    def _given(self, question: Question) -> str | None:
        text = self.given.get(question.name) or self.env.get(question.variable) or None
        if text is None:
            return None
        try:
            return question.read(text)
        except ConfigError as error:
            raise ConfigError(f"{question.flag}: {error}") from None

    def _answer(self, question: Question, before: Answers) -> str:
        if answer := self._given(question):
            if trouble := asyncio.run(question.look({**before, question.name: answer})):
                self.say(f"Note: {trouble}")
            return answer
        default = asyncio.run(question.default(before))
        if self.ask is None:
            if not default or (question.needed and question.name != HOMESERVER):
                raise ConfigError(
                    f"There is no {question.flag}, and nobody to ask. {question.variable} may say it, too."
                )
            return default
        return self._ask(self.ask, question, before, default)

    def _ask(self, ask: Callable[[str], str], question: Question, before: Answers, default: str) -> str:
        """Ask until an answer proves true; who gives the same answer twice has it."""
        refused = None
        while True:
            try:
                text = ask(f"{question.text}{f' [{default}]' if default else ''}: ").strip() or default
            except EOFError:
                raise ConfigError(f"There was no answer. {question.flag} gives it beforehand.") from None
            try:
                answer = question.read(text)
            except ConfigError as error:
                self.say(f"  {error}")
                continue
            if answer == refused:
                return answer
            trouble = asyncio.run(question.look({**before, question.name: answer}))
            if trouble is None:
                return answer
            self.say(f"  {trouble} Another answer, or Enter to stay with this one:")
            refused = default = answer

    def _given_url(self) -> str | None:
        return self.given.get("appservice_url") or self.env.get(_APPSERVICE_URL) or None

    def _appservice_url(self, answers: Answers) -> str:
        return self._given_url() or appservice_url_for(answers[HOMESERVER])

    # Files

    def _values(self, answers: Answers) -> dict[Place, object]:
        """Return what goes into the file; not a database's address that a variable has: it may hold a password."""
        from_environment = self.given.get(DATABASE) is None and "ROOMREEL_DATABASE" in self.env
        return {
            place: answers[name]
            for name, place in _PLACES.items()
            if name in answers and not (name == DATABASE and from_environment)
        }

    def _write(self, answers: Answers, url: str) -> None:
        values = {**self._values(answers), ("appservice", "url"): url}
        if not url.startswith("http://localhost"):
            values["web", "host"] = "0.0.0.0"  # noqa: S104 - the homeserver is elsewhere
        permitted = "ROOMREEL_PERMISSIONS" in self.env and not self.given.get(ADMIN)
        admin = None if permitted else answers[ADMIN]
        text = configuration(values, admin, answers[SERVER_NAME])
        write_both(self.config, text, self.registration, self.env)

    def _next_steps(self, answers: Answers, url: str) -> list[str]:
        config = load_config(self.config, self.env)
        encrypted = config.encryption.key is not None
        return [
            f"Wrote {self.config} and {self.registration}, for their owner alone: let Synapse read the second.",
            f"Users of {answers[SERVER_NAME]} may use it; {answers[ADMIN]} is its admin (`permissions`).",
            *(
                ["Keep a copy of `encryption.key` elsewhere: without it nothing encrypted can be read."]
                if encrypted
                else []
            ),
            "Next:",
            f"1. {_to_synapse(self.registration)} It will reach Roomreel at {url}.",
            f"2. Let your reverse proxy hand {answers[PUBLIC_URL]} on to port {config.web.port} (examples in deploy/).",
            f"3. roomreel check -c {self.config}",
            f"4. roomreel serve -c {self.config}",
            f"5. Invite {config.bot} to a room, and send a video.",
        ]


def _to_synapse(registration: Path) -> str:
    return (
        f"In homeserver.yaml, name {registration} under app_service_config_files, and let the listener's resources "
        "have `openid`; restart Synapse."
    )
