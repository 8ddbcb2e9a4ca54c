"""Yesterday's figures of many clients at once: a fixed number of queries, however many there are."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Max, Q

from apps.ads import ratios
from apps.ads.models import AdObject, PerformanceMetric
from apps.ads.reports import Totals
from apps.ads.selectors import yesterday_of

USUAL_DAYS = 7
COURSE_DAYS = 14


@dataclass(frozen=True)
class Latest:
    """The newest whole day of a client in one currency, beside its usual day (mean of the seven before)."""

    client: object
    currency: str
    day: date
    is_yesterday: bool
    totals: Totals
    usual_spend: Decimal | None
    usual_leads: Decimal | None
    course: dict

    @property
    def spend_change(self):
        return ratios.change(self.totals.spend, self.usual_spend)

    @property
    def leads_change(self):
        return ratios.change(self.totals.leads, self.usual_leads)

    @property
    def meets_target(self):
        """Whether the day's ROI reaches the client's target; None where the ROI is unknown."""
        return None if self.totals.roi is None else self.totals.roi >= self.client.roi_target


def latest_of(clients):
    """`{client id: [Latest]}`, one per currency that has numbers in the last fortnight of the client's data."""
    days = _last_days(clients)
    if not days:
        return {}
    by_day = defaultdict(list)
    for pk, day in days.items():
        by_day[day].append(pk)
    wanted = Q()
    for day, ids in by_day.items():
        wanted |= Q(client_id__in=ids, day__gt=day - timedelta(days=COURSE_DAYS), day__lte=day)
    rows = PerformanceMetric.objects.filter(wanted).order_by().values("client_id", "ad_object__currency", "day")
    sums = defaultdict(dict)
    for row in rows.annotate(**ratios.sums()):
        sums[row["client_id"], row["ad_object__currency"]][row["day"]] = Totals.of(row)
    found = defaultdict(list)
    for client in clients:
        for (pk, currency), course in sorted(sums.items()):
            if pk == client.pk:
                found[pk].append(_latest(client, currency, days[pk], course))
    return dict(found)


def _latest(client, currency, day, course):
    before = [course[one] for one in (day - timedelta(days=n) for n in range(1, USUAL_DAYS + 1)) if one in course]
    dates = [day - timedelta(days=n) for n in range(COURSE_DAYS - 1, -1, -1)]
    nothing = Totals()
    return Latest(
        client=client,
        currency=currency,
        day=day,
        is_yesterday=day == yesterday_of(client),
        totals=course.get(day, nothing),
        usual_spend=sum(one.spend for one in before) / len(before) if before else None,
        usual_leads=sum(one.leads for one in before) / len(before) if before else None,
        course={
            key: [getattr(course.get(one, nothing), key) for one in dates] for key in ("spend", "leads", "cpl", "roi")
        },
    )


def _last_days(clients):
    """The newest whole day of each client, as `ads.selectors.last_day` says it."""
    ids = [client.pk for client in clients]
    accounts = AdObject.objects.filter(client_id__in=ids, level=AdObject.Level.ACCOUNT, channel__isnull=False)
    connected = set(accounts.values_list("client_id", flat=True))
    unconnected = [pk for pk in ids if pk not in connected]
    newest = {}
    if unconnected:
        files = PerformanceMetric.objects.filter(client_id__in=unconnected).order_by().values_list("client_id")
        newest = dict(files.annotate(Max("day")))
    days = {}
    for client in clients:
        yesterday = yesterday_of(client)
        if client.pk in connected:
            days[client.pk] = yesterday
        elif client.pk in newest:
            days[client.pk] = min(newest[client.pk], yesterday)
    return days
