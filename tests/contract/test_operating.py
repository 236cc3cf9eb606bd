"""Alerts, dashboards and the runbook speak of what is really there."""

import importlib
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from services.cli.catalogue import SERVICES
from services.cli.commands import app

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
DASHBOARD = json.loads((ROOT / "deploy/grafana/check-data.json").read_text())
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds, and `up`, which it makes."""


def exported() -> dict[str, set[str]]:
    """The series that the services export, with their labels."""
    for service in SERVICES:
        importlib.import_module(f"services.{service}.app")
    found = {"up": set[str]()}
    for collector in list(REGISTRY._collector_to_names):
        names = getattr(collector, "_labelnames", None)
        if names is not None:
            for name in REGISTRY._collector_to_names[collector]:
                found[name] = set(names) | ({"le"} if name.endswith("_bucket") else set())
    return found


def expressions() -> Iterator[tuple[str, str]]:
    for name, rule in ALERTS.items():
        yield name, rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def selectors(expression: Any) -> Iterator[promql.VectorSelector]:
    """Every series that it asks for."""
    match expression:
        case promql.VectorSelector():
            yield expression
        case promql.MatrixSelector():
            yield from selectors(expression.vector_selector)
        case promql.BinaryExpr():
            yield from selectors(expression.lhs)
            yield from selectors(expression.rhs)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.SubqueryExpr() | promql.UnaryExpr():
            yield from selectors(expression.expr)
        case promql.Call():
            for argument in expression.args:
                yield from selectors(argument)


@pytest.mark.parametrize(("name", "expression"), list(expressions()))
def test_an_expression_asks_for_what_is_exported(name: str, expression: str) -> None:
    asked = list(selectors(promql.parse(expression)))
    assert asked, name
    known = exported()
    for selector in asked:
        assert selector.name in known, f"nobody exports {selector.name}"
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= known[selector.name] | SCRAPED, (selector.name, labels)


def test_a_series_that_nobody_exports_would_be_found() -> None:
    (selector,) = selectors(promql.parse("sum(rate(checkdata_no_such_total[5m]))"))
    assert selector.name not in exported()


PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not here")


@needs_promtool
@pytest.mark.parametrize("words", [("check", "alerts.yaml"), ("test", "alerts.test.yaml")])
def test_prometheus_itself_takes_the_rules_and_each_alert_comes_when_it_has_to(
    words: tuple[str, str],
) -> None:
    assert PROMTOOL is not None
    what, file = words
    said = subprocess.run(
        [PROMTOOL, what, "rules", file],
        cwd=ROOT / "deploy/prometheus",
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_each_alert_is_one_that_is_tested_to_come() -> None:
    tested = (ROOT / "deploy/prometheus/alerts.test.yaml").read_text()
    named = {one or other for one, other in re.findall(r'alertname="(\w+)"|alertname: (\w+)', tested)}
    assert named == set(ALERTS)


def test_every_alert_has_its_section_with_all_three_parts() -> None:
    sections = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK))
    assert set(sections) == set(ALERTS)
    for name, section in sections.items():
        for part in ("**Means.**", "**Look first.**", "**Do.**"):
            assert part in section, (name, part)
        assert ALERTS[name]["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert ALERTS[name]["labels"]["severity"] in {"page", "ticket"}


COMMANDS = sorted(set(re.findall(r"(?m)^check-data (.+)$", RUNBOOK)))


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_of_the_runbook_exist(line: str) -> None:
    """With the options that it names: help is given only when all before it are known."""
    result = CliRunner().invoke(app, [*shlex.split(line), "--help"])
    assert result.exit_code == 0, result.output


def test_a_command_that_is_not_there_would_be_found() -> None:
    assert CliRunner().invoke(app, ["parked", "forget", "--help"]).exit_code != 0
    assert CliRunner().invoke(app, ["rebuild", "participants", "--quickly", "--help"]).exit_code != 0
