"""The manifests in infra/k8s, read; no cluster is needed."""

from pathlib import Path
from typing import Any

import yaml

from tests.unit.infra.compose_project import ROOT

FOLDER = ROOT / "infra" / "k8s"

Manifest = dict[str, Any]


def documents(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


KUSTOMIZATION: Manifest = documents(FOLDER / "kustomization.yaml")[0]
ADAPTER: Manifest = documents(FOLDER / "prometheus-adapter.values.yaml")[0]
MANIFESTS = [each for name in KUSTOMIZATION["resources"] for each in documents(FOLDER / name)]


def manifest(kind: str, name: str) -> Manifest:
    (found,) = [m for m in MANIFESTS if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def pod(name: str) -> Manifest:
    spec: Manifest = manifest("Deployment", name)["spec"]["template"]["spec"]
    return spec


def container(name: str) -> Manifest:
    (only,) = pod(name)["containers"]
    return dict(only)


def configured() -> dict[str, str]:
    """Environment of all pods."""
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    return dict(literal.split("=", 1) for literal in generated["literals"])


def environment(name: str) -> dict[str, str]:
    """Of a pod; what comes from a secret is stood for by the secret's name."""
    own = {
        each["name"]: each["value"]
        if "value" in each
        else each["valueFrom"]["secretKeyRef"]["name"]
        for each in container(name)["env"]
    }
    return configured() | own


def cores(quantity: str) -> float:
    """ "600m" are 0.6."""
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
