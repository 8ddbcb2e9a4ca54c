"""What Durum can do with a Meta ad account. Reads are page by page, so that whoever reads can stop anywhere."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.connectors import currencies, registry
from apps.connectors.checks import Checked
from apps.connectors.models import Channel
from apps.core import clock
from apps.core.errors import ConnectorError, Rejected

from . import mapping
from .client import GraphClient, query
from .errors import error_of
from .records import LEVELS, ObjectState, Page, Report

NEEDED_RIGHTS = ("ads_read", "ads_management")
EDGES = {"campaign": "campaigns", "adset": "adsets", "ad": "ads"}
# Edges leave out archived and deleted objects unless every status is named; each edge knows its own statuses.
_STATUSES = ["ACTIVE", "PAUSED", "IN_PROCESS", "WITH_ISSUES"]
_REVIEW = ["PENDING_REVIEW", "DISAPPROVED", "PREAPPROVED", "PENDING_BILLING_INFO"]
STATUSES = {
    "campaign": _STATUSES,
    "adset": [*_STATUSES, "CAMPAIGN_PAUSED"],
    "ad": [*_STATUSES, "CAMPAIGN_PAUSED", "ADSET_PAUSED", *_REVIEW],
}
GONE = ["ARCHIVED", "DELETED"]
DEAD_TOKEN = 190
EXPIRES_SOON = dt.timedelta(days=7)
STRUCTURE_LIMIT = 200
INSIGHTS_LIMIT = 1000
_REPORT_STATES = {"Job Completed": "done", "Job Failed": "failed", "Job Skipped": "gone"}
_STATE_FIELDS = "id,status,effective_status,daily_budget,lifetime_budget"


class MetaAds:
    """One ad account, seen with one token."""

    def __init__(self, token, account, *, client_id=None):
        self.account_id = account
        self.graph = GraphClient(token, account=account, client_id=client_id)
        self._account = None

    @property
    def version_warning(self):
        """Meta's word about a version near its end; "" while all is well."""
        return self.graph.version_warning

    def accounts(self):
        """Every ad account the token reaches."""
        found, after = [], ""
        while True:
            page = self.graph.page(
                "me/adaccounts", endpoint="me/adaccounts", after=after, limit=100, fields=mapping.ACCOUNT_FIELDS
            )
            found += [mapping.account(raw) for raw in page.data]
            after = page.after
            if not after:
                return found

    def account(self):
        """The account itself, read once."""
        if self._account is None:
            raw = self.graph.get(self.account_id, endpoint="act_{id}", fields=mapping.ACCOUNT_FIELDS)
            self._account = mapping.account(raw)
        return self._account

    def structure_page(self, level, *, after="", limit=STRUCTURE_LIMIT, gone=True):
        """One page of campaigns, ad sets or ads; `gone` includes archived and deleted ones."""
        page = self.graph.page(
            f"{self.account_id}/{EDGES[level]}",
            endpoint=f"act_{{id}}/{EDGES[level]}",
            after=after,
            limit=limit,
            fields=mapping.FIELDS[level],
            effective_status=STATUSES[level] + (GONE if gone else []),
        )
        return Page(tuple(mapping.node(level, raw) for raw in page.data), page.after, page.raw)

    def read_nodes(self, ids_by_level):
        """Objects by id, `{level: [ids]}`: the `AdNode`, or None for one Meta does not show any more."""
        paths = {
            query(object_id, fields=mapping.FIELDS[level]): (level, object_id)
            for level in LEVELS
            for object_id in ids_by_level.get(level, ())
        }
        found = {}
        for path, answer in self.graph.read_many(list(paths), endpoint="batch/objects").items():
            level, object_id = paths[path]
            if isinstance(answer, ConnectorError):
                if answer.code != "not_visible":
                    raise answer
                found[object_id] = None
            else:
                found[object_id] = mapping.node(level, answer)
        return found

    def insights_page(self, since, until, *, after="", limit=INSIGHTS_LIMIT):
        """One page of results per ad and day, both days included, in the account's own days."""
        page = self.graph.page(
            f"{self.account_id}/insights",
            endpoint="act_{id}/insights",
            after=after,
            limit=limit,
            **_insight_query(since, until),
        )
        return _insight_page(page)

    def start_report(self, since, until):
        """Ask for a range as an asynchronous run, for ranges too large to be answered at once. Returns its id."""
        answer = self.graph.post(
            f"{self.account_id}/insights",
            endpoint="act_{id}/insights (async)",
            writes=False,
            **_insight_query(since, until),
        )
        return str(answer["report_run_id"] if isinstance(answer, dict) else answer)

    def report(self, report_id):
        """How far an asynchronous run is."""
        try:
            answer = self.graph.get(report_id, endpoint="{report}")
        except Rejected as exc:
            # Right after its creation a run may not be visible yet; a run that stays invisible is given up by age.
            if exc.code == "not_visible":
                return Report(report_id, "running", 0, exc.detail)
            raise
        percent = int(answer.get("async_percent_completion") or 0)
        state = _REPORT_STATES.get(answer.get("async_status"), "running")
        if state == "done" and percent < 100:
            state = "running"
        detail = " · ".join(
            str(answer[key]) for key in ("error_code", "error_subcode", "error_message") if key in answer
        )
        return Report(report_id, state, percent, detail)

    def report_page(self, report_id, *, after="", limit=INSIGHTS_LIMIT):
        """One page of a finished run."""
        page = self.graph.page(f"{report_id}/insights", endpoint="{report}/insights", after=after, limit=limit)
        return _insight_page(page)

    def read_object(self, object_id):
        """Switch and budgets of one object right now, for the guard before a change and the proof after it."""
        raw = self.graph.get(object_id, endpoint="{object}", fields=_STATE_FIELDS)
        return ObjectState(
            id=object_id,
            status=raw.get("status", ""),
            effective_status=raw.get("effective_status", ""),
            daily_budget=mapping.budget(raw.get("daily_budget")),
            lifetime_budget=mapping.budget(raw.get("lifetime_budget")),
            currency=self.account().currency,
            raw=raw,
        )

    def set_daily_budget(self, object_id, minor):
        """Set the absolute daily budget of a campaign or ad set. A lost answer is `OutcomeUnknown`: read it back."""
        currencies.offset(self.account().currency)  # an unknown currency is refused before anything leaves
        if isinstance(minor, bool) or not isinstance(minor, int) or minor <= 0:
            raise ValueError(f"a daily budget is a positive whole number of minor units, not {minor!r}")
        self.graph.post(object_id, endpoint="{object} budget", daily_budget=str(minor))

    def set_status(self, object_id, status):
        """Switch an object ACTIVE or PAUSED. A lost answer is `OutcomeUnknown`."""
        if status not in ("ACTIVE", "PAUSED"):
            raise ValueError(f"Durum switches ACTIVE or PAUSED, not {status!r}")
        self.graph.post(object_id, endpoint="{object} status", status=status)

    def check(self):
        """Test the connection; raises the same errors as every other call."""
        token = self.graph.debug_token() or {}
        if token.get("is_valid") is False:
            told = token.get("error") or {}
            raise error_of({"error": {"code": DEAD_TOKEN, "error_subcode": told.get("subcode"), **told}})
        account = self.account()
        return Checked(
            text=f"{account.name} · {account.currency} · {account.time_zone}",
            warnings=tuple(self._warnings(token, account)),
        )

    def _warnings(self, token, account):
        missing = [right for right in NEEDED_RIGHTS if token and right not in token.get("scopes", ())]
        if missing:
            yield _("The token lacks: %(rights)s. Connect again and grant it.") % {"rights": ", ".join(missing)}
        if token.get("expires_at"):
            left = dt.datetime.fromtimestamp(token["expires_at"], dt.UTC) - clock.now()
            if left < EXPIRES_SOON:
                days = max(0, left.days)
                yield ngettext(
                    "The token expires in %(days)d day. Connect again before.",
                    "The token expires in %(days)d days. Connect again before.",
                    days,
                ) % {"days": days}
        if not account.is_open:
            yield _("Meta has disabled this account. Look at it in Ads Manager.")
        if not currencies.is_known(account.currency):
            yield _("Durum cannot write budgets in %(currency)s.") % {"currency": account.currency}
        if self.version_warning:
            yield _("Meta warns about the version in use: %(warning)s") % {"warning": self.version_warning}


def _insight_query(since, until):
    return {
        "level": "ad",
        "time_increment": "1",
        "time_range": {"since": since.isoformat(), "until": until.isoformat()},
        "fields": mapping.INSIGHT_FIELDS,
    }


def _insight_page(page):
    return Page(tuple(map(mapping.insight, page.data)), page.after, page.raw)


def from_channel(channel):
    """The connector of a connected ad account."""
    return MetaAds(channel.token, channel.external_id, client_id=channel.client_id)


registry.register(Channel.Platform.META_ADS, from_channel)
