"""What operators take from deploy/: it is valid, and what it configures is what Roomreel reads."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from appservice.config import load_config
from appservice.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "docker-compose.yaml"
GIVEN = {
    "SERVER_NAME": "chat.example", "PUBLIC_URL": "https://reel.chat.example", "ADMIN": "@root:chat.example",
    "POSTGRES_PASSWORD": "a1b2",
}  # fmt: skip


def _compose() -> dict[str, Any]:
    """Return the compose file with the variables of .env in it, as `docker compose config` has it."""
    text = re.sub(r"\$\{(\w+)(?::\?[^}]*)?}", lambda match: GIVEN[match[1]], COMPOSE.read_text())
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_the_compose_file_is_one() -> None:
    schema = json.loads((ROOT / "tests" / "deploy" / "compose-spec.json").read_text())
    jsonschema.validate(_compose(), schema, jsonschema.Draft7Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"roomreel": {"imag": "roomreel"}}}, schema, jsonschema.Draft7Validator)


def test_its_variables_are_those_that_the_example_has() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    assert wanted == set(re.findall(r"(?m)^(\w+)=", (COMPOSE.parent / "env.example").read_text())) == set(GIVEN)
    for name in wanted:
        assert f"${{{name}:?" in COMPOSE.read_text(), f"without {name} it says so"


def test_its_environment_configures_roomreel(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump({"appservice": {"url": "http://roomreel:8470", "as_token": "a" * 40, "hs_token": "b" * 40}})
    )
    services = _compose()["services"]
    config = load_config(tmp_path / "config.yaml", services["roomreel"]["environment"])
    assert (config.homeserver.server_name, config.web.public_url) == ("chat.example", "https://reel.chat.example")
    assert config.permissions == {"chat.example": "user", "@root:chat.example": "admin"}
    assert config.database == "postgresql://roomreel:a1b2@database/roomreel"
    assert services["migrate"]["environment"] == services["roomreel"]["environment"]


def test_what_it_mounts_is_there_and_synapse_reads_what_roomreel_writes() -> None:
    content = _compose()
    for service in content["services"].values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (COMPOSE.parent / source).exists() if source.startswith(".") else source in content["volumes"]
    synapse = yaml.safe_load((COMPOSE.parent / "synapse.yaml").read_text())
    assert synapse["app_service_config_files"] == ["/roomreel/registration.yaml"]
    assert "roomreel:/roomreel:ro" in content["services"]["synapse"]["volumes"]
    assert "roomreel:/data" in content["services"]["roomreel"]["volumes"]


def _kubernetes(*names: str) -> list[dict[str, Any]]:
    return [each for name in names for each in yaml.safe_load_all((DEPLOY / "kubernetes" / f"{name}.yaml").read_text())]


def test_the_config_map_and_the_secret_configure_roomreel(tmp_path: Path) -> None:
    (config_map, *_) = _kubernetes("base")
    (secret,) = _kubernetes("secret.example")
    (tmp_path / "config.yaml").write_text(config_map["data"]["config.yaml"])
    ours = {name: value for name, value in secret["stringData"].items() if name.startswith("ROOMREEL_")}
    with pytest.raises(ConfigError, match="everybody knows"):
        load_config(tmp_path / "config.yaml", ours)
    ours |= {"ROOMREEL_APPSERVICE__AS_TOKEN": "a" * 40, "ROOMREEL_APPSERVICE__HS_TOKEN": "b" * 40}
    config = load_config(tmp_path / "config.yaml", ours)
    assert config.storage.url == "s3://roomreel/media"
    assert config.database_direct is not None
    web, worker = (each for each in _kubernetes("web", "worker") if each["kind"] == "Deployment")
    grace = web["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > config.web.drain + 10
    for each in (web, worker):
        pod = each["spec"]["template"]["spec"]
        for container in [*pod["containers"], *pod["initContainers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert {"secretRef": {"name": secret["metadata"]["name"]}} in container["envFrom"]
        ports = {port["name"] for port in pod["containers"][0]["ports"]}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert pod["containers"][0][probe]["httpGet"]["port"] in ports
        assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]


def test_what_selects_pods_selects_some() -> None:
    documents = _kubernetes("base", "web", "worker")
    labels = [each["spec"]["selector"]["matchLabels"] for each in documents if each["kind"] == "Deployment"]
    for each in documents:
        if each["kind"] == "Service":
            assert each["spec"]["selector"] in labels
        if each["kind"] == "PodDisruptionBudget":
            assert each["spec"]["selector"]["matchLabels"] in labels
    names = [each["metadata"]["name"] for each in documents if each["kind"] == "Deployment"]
    (scaler,) = (each for each in documents if each["kind"] == "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["name"] in names
    assert (DEPLOY / "kubernetes" / "kustomization.yaml").exists()
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    assert kustomization["resources"] == ["base.yaml", "web.yaml", "worker.yaml", "secret.yaml"]


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        (["serve", "-c", "/data/c.yaml"], ["init --first-start -c /data/c.yaml", "serve -c /data/c.yaml"]),
        (["work", "-c", "/etc/x.yaml"], ["init --first-start -c /etc/x.yaml", "work -c /etc/x.yaml"]),
        (["check", "-c", "/data/config.yaml"], ["check -c /data/config.yaml"]),
        (["--version"], ["--version"]),
    ],
)  # fmt: skip
def test_a_container_writes_what_is_missing_before_it_serves(
    tmp_path: Path, arguments: list[str], started: list[str]
) -> None:
    program = tmp_path / "roomreel"
    program.write_text('#!/bin/sh\necho "$*"\n')
    program.chmod(0o755)
    run = subprocess.run(
        [DEPLOY / "container-start.sh", *arguments],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.splitlines() == started


def test_a_container_ends_where_something_is_to_be_done_first(tmp_path: Path) -> None:
    program = tmp_path / "roomreel"
    program.write_text('#!/bin/sh\necho "$1"\nexit 3\n')
    program.chmod(0o755)
    run = subprocess.run(
        [DEPLOY / "container-start.sh", "serve"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (3, "init\n")


def test_traefik_sends_what_is_of_the_homeserver_from_it_alone() -> None:
    content = yaml.safe_load((DEPLOY / "traefik" / "roomreel.yaml").read_text())["http"]
    for router in content["routers"].values():
        assert router["service"] in content["services"]
        assert set(router.get("middlewares", ())) <= set(content["middlewares"])
    (homeserver,) = (each for each in content["routers"].values() if "/_matrix/app/" in each["rule"])
    assert homeserver["middlewares"] == ["from-homeserver"]
