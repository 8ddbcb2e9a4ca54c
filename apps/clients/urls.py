"""Addresses of Settings."""

from django.urls import path

from .views import audit, catalogue, client, team, tokens

app_name = "clients"
urlpatterns = [
    path("c/<slug:client_key>/settings/", client.settings, name="settings"),
    path("c/<slug:client_key>/settings/products/", catalogue.catalogue, name="products"),
    path("c/<slug:client_key>/settings/products/new/", catalogue.add, {"kind": "product"}, name="new_product"),
    path("c/<slug:client_key>/settings/products/<int:pk>/", catalogue.change, {"kind": "product"}, name="product"),
    path(
        "c/<slug:client_key>/settings/products/<int:pk>/switch/",
        catalogue.switch,
        {"kind": "product"},
        name="switch_product",
    ),
    path("c/<slug:client_key>/settings/funnels/new/", catalogue.add, {"kind": "funnel"}, name="new_funnel"),
    path("c/<slug:client_key>/settings/funnels/<int:pk>/", catalogue.change, {"kind": "funnel"}, name="funnel"),
    path(
        "c/<slug:client_key>/settings/funnels/<int:pk>/switch/",
        catalogue.switch,
        {"kind": "funnel"},
        name="switch_funnel",
    ),
    path("c/<slug:client_key>/settings/team/", team.team, name="team"),
    path("c/<slug:client_key>/settings/team/invite/", team.invite, name="invite"),
    path("c/<slug:client_key>/settings/team/<int:pk>/role/", team.change_role, name="change_role"),
    path("c/<slug:client_key>/settings/team/<int:pk>/remove/", team.remove, name="remove_member"),
    path("c/<slug:client_key>/settings/team/<int:pk>/invite-again/", team.invite_again, name="invite_again"),
    path("c/<slug:client_key>/settings/tokens/", tokens.tokens, name="tokens"),
    path("c/<slug:client_key>/settings/tokens/<uuid:number>/revoke/", tokens.revoke, name="revoke_token"),
    path("c/<slug:client_key>/settings/audit/", audit.audit, name="audit"),
]
