"""The manifests: what Kubernetes takes, with what each process needs and no more.

They are put together by kustomize itself, which is in kubectl; no cluster is needed.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate  # type: ignore[import-untyped]
import promql_parser as promql
import pytest
import yaml

from services.auth.callers import MAY_CALL
from services.cli.catalogue import SERVICES, WITH_DATABASE, create_service
from services.cli.home import new_secrets
from services.cli.told import database_name, told_each
from shared.database.provision import addressed
from tests.contract.test_operating import SCRAPED, exported, selectors

KUBERNETES = Path(__file__).parents[2] / "deploy/kubernetes"
VERSIONS = ("1.31", "1.37")
SCALED_OBJECT = json.loads((Path(__file__).parent / "schemas/keda-scaledobject.json").read_text())
"""KEDA's config/crd/bases/keda.sh_scaledobjects.yaml at 8b4f083 (Apache 2.0), made strict."""
KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent))
Document = dict[str, Any]
DEPLOYED = tuple(service for service in SERVICES if service != "manage_ects")
SIZES = ("small", "large")


if KUBECTL is None:
    pytest.skip("kubectl has no program for this kind of machine", allow_module_level=True)


def rendered(folder: Path) -> list[Document]:
    assert KUBECTL is not None
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


ALL = {name: rendered(KUBERNETES / name) for name in (*SIZES, "migrations")}


def of_kind(name: str, kind: str) -> dict[str, Document]:
    return {found["metadata"]["name"]: found for found in ALL[name] if found["kind"] == kind}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ALL)
def test_the_api_of_kubernetes_takes_everything(name: str, version: str) -> None:
    for document in ALL[name]:
        if document["kind"] == "ScaledObject":
            jsonschema.Draft7Validator(SCALED_OBJECT).validate(document)
        else:
            kubernetes_validate.validate(document, version, strict=True)


def test_what_the_api_does_not_know_would_be_found() -> None:
    wrong = json.loads(json.dumps(of_kind("small", "Deployment")["auth"]))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("name", SIZES)
