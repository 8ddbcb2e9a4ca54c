"""Row security is paid for by an index, not by reading every client's rows; `make bench` measures a million."""

import pytest

from apps.core.tenancy import use_client
from tests.benchmarks.row_security import FORGOT, PER_AD, WEEK, plan, plant

pytestmark = pytest.mark.django_db


@pytest.fixture
def one():
    """A client among twenty, who have 40,000 daily results together."""
    made = plant(40_000, clients=20, ads=20)
    return made[7]


@pytest.mark.parametrize("sql", [WEEK, FORGOT, PER_AD])
def test_a_question_about_one_client_uses_an_index(one, sql):
    params = [one.pk] if "%s" in sql else []
    with use_client(one):
        nodes = plan(sql, params)
    assert not any(kind == "Seq Scan" for kind, _index in nodes), nodes
    assert any(index for _kind, index in nodes), nodes
