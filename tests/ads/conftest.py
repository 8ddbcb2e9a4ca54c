"""An ad account in the sandbox and the channel that reads it."""

import datetime as dt

import pytest

from apps.ads.services import fetching
from apps.connectors import registry
from apps.core.actors import SYSTEM
from apps.core.tenancy import use_client
from tests.factories.clients import ClientFactory
from tests.factories.connectors import ChannelFactory

NOW = dt.datetime(2026, 11, 19, 12, 0, tzinfo=dt.UTC)
TOKEN = "EAAsandboxtoken1234567890"


@pytest.fixture
def world(sandbox, redis_client, settings):
    """`world(**account)` plants one account at `NOW` and returns what the sandbox made of it."""

    def plant(now=NOW, **account):
        settings.META_APP_ID, settings.META_APP_SECRET = "", ""
        described = {"id": "900", "name": "Durum France", "campaigns": 2, "adsets": 2, "ads": 2, "history_days": 40}
        made = sandbox.control(
            "scenario",
            {
                "seed": "fetch",
                "now": now.isoformat(),
                "accounts": [described | account],
                "apps": [{"id": "1", "secret": ""}],
                "tokens": [{"token": TOKEN}],
            },
        )
        return made["accounts"][0]

    return plant


@pytest.fixture
def channel(db):
    """A client in Paris with its ad account act_900."""
    return ChannelFactory(external_id="act_900", token=TOKEN, client=ClientFactory(key="maison"))


def read(channel, **options):
    """One whole fetch of the channel; the finished run."""
    with use_client(channel.client_id):
        run = fetching.request_fetch(channel_id=channel.pk, actor=SYSTEM, **options)
        return fetching.work(run.pk, registry.ads(channel))


@pytest.fixture
def english(settings):
    """Sentences are compared in English, whatever is translated by now."""
    settings.LANGUAGE_CODE = "en"
