"""What `kubectl kustomize` makes of a folder, as far as deploy/kubernetes uses it; no cluster is needed.

Anything else in a kustomization is refused, rather than left out.
"""

import copy
import re
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]
UNDERSTOOD = {"apiVersion", "kind", "namespace", "resources", "images", "patches"}


def rendered(folder: Path) -> list[Document]:
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := told.keys() - UNDERSTOOD:
        raise ValueError(f"{folder}: {unknown} is not understood here")
    documents: list[Document] = []
    for resource in told["resources"]:
        place = (folder / resource).resolve()
        documents += rendered(place) if place.is_dir() else _documents(place)
    for patch in told.get("patches", ()):
        targets = [document for document in documents if _is_target(document, patch["target"])]
        if not targets:
            raise ValueError(f"{folder}: nothing is {patch['target']}")
        for document in targets:
            for operation in yaml.safe_load(patch["patch"]):
                _apply(document, operation)
    for document in documents:
        if "namespace" in told:
            document["metadata"]["namespace"] = told["namespace"]
        for image in told.get("images", ()):
            for container in _containers(document):
                if container["image"] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    return documents


def _documents(file: Path) -> list[Document]:
    return [copy.deepcopy(document) for document in yaml.safe_load_all(file.read_text())]


def _is_target(document: Document, target: dict[str, str]) -> bool:
    if target.keys() - {"kind", "name"}:
        raise ValueError(f"{target} is not understood here")
    name = document["metadata"]["name"]
    return document["kind"] == target["kind"] and bool(re.fullmatch(target.get("name", ".*"), name))


def _apply(document: Document, operation: dict[str, Any]) -> None:
    """RFC 6902, of which replace wants to find something, and add does not mind."""
    *way, last = operation["path"].removeprefix("/").split("/")
    place: Any = document
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    key: Any = int(last) if isinstance(place, list) else last
    if operation["op"] == "replace":
        place[key]  # raises when there is nothing
    elif operation["op"] != "add":
        raise ValueError(f"{operation['op']} is not understood here")
    place[key] = operation["value"]


def _containers(document: Document) -> list[Document]:
    pod = document.get("spec", {}).get("template", {}).get("spec", {})
    return list(pod.get("containers", ()))
