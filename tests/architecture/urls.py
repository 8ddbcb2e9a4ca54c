"""Every address of Durum: how it is asked and what anonymous, stranger, viewer, operator, manager and owner get.

A new address needs a line here, or the test fails.
"""

from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, get_resolver

from tests.factories.ads import AdsetFactory, CreativeFactory
from tests.factories.clients import FunnelFactory, MembershipFactory, ProductFactory
from tests.factories.connectors import ChannelFactory, RawFileFactory, SyncRunFactory
from tests.factories.suggestions import (
    ExecutionFactory,
    RuleFactory,
    SuggestionArchiveFactory,
    SuggestionFactory,
    ValidationItemFactory,
)

PEOPLE = ("anonymous", "stranger", "viewer", "operator", "manager", "owner")


@dataclass(frozen=True)
class Line:
    """`statuses` in the order of PEOPLE; `row` makes the row whose number is in the address."""

    statuses: str
    method: str = "get"
    row: Any = None
    sent: dict = field(default_factory=dict)

    def expected(self, who):
        return int(self.statuses.split()[PEOPLE.index(who)])


def adset(client):
    return AdsetFactory(client=client, name=f"Ad set of {client.name}")


def creative(client):
    return CreativeFactory(client=client, name=f"Creative of {client.name}")


FILE = b"Day,Ad set name,Impressions,Amount spent (EUR)\n2026-11-01,Autumn,100,5.00\n"
PLAN = {
    "headers": ["Day", "Ad set name", "Impressions", "Amount spent (EUR)"],
    "fields": ["day", "adset_name", "impressions", "spend"],
}


def raw_file(client):
    return RawFileFactory(client=client, name=f"{client.name}.csv", content__data=FILE)


def import_run(client):
    kept = raw_file(client)
    return SyncRunFactory(client=client, channel=None, raw_file=kept, kind="import_ads", options={"plan": PLAN})


def suggestion(client):
    return SuggestionFactory(client=client, ad_object__name=f"Ad set of {client.name}")


def queued(client):
    return ValidationItemFactory(client=client, suggestion=suggestion(client)).suggestion


def done(client):
    return ExecutionFactory(client=client, state="done", decision__suggestion__status="done").suggestion


def stopped(client):
    return ExecutionFactory(client=client, state="blocked", decision__suggestion__status="stopped").suggestion


def archived(client):
    return SuggestionArchiveFactory(client=client, ad_object_name=f"Ad set of {client.name}")


def rule(client):
    return RuleFactory(client=client, name=f"Rule of {client.name}")


def account(client):
    return ChannelFactory(client=client, name=f"Account of {client.name}", state="disabled")


def product(client):
    return ProductFactory(client=client, name=f"Product of {client.name}")


def funnel(client):
    return FunnelFactory(client=client, name=f"Funnel of {client.name}", product=product(client))


def colleague(client):
    return MembershipFactory(client=client, role="viewer", user__last_name=f"Person of {client.name}")


def invited(client):
    row = colleague(client)
    row.user.set_unusable_password()
    row.user.save()
    return row


MEMBERS = "302 404 200 200 200 200"
MANAGERS = "302 404 403 403 200 200"
OWNERS = "302 404 403 403 403 200"
# A browser that asks for a piece of a page is led to the page.
FRAGMENT = "302 404 302 302 302 302"
EVERYBODY = "302 200 200 200 200 200"

