"""Products and funnels under Settings: who keeps them, what is stored and told, and what is refused."""

from decimal import Decimal

import pytest

from apps.clients.models import Funnel, Product
from apps.clients.roles import Role
from apps.core.models import AuditEvent
from tests.factories.ads import AdFactory
from tests.factories.clients import ClientFactory, FunnelFactory, ProductFactory, member

pytestmark = pytest.mark.django_db
HERE = "/c/ours/settings/products/"
FUNNELS = "/c/ours/settings/funnels/"


@pytest.fixture(autouse=True)
def _english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def ours(as_client):
    row = ClientFactory(key="ours", name="Clos des Lys")
    as_client(row)
    return row


@pytest.fixture
def manager(client, ours):
    user = member(ours, Role.MANAGER)
    client.force_login(user)
    return user


def test_an_empty_page_says_what_they_are_for(client, manager):
    page = client.get(HERE).content.decode()

    assert "No product and no funnel yet" in page
    assert "beats the client&#x27;s" in page or "beats the client's" in page


def test_a_manager_makes_a_product_and_the_funnel_that_sells_it(client, ours, manager):
    wine = {"name": "Red wine", "price": "89.90", "value_per_lead": "35", "value_per_purchase": "", "is_active": "on"}
    assert client.post(f"{HERE}new/", wine).status_code == 302
    product = Product.objects.get()
    way = {"name": "Quiz", "key": "quiz", "product": product.pk, "landing_url": "https://lys.example/quiz"}
    assert client.post(f"{FUNNELS}new/", way | {"is_active": "on"}).status_code == 302
    funnel = Funnel.objects.get()

    assert (product.client, product.key, product.price) == (ours, "red-wine", Decimal("89.90"))
    assert (product.value_per_lead, product.value_per_purchase, product.is_active) == (Decimal(35), None, True)
    assert (funnel.client, funnel.key, funnel.product) == (ours, "quiz", product)
    made = AuditEvent.objects.filter(verb__endswith="created").order_by("pk").values_list("verb", "user", "via")
    assert list(made) == [
        ("clients.product.created", manager.pk, "web"),
        ("clients.funnel.created", manager.pk, "web"),
    ]
    page = client.get(HERE).content.decode()
    assert "€35.00" in page
    assert "https://lys.example/quiz" in page


def test_the_page_counts_where_a_funnel_was_chosen(client, ours, manager):
    funnel = FunnelFactory(client=ours)
    ad = AdFactory(client=ours, funnel=funnel)
    ad.parent.funnel = funnel
    ad.parent.save()

    page = client.get(HERE)

    assert [row.pointing for row in page.context["funnels"]] == [2]


def test_a_change_keeps_the_key_and_tells_old_and_new(client, ours, manager):
    product = ProductFactory(client=ours, key="wine", name="Wine", value_per_lead=Decimal(20))
    answer = client.post(
        f"{HERE}{product.pk}/", {"name": "Wine", "key": "other", "value_per_lead": "25.5", "is_active": "on"}
    )
    product.refresh_from_db()

    assert answer.status_code == 302
    assert (product.key, product.value_per_lead) == ("wine", Decimal("25.5"))
    event = AuditEvent.objects.get(verb="clients.product.changed")
    assert event.changes == {"value_per_lead": ["20.00", "25.5"]}


@pytest.mark.parametrize(("make", "path"), [(ProductFactory, HERE), (FunnelFactory, FUNNELS)])
def test_switching_off_and_on(client, ours, manager, make, path):
    row = make(client=ours)
    assert client.post(f"{path}{row.pk}/switch/", {"on": "0"}).status_code == 302
    row.refresh_from_db()
    assert not row.is_active
    client.post(f"{path}{row.pk}/switch/", {"on": "1"})
    row.refresh_from_db()

    assert row.is_active
    told = AuditEvent.objects.filter(verb__endswith="changed").order_by("pk").values_list("changes", flat=True)
    assert list(told) == [{"is_active": [True, False]}, {"is_active": [False, True]}]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Wine", "value_per_lead": "-1"}, "value_per_lead"),
        ({"name": "Wine", "price": "much"}, "price"),
        ({"name": "Wine", "key": "two words"}, "key"),
        ({"name": "酒"}, "key"),
        ({"name": "Wine", "key": "taken"}, "key"),
    ],
)
def test_what_cannot_be_used_is_refused_beside_its_field(client, ours, manager, sent, field):
    ProductFactory(client=ours, key="taken")
    answer = client.post(f"{HERE}new/", sent)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Product.objects.count() == 1
    assert not AuditEvent.objects.exists()


def test_two_clients_may_use_the_same_key(client, ours, manager):
    ProductFactory(key="wine")

    assert client.post(f"{HERE}new/", {"name": "Wine", "is_active": "on"}).status_code == 302
    assert Product.objects.get(client=ours).key == "wine"


def test_a_funnel_sells_a_product_of_its_own_client_only(client, ours, manager):
    foreign = ProductFactory(name="Secret")
    answer = client.post(f"{FUNNELS}new/", {"name": "Quiz", "product": foreign.pk, "is_active": "on"})

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["product"]
    assert not Funnel.objects.exists()
    assert "Secret" not in client.get(f"{FUNNELS}new/").content.decode()


def test_a_product_out_of_use_is_offered_to_the_funnel_that_has_it_only(client, ours, manager):
    retired = ProductFactory(client=ours, name="Retired", is_active=False)
    funnel = FunnelFactory(client=ours, product=retired)

    assert "Retired" in client.get(f"{FUNNELS}{funnel.pk}/").content.decode()
    assert "Retired" not in client.get(f"{FUNNELS}new/").content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_those_below_a_manager_look_and_change_nothing(client, ours, role):
    product, funnel = ProductFactory(client=ours, name="Wine"), FunnelFactory(client=ours)
    client.force_login(member(ours, role))
    page = client.get(HERE).content.decode()

    assert "Wine" in page
    assert "New product" not in page
    assert "/switch/" not in page
    for path in (f"{HERE}new/", f"{HERE}{product.pk}/", f"{HERE}{product.pk}/switch/", f"{FUNNELS}{funnel.pk}/"):
        assert client.post(path, {"name": "Other", "on": "0"}).status_code == 403
    product.refresh_from_db()
    assert (product.name, product.is_active) == ("Wine", True)
    assert Product.objects.filter(client=ours).count() == 2
    assert not AuditEvent.objects.exists()
