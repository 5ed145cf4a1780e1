"""The workflows run what people run, with pinned actions and no more rights than reading."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = ("test.yml", "audit.yml")


@pytest.fixture(params=WORKFLOWS)
def workflow(root: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """One workflow file."""
    text = (root / ".github/workflows" / request.param).read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_no_workflow_escapes_these_tests(root: Path) -> None:
    assert {path.name for path in (root / ".github/workflows").iterdir()} == set(WORKFLOWS)


def test_actions_are_pinned_by_commit(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


def test_rights_are_minimal(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert [job for job in workflow["jobs"].values() if "permissions" in job] == []
    checkouts = [step for step in steps(workflow) if "actions/checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_job_has_a_timeout(workflow: dict[str, Any]) -> None:
    assert [name for name, job in workflow["jobs"].items() if job.get("timeout-minutes", 99) > 20] == []


def test_make_targets_exist(workflow: dict[str, Any], root: Path) -> None:
    targets = set(
        re.findall(r"^([a-z0-9-]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    called = {
        name for step in steps(workflow) for name in re.findall(r"\bmake ([a-z0-9-]+)", step.get("run", ""))
    }
    assert called
    assert called <= targets
