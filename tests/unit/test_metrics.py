"""The metrics: all are documented, and no label takes a value that others choose."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, Counter
from prometheus_client.metrics_core import Metric

from appservice import metrics
from appservice.core.rules.quotas import QuotaScope
from tests.unit.test_i18n import failure_codes

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
_ROW = re.compile(r"^\| `(roomreel_\w+)` \| (\w+) \|([^|]*)\| (process|installation) \|", re.MULTILINE)


def ours() -> dict[str, Metric]:
    """Return our metrics, by the names that a scrape has them by, without the suffixes of histograms."""
    suffixes = {"counter": "_total", "info": "_info"}
    return {
        f"{metric.name}{suffixes.get(metric.type, '')}": metric
        for metric in REGISTRY.collect()
        if metric.name.startswith("roomreel_")
    }


def _labels(metric: Metric) -> set[str]:
    return {name for sample in metric.samples for name in sample.labels if name != "le"}


def test_every_metric_is_documented_with_type_and_labels() -> None:
    documented = {name: (kind, labels) for name, kind, labels, _ in _ROW.findall(DOCUMENT.read_text())}
    there = ours()
    assert sorted(documented) == sorted(there)
    for name, (kind, labels) in documented.items():
        assert kind == {"info": "gauge"}.get(there[name].type, there[name].type), name
        named = re.findall(r"`(\w+)`", labels)
        # A gauge that nobody has read has no samples yet, nor has a histogram with labels.
        if there[name].samples:
            assert set(named) == _labels(there[name]), name


def test_every_documented_value_is_one_that_is_declared() -> None:
    for name, _, labels, _ in _ROW.findall(DOCUMENT.read_text()):
        for label, values in re.findall(r"`(\w+)`: ([\w, ]+)", labels):
            there = {sample.labels[label] for sample in ours()[name].samples if label in sample.labels}
            if there:
                assert there - {metrics.OTHER} == set(values.strip().split(", ")), (name, label)


def test_names_follow_the_conventions() -> None:
    for name, metric in ours().items():
        assert re.fullmatch(r"roomreel_[a-z_]+", name)
        if metric.type == "histogram":
            assert name.endswith("_seconds")
        assert name.endswith("_total") == (metric.type == "counter")
        assert not re.search(r"_(ms|millis|minutes|mb|mib|percent)\b", name)


def test_nobody_makes_a_label() -> None:
    counter = metrics.Labelled(Counter("of_this_test_total", "x", ["code", "kind"], registry=None), ("a", "b"), ("c",))
    counter.labels("@alice:example.org", "c").inc()
    counter.labels("<script>", "../../etc").inc()
    counter.labels("a", kind="c").inc()
    counter.labels(code="b", kind="c").inc()
    (collected,) = counter.labels("a", "c").collect()
    assert [sample.value for sample in collected.samples if sample.name.endswith("_total")] == [1.0]
    with pytest.raises(ValueError, match="zip"):
        counter.labels("a")


def test_every_failure_code_is_a_label_of_its_own() -> None:
    assert failure_codes() | {f"quota-{scope}" for scope in QuotaScope} == set(metrics.FAILURE_CODES)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/_matrix/client/v3/rooms/%21a%3Ab/send/m.room.message/txn", "send"),
        ("/_matrix/client/v3/rooms/%21a%3Ab/state", "state"),
        ("/_matrix/client/v1/rooms/%21a%3Ab/relations/%24e/m.thread/m.room.message", "relations"),
        ("/_matrix/client/v3/rooms/%2F..%2Fsend%2F/evil/x", "other"),
        ("/_matrix/client/v3/join/%21a%3Ab", "join"),
        ("/_matrix/client/v3/profile/%40send%3Ab/displayname", "profile"),
        ("/_matrix/client/v3/createRoom", "create_room"),
        ("/_matrix/client/v1/appservice/reel/ping", "ping"),
        ("/_matrix/client/v1/media/download/example.org/abc", "download"),
        ("/_matrix/client/v1/media/config", "media"),
        ("/_matrix/media/v3/upload/example.org/abc", "upload"),
        ("/_matrix/media/v1/create", "media"),
        ("/synapse/_matrix/client/v3/sync", "sync"),
        ("/_matrix/client/v3/keys/query", "keys"),
        ("/_synapse/admin/v1/media/example.org/abc", "other"),
        ("/_matrix/client", "other"),
        ("/", "other"),
        ("", "other"),
    ],
)
def test_an_endpoints_class_is_by_its_place(path: str, endpoint: str) -> None:
    assert metrics.endpoint_of(path) == endpoint
