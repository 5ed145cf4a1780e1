"""What docker-compose.yml promises: hardening of every service, published ports, ordered start, no secret.

Anchors: CIS Docker Benchmark 4.1 (user), 5.3 (capabilities), 5.12 (read-only root), 5.25 (no new privileges),
5.28 (pids limit).
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from imageserver.settings import Settings

SERVICES = ("db", "web-server", "frontend")
OWN_SERVICES = {"web-server": "backend", "frontend": "frontend"}


@pytest.fixture
def compose(root: Path) -> dict[str, Any]:
    """The compose file, with merge keys resolved and variables as they are written."""
    document: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    return document


def mounts(service: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Target -> (source, read-only), of both spellings of a mount."""
    found = {}
    for mount in service.get("volumes", []):
        if isinstance(mount, dict):
            found[mount["target"]] = (mount["source"], bool(mount.get("read_only")))
        else:
            source, target, *options = mount.split(":")
            found[target] = (source, "ro" in options)
    return found


def test_the_three_services(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
class TestHardening:
    def test_root_file_system_is_read_only(self, compose: dict[str, Any], name: str) -> None:
        assert compose["services"][name]["read_only"] is True

    def test_no_capability_is_left(self, compose: dict[str, Any], name: str) -> None:
        assert compose["services"][name]["cap_drop"] == ["ALL"]
        assert "cap_add" not in compose["services"][name]
        assert "privileged" not in compose["services"][name]

    def test_no_new_privileges(self, compose: dict[str, Any], name: str) -> None:
        assert compose["services"][name]["security_opt"] == ["no-new-privileges:true"]

    def test_runs_as_an_unprivileged_user(self, compose: dict[str, Any], name: str) -> None:
        user = compose["services"][name]["user"]
        assert user == "postgres" if name == "db" else min(map(int, user.split(":"))) >= 10000

    def test_temporary_files_are_bounded_and_not_executable(self, compose: dict[str, Any], name: str) -> None:
        (tmp,) = compose["services"][name]["tmpfs"]
        target, _, options = tmp.partition(":")
        assert target == "/tmp"
        assert {"noexec", "nosuid", "nodev"} <= set(options.split(","))
        assert re.search(r"size=\d+m", options)

    def test_processes_and_memory_are_limited(self, compose: dict[str, Any], name: str) -> None:
        service = compose["services"][name]
        assert 0 < service["pids_limit"] <= 300
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"])

    def test_stops_quickly(self, compose: dict[str, Any], name: str) -> None:
        assert compose["services"][name]["stop_grace_period"] == "10s"

    def test_has_a_health_check(self, compose: dict[str, Any], name: str) -> None:
        assert compose["services"][name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}

    def test_no_docker_socket_is_mounted(self, compose: dict[str, Any], name: str) -> None:
        assert not [
            source for source, _ in mounts(compose["services"][name]).values() if "docker.sock" in source
        ]


class TestPorts:
    def test_only_the_api_and_the_pages_are_published(self, compose: dict[str, Any]) -> None:
        published = {
            name: service["ports"] for name, service in compose["services"].items() if "ports" in service
        }
        assert published == {
            "web-server": ["${IMAGESERVER_BIND:-127.0.0.1}:${IMAGESERVER_PORT:-8000}:8000"],
            "frontend": ["${IMAGESERVER_BIND:-127.0.0.1}:${IMAGESERVER_WEB_PORT:-3000}:3000"],
        }

    def test_the_database_has_no_network_at_all(self, compose: dict[str, Any]) -> None:
        database = compose["services"]["db"]
        assert database["network_mode"] == "none"
        assert database["command"] == ["postgres", "-c", "listen_addresses="]

    def test_the_database_s_socket_is_shared_with_the_api_alone(self, compose: dict[str, Any]) -> None:
        users = {
            name: read_only
            for name, service in compose["services"].items()
            for source, read_only in mounts(service).values()
            if source == "database-socket"
        }
        assert users == {"db": False, "web-server": True}


class TestStart:
    def test_services_wait_for_what_they_need(self, compose: dict[str, Any]) -> None:
        needs = {name: service.get("depends_on", {}) for name, service in compose["services"].items()}
        healthy = {"condition": "service_healthy"}
        assert needs == {"db": {}, "web-server": {"db": healthy}, "frontend": {"web-server": healthy}}

    def test_works_without_any_setting(self, root: Path) -> None:
        text = (root / "docker-compose.yml").read_text(encoding="utf-8")
        assert re.findall(r"\$\{\w+\}|\$\{\w+:?\?|env_file", text) == []

    def test_old_and_new_compose_both_read_it(self, compose: dict[str, Any]) -> None:
        # docker-compose 1.29 knows no `name`, and refuses unknown keys.
        assert set(compose) - {"services", "volumes"} == {"x-hardening"}

    def test_images_are_pinned_by_version(self, root: Path, compose: dict[str, Any]) -> None:
        images = [service["image"] for service in compose["services"].values() if "image" in service]
        for folder in OWN_SERVICES.values():
            lines = (root / folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
            images += [line.split()[1] for line in lines if line.startswith("FROM ")]
        images = [image for image in images if ":" in image]  # the others are stages of the same file
        assert len(images) >= 3
        for image in images:
            assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image)

    def test_production_carries_no_test_tools(self, root: Path) -> None:
        dockerfile = (root / "backend/Dockerfile").read_text(encoding="utf-8")
        production = dockerfile.split("FROM base AS production", 1)[1]
        copied = re.findall(r"^COPY (.*)$", production, re.MULTILINE)
        assert copied == [
            "--from=libraries /venv /venv",
            "healthcheck.py ./",
            "imageserver ./imageserver",
        ]


class TestData:
    def test_the_data_directory_is_mounted_read_only(self, compose: dict[str, Any]) -> None:
        assert mounts(compose["services"]["web-server"])["/data"] == ("${IMAGESERVER_DATA_DIR:-./data}", True)

    def test_state_and_database_live_in_named_volumes(self, compose: dict[str, Any]) -> None:
        assert mounts(compose["services"]["web-server"])["/state"] == ("state", False)
        assert mounts(compose["services"]["db"])["/var/lib/postgresql/data"] == ("database", False)
        assert {"state", "database"} <= set(compose["volumes"])

    def test_tests_never_get_the_real_database(self, compose: dict[str, Any]) -> None:
        environment = compose["services"]["web-server"]["environment"]
        assert "@/imageserver?" in environment["IMAGESERVER_DATABASE_URL"]
        assert "@/postgres?" in environment["IMAGESERVER_TEST_DATABASE_URL"]

    def test_no_secret_is_written_down(self, compose: dict[str, Any]) -> None:
        for service in compose["services"].values():
            for name, value in service.get("environment", {}).items():
                assert value is None or not re.search("PASSWORD|KEY|SECRET|TOKEN", name)


class TestSettings:
    def test_every_setting_can_be_given(self, compose: dict[str, Any], root: Path) -> None:
        text = (root / "docker-compose.yml").read_text(encoding="utf-8")
        named = set(re.findall(r"IMAGESERVER_[A-Z_]+", text))
        assert {f"IMAGESERVER_{name.upper()}" for name in Settings.model_fields} - named == set()

    def test_no_setting_is_unknown(self, compose: dict[str, Any]) -> None:
        known = {f"IMAGESERVER_{name.upper()}" for name in Settings.model_fields}
        for service in OWN_SERVICES:
            given = set(compose["services"][service]["environment"])
            assert given - known - {"IMAGESERVER_TEST_DATABASE_URL"} == set()
