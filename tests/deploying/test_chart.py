"""The Helm chart: what it renders to is closed, fits together, and names what there is."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from typer.main import get_command

from app.cli import app as bridge
from app.settings import Settings
from tests.deploying.render_chart import CHART, NEEDED, RENDERED, VALUES, can_render, render, source

ROOT = CHART.parent.parent
KEPT = json.loads(RENDERED.read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
NAMES = {name.upper() for name in Settings.model_fields}
ROLES = {"api", "worker", "sweeper", "listener"}
HELM = pytest.mark.skipif(not can_render(), reason="there is no helm here")


def objects(kind: str, values: str = "plain") -> dict[str, Any]:
    """By name."""
    found = [one for one in KEPT["rendered"][values] if one["kind"] == kind]
    return {one["metadata"]["name"]: one for one in found}


def pods() -> Iterator[tuple[str, Any, Any]]:
    """Role, pod, and its only container."""
    for one in objects("Deployment").values():
        pod = one["spec"]["template"]
        [container] = pod["spec"]["containers"]
        yield pod["metadata"]["labels"]["app.kubernetes.io/component"], pod, container


def test_what_is_looked_at_here_is_the_chart_as_it_stands() -> None:
    assert KEPT["source"] == source(), "the chart has changed: run `make chart`"


@HELM
@pytest.mark.parametrize("name", VALUES)
def test_helm_renders_what_is_kept(name: str) -> None:
    assert render(VALUES[name]) == KEPT["rendered"][name]


@HELM
@pytest.mark.parametrize(
    "change",
    [
        {"secret": ""},
        {"config": {"PUBLIC_URL": ""}},
        {"config": NEEDED["config"] | {"ADMIN_KEY": "canary"}},
        {"workers": {"replicas": 2}},
        {"ingress": {"enabled": True}},
    ],
    ids=str,
)
def test_values_that_cannot_be_right_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"schema|specifications|non-zero"):
        render(NEEDED | change)


def test_each_process_runs_its_command_closed_in_and_is_probed() -> None:
    commands = set(get_command(bridge).commands)  # type: ignore[attr-defined]
    assert {role for role, _, _ in pods()} == ROLES <= commands
    for role, pod, container in pods():
        assert container["args"] == [role]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert container["resources"]["limits"]["memory"]
        mounted = {one["mountPath"] for one in container["volumeMounts"]}
        variables = {one["name"]: one["value"] for one in container["env"]}
        assert variables["VAR_DIR"] in mounted
        assert ("livenessProbe" in container) == (role != "listener")
        if role == "api":
            assert container["readinessProbe"]["httpGet"]["path"] == "/health"
        elif role != "listener":
            assert container["livenessProbe"]["exec"]["command"] == ["bridge", "alive", role]


def test_secrets_come_by_reference_and_every_name_is_read() -> None:
    for _, _, container in pods():
        [config, secret] = container["envFrom"]
        assert config["configMapRef"]["name"] in objects("ConfigMap")
        assert secret == {"secretRef": {"name": "bridge"}}
        assert {one["name"] for one in container["env"]} <= NAMES
    assert objects("Secret") == {}
    refused = set(SCHEMA["properties"]["config"]["propertyNames"]["not"]["enum"])
    secret_fields = {
        name.upper()
        for name, one in Settings.model_fields.items()
        if one.annotation is SecretStr or name == "encryption_keys"
    }
    assert secret_fields | {"DATABASE_URL", "REDIS_URL"} <= refused <= NAMES
    [config] = objects("ConfigMap").values()
    assert set(config["data"]) <= NAMES - refused


def test_each_process_has_a_budget_and_every_selector_finds_its_pods() -> None:
    labels = {role: pod["metadata"]["labels"] for role, pod, _ in pods()}

    def found(selector: dict[str, str]) -> set[str]:
        return {role for role, given in labels.items() if selector.items() <= given.items()}

    for name, one in objects("Deployment").items():
        assert found(one["spec"]["selector"]["matchLabels"]) == {name.removeprefix("bridge-")}
    budgets = objects("PodDisruptionBudget")
    assert {name.removeprefix("bridge-") for name in budgets} == ROLES
    for name, one in budgets.items():
        assert found(one["spec"]["selector"]["matchLabels"]) == {name.removeprefix("bridge-")}
        assert one["spec"]["maxUnavailable"] == 1
    assert found(objects("Service")["bridge"]["spec"]["selector"]) == {"api"}
    everybody, doors = objects("NetworkPolicy").values()
    assert found(everybody["spec"]["podSelector"]["matchLabels"]) == ROLES
    assert found(doors["spec"]["podSelector"]["matchLabels"]) == {"api"}


def test_nobody_comes_in_but_to_the_api_and_out_goes_what_is_needed() -> None:
    everybody, doors = objects("NetworkPolicy").values()
    assert everybody["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in everybody["spec"]
    ports = {port["port"] for rule in everybody["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 443, 465, 587, 5432, 6379}
    [way_in] = doors["spec"]["ingress"]
    assert [port["port"] for port in way_in["ports"]] == ["http"]


@pytest.mark.parametrize(
    ("values", "kind"), [("hpa", "HorizontalPodAutoscaler"), ("keda", "ScaledObject")]
)
def test_workers_are_scaled_by_waiting_work_and_by_nobody_else(values: str, kind: str) -> None:
    [scaler] = objects(kind, values).values()
    workers = objects("Deployment", values)["bridge-worker"]
    assert scaler["spec"]["scaleTargetRef"]["name"] == workers["metadata"]["name"]
    assert "replicas" not in workers["spec"]
    [figure] = set(re.findall(r"bridge_[a-z_]+", json.dumps(scaler["spec"])))
    assert f'"{figure}"' in (ROOT / "app" / "metrics.py").read_text()
    assert objects(kind, "plain") == {}


def test_from_outside_figures_lead_nowhere() -> None:
    [ingress] = objects("Ingress", "hpa").values()
    [rule] = ingress["spec"]["rules"]
    paths = {one["path"]: one["backend"]["service"]["name"] for one in rule["http"]["paths"]}
    assert paths == {"/metrics": "bridge-closed", "/ready": "bridge-closed", "/": "bridge"}
    assert "selector" not in objects("Service", "hpa")["bridge-closed"]["spec"]


def test_the_chart_is_of_the_version_that_is_described() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert chart["version"] == chart["appVersion"] == newest[1]
