"""A small ad account that exists on both sides: in the sandbox and as Durum's rows."""

from dataclasses import dataclass
from typing import Any

import pytest

from apps.connectors import registry
from apps.core import breaker, clock
from apps.core.actors import Actor
from apps.suggestions.models import Suggestion
from apps.suggestions.services import deciding, execution
from tests.factories.ads import AccountFactory, AdsetFactory, CampaignFactory
from tests.factories.clients import ClientFactory, member
from tests.factories.connectors import ChannelFactory
from tests.factories.suggestions import PauseFactory, SuggestionFactory

SCENARIO = {
    "seed": 7,
    "apps": [{"id": "77", "secret": "app-secret", "requires_proof": False}],
    "tokens": [{"token": "test-token"}],
    "accounts": [
        {
            "id": "act_900100",
            "currency": "EUR",
            "campaigns": [
                {"adsets": [{"daily_budget": 5000, "ads": 1}, {"daily_budget": 6000, "ads": 1}]},
                {"campaign_budget": True, "daily_budget": 9000, "adsets": [{"ads": 1}]},
            ],
        }
    ],
}


@dataclass
class Account:
    """The client's rows and the sandbox that plays Meta for them."""

    client: Any
    channel: Any
    adset: Any
    sandbox: Any
    operator: Any

    def truth(self, adset=None):
        """What was really written to the ad set, oldest first: [(field, new)]."""
        writes = self.sandbox.truth("writes", object=(adset or self.adset).external_id)["writes"]
        return [(write["field"], write["new"]) for write in writes]

    def approve(self, suggestion, by=None):
        """The person's yes; returns the execution that waits."""
        actor = Actor(by or self.operator, "web")
        return deciding.approve(suggestion_id=suggestion.pk, actor=actor).execution

    def raise_to(self, target, **fields):
        """A suggested raise of the ad set, approved."""
        fields = {"client": self.client, "ad_object": self.adset, "target": str(target)} | fields
        return self.approve(SuggestionFactory(**fields))

    def pause(self, **fields):
        return self.approve(PauseFactory(client=self.client, ad_object=self.adset, **fields))

    def carry_out(self, row, connector_for=registry.ads):
        execution.carry_out(execution_id=row.pk, connector_for=connector_for)
        row.refresh_from_db()
        row.suggestion = Suggestion.objects.get(pk=row.suggestion_id)
        return row


@pytest.fixture
def account(sandbox, redis_client, as_client, db):
    made = sandbox.control("scenario", SCENARIO | {"now": clock.now().isoformat(), "running": True})["accounts"][0]
    sandbox.forget_faults()
    client = ClientFactory(cooldown_hours=24)
    as_client(client)
    channel = ChannelFactory(client=client, external_id="act_900100")
    top = AccountFactory(client=client, channel=channel)
    first = made["campaigns"][0]
    campaign = CampaignFactory(client=client, parent=top, external_id=first["id"])
    adset = AdsetFactory(client=client, parent=campaign, external_id=first["adsets"][0]["id"], daily_budget_minor=5000)
    breaker.Breaker("meta_ads:act_900100").succeeded()
    return Account(client, channel, adset, sandbox, member(client))
