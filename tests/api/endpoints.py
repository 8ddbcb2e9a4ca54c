"""Every endpoint with what makes a row of it, and every action with the role it takes. A new one needs a line here."""

from dataclasses import dataclass, field
from typing import Any

from apps.clients.roles import Role
from apps.core import audit
from apps.core.actors import SYSTEM
from apps.core.tenancy import use_client
from tests.factories.ads import AdsetFactory, CreativeFactory
from tests.factories.clients import FunnelFactory, ProductFactory
from tests.factories.connectors import ChannelFactory, RawFileFactory, SyncRunFactory
from tests.factories.suggestions import (
    DecisionFactory,
    ExecutionFactory,
    HypothesisFactory,
    SkippedFactory,
    SuggestionFactory,
)


def client_itself(client):
    return client


def audit_event(client):
    with use_client(client):
        return audit.record(SYSTEM, "clients.client.changed", client, client=client, name=["A", "B"])


def import_run(client):
    return SyncRunFactory(client=client, channel=None, raw_file=RawFileFactory(client=client), kind="import_ads")


def done_suggestion(client):
    execution = ExecutionFactory(client=client, state="done")
    return execution.suggestion


def stopped(client):
    return ExecutionFactory(
        client=client, state="conflict", decision__suggestion__status="stopped", proof={"found": "6000"}
    )


# endpoint -> what makes a row of it for a client
ROWS = {
    "clients": client_itself,
    "products": lambda client: ProductFactory(client=client),
    "funnels": lambda client: FunnelFactory(client=client),
    "audit-events": audit_event,
    "channels": lambda client: ChannelFactory(client=client),
    "ad-objects": lambda client: AdsetFactory(client=client),
    "creatives": lambda client: CreativeFactory(client=client),
    "sync-runs": lambda client: SyncRunFactory(client=client),
    "imports": import_run,
    "suggestions": lambda client: SuggestionFactory(client=client),
    "executions": lambda client: ExecutionFactory(client=client),
    "decisions": lambda client: DecisionFactory(client=client),
    "hypotheses": lambda client: HypothesisFactory(client=client),
    "skipped-candidates": lambda client: SkippedFactory(client=client),
}
WITHOUT_ROWS = {"metrics"}


@dataclass(frozen=True)
class Action:
    """An action on one row: what makes a fit row, the lowest role that may, and what is sent."""

    path: str
    row: Any
    role: str
    body: dict = field(default_factory=dict)

    def address(self, row):
        endpoint, _slash, verb = self.path.partition("/")
        return f"{endpoint}/{row.pk}/{verb}/"


ACTIONS = [
    Action("suggestions/approve", ROWS["suggestions"], Role.OPERATOR),
    Action("suggestions/refuse", ROWS["suggestions"], Role.OPERATOR, {"reason": "Not now."}),
    Action("suggestions/undo", done_suggestion, Role.MANAGER),
    Action("executions/try-again", stopped, Role.OPERATOR),
    Action("executions/give-up", stopped, Role.OPERATOR),
    Action("sync-runs/cancel", ROWS["sync-runs"], Role.OPERATOR),
    Action("imports/cancel", import_run, Role.OPERATOR),
]


def address_of(endpoint, row):
    return f"{endpoint}/{row.key if endpoint == 'clients' else row.pk}/"
