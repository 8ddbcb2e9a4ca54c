"""What the deployment files promise, as far as it can be checked without a Docker engine."""

import re

import pytest
import yaml

from durum.celery import QUEUES
from durum.settings.environment import BASE_DIR

READERS = re.compile(r"\b(?:required|whole_number|base_url|env\.\w+)\(\s*\"([A-Z_]+)\"")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((BASE_DIR / "docker" / "compose.yml").read_text())


def _example():
    return set(re.findall(r"^#? ?([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE))


def test_every_setting_read_from_the_environment_is_explained():
    read = {
        name
        for path in (BASE_DIR / "durum" / "settings").glob("*.py")
        for name in READERS.findall(path.read_text())
        if name != "PYTEST_XDIST_WORKER"
    }

    assert read
    assert read - _example() == set()


def test_every_variable_of_the_compose_file_is_explained():
    text = (BASE_DIR / "docker" / "compose.yml").read_text()

    assert set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text)) - _example() == set()


def test_one_worker_at_least_takes_every_queue(compose):
    command = compose["services"]["worker"]["command"]

    assert set(command[command.index("--queues") + 1].split(",")) == set(QUEUES)


def test_durums_containers_know_no_superuser_and_hold_no_privileges(compose):
    for name in ("web", "worker", "beat", "migrate"):
        service = compose["services"][name]
        assert "SUPERUSER" not in str(service["environment"])
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True


def test_only_the_proxy_has_ports(compose):
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["caddy"]


def test_everything_a_service_mounts_or_names_exists(compose):
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (BASE_DIR / "docker" / source).is_file()
            else:
                assert source in compose["volumes"]
        assert set(service.get("depends_on", {})) <= set(compose["services"])


def test_no_pin_names_an_index():
    for path in (BASE_DIR / "requirements").glob("*.txt"):
        assert not re.search(r"^--|https?://", path.read_text(), re.MULTILINE), path.name


def test_everybody_who_counts_failures_counts_them_by_the_callers_own_address():
    """Behind the proxy all callers have one address: one stranger's guesses would lock out the others."""
    production = (BASE_DIR / "durum" / "settings" / "production.py").read_text()

    assert "ALLAUTH_TRUSTED_PROXY_COUNT = 1" in production
    assert "AXES_CLIENT_IP_CALLABLE" in production