LINES = {
    # No client in the address.
    "healthz": Line("200 200 200 200 200 200"),
    "set_language": Line("302 302 302 302 302 302", "post", sent={"language": "en"}),
    "analytics:home": Line(EVERYBODY),
    # Health of the installation, for its staff.
    "analytics:status": Line("302 403 403 403 403 403"),
    "suggestions:all": Line(EVERYBODY),
    "suggestions:all_bulk": Line("302 404 404 404 404 404", "post"),  # without a verb
    "slack:events": Line("401 401 401 401 401 401", "post"),
    "slack:accounts": Line(EVERYBODY),
    # Of a client.
    "analytics:client_home": Line(MEMBERS),
    "ads:dashboard": Line(MEMBERS),
    "ads:creatives": Line(MEMBERS),
    "ads:angle": Line("302 404 403 302 302 302", "post", creative, {"angle": "price"}),
    "ads:object": Line(MEMBERS, row=adset),
    "ads:funnel": Line("302 404 403 302 302 302", "post", adset, {"funnel": ""}),
    "ads:children": Line(FRAGMENT, row=adset),
    "ads:imports": Line(MEMBERS),
    "ads:import_new": Line("302 404 403 200 200 200"),
    "ads:import_mapping": Line("302 404 403 200 200 200", row=raw_file),
    "ads:import_detail": Line(MEMBERS, row=import_run),
    "ads:import_progress": Line(MEMBERS, row=import_run),
    "ads:import_cancel": Line("302 404 403 302 302 302", "post", import_run),
    "ads:import_findings_csv": Line(MEMBERS, row=import_run),
    "clients:settings": Line(MEMBERS),
    "clients:products": Line(MEMBERS),
    "clients:new_product": Line(MANAGERS),
    "clients:product": Line(MANAGERS, row=product),
    "clients:switch_product": Line("302 404 403 403 302 302", "post", product),
    "clients:new_funnel": Line(MANAGERS),
    "clients:funnel": Line(MANAGERS, row=funnel),
    "clients:switch_funnel": Line("302 404 403 403 302 302", "post", funnel),
    "clients:team": Line(MEMBERS),
    "clients:invite": Line(OWNERS),
    "clients:change_role": Line("302 404 403 403 403 302", "post", colleague, {"role": "operator"}),
    "clients:remove_member": Line("302 404 403 403 403 302", "post", colleague),
    "clients:invite_again": Line("302 404 403 403 403 200", "post", invited),
    "clients:tokens": Line(MEMBERS),
    "clients:audit": Line(MEMBERS),
    "connectors:channels": Line(MEMBERS),
    "connectors:connect_meta": Line(MANAGERS),
    "connectors:connect_slack": Line(MANAGERS),
    "connectors:reconnect": Line(MANAGERS, row=account),
    "connectors:check": Line("302 404 403 302 302 302", "post", account),
    "connectors:switch": Line("302 404 403 403 302 302", "post", account),
    "suggestions:board": Line(MEMBERS),
    "suggestions:bulk": Line("302 404 404 404 404 404", "post"),
    "suggestions:archived": Line(MEMBERS, row=archived),
    "suggestions:detail": Line(MEMBERS, row=suggestion),
    "suggestions:card": Line(FRAGMENT, row=suggestion),
    "suggestions:approve": Line("302 404 403 302 302 302", "post", suggestion),
    "suggestions:refuse": Line("302 404 403 302 302 302", "post", suggestion, {"reason": "Not now."}),
    "suggestions:assign": Line("302 404 403 302 302 302", "post", queued),
    "suggestions:undo": Line("302 404 403 403 302 302", "post", done),
    "suggestions:try_again": Line("302 404 403 302 302 302", "post", stopped),
    "suggestions:give_up": Line("302 404 403 302 302 302", "post", stopped),
    "suggestions:outcomes": Line(MEMBERS),
    "suggestions:rules": Line(MEMBERS),
    "suggestions:rule": Line(MANAGERS, row=rule),
    "suggestions:switch_rule": Line("302 404 403 403 302 302", "post", rule),
}

# Whose rows are asked for elsewhere, each line by line: allauth is its own packages' affair, tests/api walks every
# endpoint of the API for every role, test_admin every table of the admin.
ONES_OWN = {"slack:unlink", "clients:revoke_token"}
ELSEWHERE = ("account_", "mfa_", "api-", "admin:")
OF_THE_API = "api/v1/"


def every_address():
    """`[(name, path)]` of the whole resolver, namespaces included."""

    def walk(resolver, path, spaces):
        for pattern in resolver.url_patterns:
            here = path + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield ":".join((*spaces, pattern.name or "")), here
            else:
                yield from walk(pattern, here, (*spaces, pattern.namespace) if pattern.namespace else spaces)

    return list(walk(get_resolver(), "", ()))
