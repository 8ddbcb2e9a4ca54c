"""What every test may ask for. The servers are real: embedded ones, or those of DATABASE_URL and REDIS_URL."""

import contextlib
import os
import subprocess

import pytest
import redis
from django.conf import settings
from django.utils import translation

from apps.core.tenancy import use_all_clients, use_client
from durum import embedded
from tests.concurrency import Gap
from tests.e2e import NO_CHROMIUM
from tests.outside import start_sandbox

_servers = contextlib.ExitStack()


def pytest_sessionstart(session):
    """The controller holds the servers for its workers; the last holder of the checkout stops them."""
    if "PYTEST_XDIST_WORKER" not in os.environ and not session.config.option.collectonly:
        _servers.enter_context(embedded.servers())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    """Last of all: after a stop at the first failure, fixtures are torn down in this very hook."""
    _servers.close()


def pytest_terminal_summary(terminalreporter):
    """Tests left out for want of a browser are said in capitals: a row of little s is easily overlooked."""
    skipped = [one for one in terminalreporter.stats.get("skipped", []) if NO_CHROMIUM in str(one.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"WARNING: {len(skipped)} BROWSER TESTS DID NOT RUN. {NO_CHROMIUM}", red=True, bold=True
        )


@pytest.fixture(scope="session", autouse=True)
def _own_redis():
    """An empty Redis database for this worker."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    yield
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture(autouse=True)
def _source_language():
    """A page asked for in French leaves the thread French; each test starts in the language of the source."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def redis_client():
    """The worker's Redis database, emptied before the test."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client


@pytest.fixture
def all_clients():
    """The test runs with every client in scope, as commands do; without it no row is visible."""
    with use_all_clients("the test says so") as scope:
        yield scope


@pytest.fixture
def as_client():
    """`as_client(row)` puts one client in scope until the test ends; call it again to change."""
    with contextlib.ExitStack() as scopes:
        yield lambda client: scopes.enter_context(use_client(client))


@pytest.fixture
def hold_open():
    """`hold_open("dotted.path.of.function")` makes the gap that `tests.concurrency.at_once` holds open."""
    return Gap


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory):
    """The outside world, once per worker. Tests take `sandbox`."""
    outside, process = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield outside
    outside.close()
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def sandbox(sandbox_process, settings):
    """The outside world, and Durum's settings pointing at it."""
    settings.META_GRAPH_URL = sandbox_process.graph_url
    settings.SLACK_API_URL = sandbox_process.slack_url
    return sandbox_process
