"""Connected accounts and their runs."""

import factory

from apps.connectors.models import Channel, ColumnMapping, QualityFinding, RawFile, SlackIdentity, SyncRun

from .clients import UserFactory
from .tenant import ClientOwnedFactory


class ChannelFactory(ClientOwnedFactory):
    """A Meta ad account."""

    class Meta:
        model = Channel

    platform = Channel.Platform.META_ADS
    external_id = factory.Sequence(lambda n: f"act_{900_000 + n}")
    name = factory.Sequence(lambda n: f"Account {n}")
    token = "test-token"


class SlackChannelFactory(ChannelFactory):
    """A Slack channel of workspace T1."""

    platform = Channel.Platform.SLACK
    external_id = factory.Sequence(lambda n: f"T1/C{n}")


class SyncRunFactory(ClientOwnedFactory):
    class Meta:
        model = SyncRun

    kind = SyncRun.Kind.FETCH_ADS
    channel = factory.SubFactory(ChannelFactory, client=factory.SelfAttribute("..client"))


class RawFileFactory(ClientOwnedFactory):
    class Meta:
        model = RawFile

    name = "ads.csv"
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    size = 10
    content = factory.django.FileField(filename="ads.csv", data=b"Day,Spend\n")


class SlackIdentityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SlackIdentity

    user = factory.SubFactory(UserFactory)
    team_id = "T1"
    slack_user_id = factory.Sequence(lambda n: f"U{n}")


class ColumnMappingFactory(ClientOwnedFactory):
    class Meta:
        model = ColumnMapping

    kind = SyncRun.Kind.IMPORT_ADS
    fingerprint = factory.Sequence(lambda n: f"{n:064x}")


class QualityFindingFactory(ClientOwnedFactory):
    class Meta:
        model = QualityFinding

    run = factory.SubFactory(SyncRunFactory, client=factory.SelfAttribute("..client"))
    line = 2
    reason = "not_a_number"