def test_each_service_is_deployed_found_spread_and_kept(name: str) -> None:
    deployments = of_kind(name, "Deployment")
    assert set(deployments) == set(DEPLOYED) == set(of_kind(name, "Service"))
    assert set(of_kind(name, "PodDisruptionBudget")) == set(DEPLOYED)
    for service, deployment in deployments.items():
        pod = deployment["spec"]["template"]["spec"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        (container,) = pod["containers"]
        assert container["args"] == ["serve", service]
        assert deployment["spec"]["replicas"] >= 2
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
        assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert len(pod["topologySpreadConstraints"]) == 2
        for selecting in (deployment, of_kind(name, "PodDisruptionBudget")[service]):
            assert selecting["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert of_kind(name, "Service")[service]["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize("name", ALL)
def test_no_process_is_root_writes_to_its_image_or_speaks_with_the_cluster(name: str) -> None:
    for found in ALL[name]:
        if found["kind"] in {"Deployment", "Job"}:
            pod = found["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["automountServiceAccountToken"] is False
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["image"] == "registry.example.org/check-data:the-release"


def test_a_process_that_is_stopped_has_the_time_that_it_takes() -> None:
    for deployment in of_kind("small", "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        quiet = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pod["terminationGracePeriodSeconds"] >= quiet + 10 + 5 + 10


@pytest.mark.parametrize("name", SIZES)
def test_each_reaches_whom_it_may_call_and_nobody_else(name: str) -> None:
    """The same table by which auth gives tokens; and auth, for tokens and keys."""
    policies = of_kind(name, "NetworkPolicy")
    assert policies["nothing-else"]["spec"] == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "check-data"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    wanted = {service: (MAY_CALL[service] | {"auth"}) - {"manage_ects"} for service in DEPLOYED}
    for service in DEPLOYED:
        spec = policies[service]["spec"]
        assert _pods(spec["egress"], "to", 8000) == wanted[service]
        assert _pods(spec["ingress"], "from", 8000) == {
            caller for caller in DEPLOYED if service in wanted[caller]
        }
        assert (
            (5432 in _ports(spec["egress"])) == (6379 in _ports(spec["egress"])) == (service in WITH_DATABASE)
        )


def _pods(rules: list[Document], side: str, port: int) -> set[str]:
    return {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for rule in rules
        if any(told["port"] == port for told in rule["ports"])
        for peer in rule[side]
        if "podSelector" in peer
    }


def _ports(rules: list[Document]) -> set[int]:
    return {told["port"] for rule in rules for told in rule["ports"]}


def test_migrations_are_jobs_that_know_one_owner_each_and_no_service_knows_one() -> None:
    jobs = of_kind("migrations", "Job")
    assert set(jobs) == {f"migrate-{service}" for service in DEPLOYED if service in WITH_DATABASE}
    for job in jobs.values():
        (container,) = job["spec"]["template"]["spec"]["containers"]
        service = container["args"][1]
        assert container["args"] == ["migrate", service]
        assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == f"check-data-{service}-owner"
    for name in SIZES:
        assert "owner" not in json.dumps(ALL[name])


def test_the_roll_out_migrates_and_waits_before_it_replaces_anything() -> None:
    script = KUBERNETES / "roll-out"
    subprocess.run(["sh", "-n", str(script)], check=True)
    lines = [line for line in script.read_text().splitlines() if line.startswith("kubectl")]
    order = ["delete job", "migrations", "wait --for=condition=complete", '"$here/$size"']
    assert [next(n for n, line in enumerate(lines) if part in line) for part in order] == [0, 1, 2, 3]


def variables_of(service: str) -> dict[str, str]:
    """The variables of a Secret, by the page that names them, with values that would do."""
    page = (KUBERNETES / "README.md").read_text()
    (row,) = re.findall(rf"(?m)^\| `check-data-{service}` \| (.*) \|$", page)
    urls = dict.fromkeys(SERVICES, "")
    databases = {
        name: addressed("postgresql://postgres/postgres", name, database_name(name), "secret")
        for name in WITH_DATABASE
    }
    made = told_each(new_secrets(), urls, "redis://redis:6379/0", databases)[service] | {
        "CHECK_DATA_EMAIL_VIA": "notify",
        "CHECK_DATA_EMAIL_NOTIFY_API_KEY": "a-key",
        "CHECK_DATA_EMAIL_NOTIFY_TEMPLATE_ID": "a-template",
        "CHECK_DATA_EXPORT_STORE": "s3://exports",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "eu-west-2",
    }
    return {name: made[name] for name in re.findall(r"`([A-Z_]+)`", row)}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("service", DEPLOYED)
def test_settings_and_the_secrets_that_are_named_are_enough(
    service: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = of_kind(name, "Deployment")[service]["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [
        {"configMapRef": {"name": "check-data"}},
        {"secretRef": {"name": f"check-data-{service}"}},
    ]
    for variable, value in {
        **of_kind(name, "ConfigMap")["check-data"]["data"],
        **variables_of(service),
    }.items():
        monkeypatch.setenv(variable, value)
    _app, settings = create_service(service)
    assert not settings.development
    assert len(settings.service_secret.get_secret_value()) >= 32
    if service in WITH_DATABASE:
        assert settings.feed_urls.keys() == set(WITH_DATABASE)


def triggers() -> list[tuple[str, str]]:
    return [
        (name, trigger["metadata"]["query"])
        for name, scaled in of_kind("large", "ScaledObject").items()
        for trigger in scaled["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]


@pytest.mark.parametrize(("name", "query"), triggers())
def test_what_scales_by_lag_asks_for_what_is_exported(name: str, query: str) -> None:
    known = exported()
    asked = list(selectors(promql.parse(query)))
    assert asked, name
    for selector in asked:
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= known[str(selector.name)] | SCRAPED


@pytest.mark.parametrize("name", SIZES)
def test_one_thing_scales_each_service(name: str) -> None:
    scaled = [
        found["spec"]["scaleTargetRef"]["name"]
        for kind in ("HorizontalPodAutoscaler", "ScaledObject")
        for found in of_kind(name, kind).values()
    ]
    assert sorted(scaled) == sorted(DEPLOYED)
    if name == "large":
        assert set(of_kind(name, "ScaledObject")) == set(DEPLOYED) - {"gateway"}


def test_every_file_is_part_of_something() -> None:
    named = set[Path]()
    for kustomization in KUBERNETES.rglob("kustomization.yaml"):
        told: dict[str, Any] = yaml.safe_load(kustomization.read_text())
        named |= {(kustomization.parent / resource).resolve() for resource in told["resources"]}
    files = {file for file in KUBERNETES.rglob("*.yaml") if file.name != "kustomization.yaml"}
    assert {file.resolve() for file in files} <= named
