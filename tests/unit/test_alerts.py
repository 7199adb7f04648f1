"""Alert rules and dashboard name metrics that there are, with labels that they have; each alert leads to a text."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from appservice import metrics
from tests.unit.test_metrics import ours

ROOT = Path(__file__).parents[2]
_NAME = re.compile(r"\broomreel_\w+")
_SELECTOR = re.compile(r"\b(roomreel_\w+)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _panels() -> Iterator[dict[str, Any]]:
    yield from json.loads((ROOT / "deploy" / "grafana" / "roomreel.json").read_text())["panels"]


def _expressions() -> list[str]:
    in_panels = [target["expr"] for panel in _panels() for target in panel.get("targets", ())]
    return [*(rule["expr"] for rule in rules()), *in_panels]


def _served() -> dict[str, set[str]]:
    """Return the names that are served, with those of histograms' parts, and their labels."""
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    declared = {
        "roomreel_videos": {"state"}, "roomreel_storage_bytes": {"kind"}, "roomreel_database_connections": {"state"},
        "roomreel_queue_jobs": {"queue", "state"}, "roomreel_queue_oldest_seconds": {"queue"},
        "roomreel_homeserver_request_seconds": {"endpoint", "outcome"}, "roomreel_job_seconds": {"kind"},
    }  # fmt: skip
    return {
        name + part: {label for sample in metric.samples for label in sample.labels} | declared.get(name, set())
        for name, metric in ours().items()
        for part in parts.get(metric.type, ("",))
    }


def test_dashboard_and_rules_name_metrics_that_there_are() -> None:
    named = {name for expression in _expressions() for name in _NAME.findall(expression)}
    assert named <= set(_served())
    # And the dashboard shows all of them.
    shown = {name for panel in _panels() for t in panel.get("targets", ()) for name in _NAME.findall(t["expr"])}
    missing = {name for name in ours() if not any(each.startswith(name) for each in shown)}
    assert missing == set()


def test_selectors_have_labels_and_values_that_there_are() -> None:
    served = _served()
    values = {
        *metrics.FAILURE_CODES, *metrics.ENDPOINTS, *metrics.HOMESERVER_OUTCOMES, *metrics.QUEUE_STATES, metrics.OTHER,
        "stored", "refused", "failed", "broken", "used", "idle", "videos", "light", "ready",
    }  # fmt: skip
    found = [pair for expression in _expressions() for pair in _SELECTOR.findall(expression)]
    assert found
    for name, matchers in found:
        for label, _, value in _MATCHER.findall(matchers):
            assert label in served[name], (name, label)
            assert set(value.split("|")) <= values, (name, value)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_has_a_text_that_says_what_to_do(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor == rule["alert"].lower()
    assert rule["alert"] in headings
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"warning", "critical"}


def test_every_alert_is_tested() -> None:
    tested = (ROOT / "tests" / "alerts" / "rules_test.yaml").read_text()
    assert {rule["alert"] for rule in rules()} <= set(re.findall(r"\bRoomreel\w+", tested))


def test_the_dashboards_panels_lie_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _panels():
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in _panels()}) == len(list(_panels()))
