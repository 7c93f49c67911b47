"""The Helm chart as Helm renders it, into rendered.json: `make chart`, by `helm` or its engine as
a library. It is held against the schemas of the oldest Kubernetes that the chart is for and of a
new one; then the tests look at it, where there is no Helm too.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent.parent.parent / "deploy" / "helm"
RENDERED = Path(__file__).parent / "rendered.json"
KUBERNETES = ("1.27", "1.34")
FOREIGN = ("ScaledObject", "ServiceMonitor")
NEEDED: dict[str, Any] = {
    "secret": "bridge",
    "config": {"PUBLIC_URL": "https://bridge.acme.example"},
}
VALUES: dict[str, dict[str, Any]] = {
    "plain": NEEDED,
    "hpa": NEEDED
    | {
        "worker": {"autoscaling": {"by": "hpa"}},
        "serviceMonitor": True,
        "ingress": {"enabled": True, "host": "bridge.acme.example", "tlsSecret": "bridge-tls"},
    },
    "keda": NEEDED | {"worker": {"autoscaling": {"by": "keda"}}},
}


def source() -> str:
    """Of everything the chart is made of."""
    files = sorted(path for path in CHART.rglob("*") if path.is_file())
    content = b"".join(f"{one.relative_to(CHART)}\0".encode() + one.read_bytes() for one in files)
    return hashlib.sha256(content + json.dumps(VALUES).encode()).hexdigest()


def can_render() -> bool:
    return bool(shutil.which("helm") or find_spec("helm_python"))


def render(values: dict[str, Any]) -> list[Any]:
    """Every object, in the order of kind and name. Raises where the values are refused."""
    text = _by_command(values) if shutil.which("helm") else _by_library(values)
    found = [one for one in yaml.safe_load_all(text) if one]
    return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))


def _by_command(values: dict[str, Any]) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        words = ["helm", "template", "bridge", CHART, "--values", file.name]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _by_library(values: dict[str, Any]) -> str:
    import helm_python

    with helm_python.Chart.load(CHART) as chart:
        return "\n---\n".join(chart.render(values=values, name="bridge").values())


def check(made: dict[str, list[Any]]) -> None:
    """Raises at what Kubernetes would not take; kinds of other makers are not known to it."""
    import kubernetes_validate

    for one in (one for objects in made.values() for one in objects if one["kind"] not in FOREIGN):
        for version in KUBERNETES:
            kubernetes_validate.validate(one, version, strict=True)


def main() -> None:
    made = {name: render(values) for name, values in VALUES.items()}
    check(made)
    whole = {"source": source(), "rendered": made}
    RENDERED.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
