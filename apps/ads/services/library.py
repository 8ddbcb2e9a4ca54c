"""The ads library: what every creative and every angle brought, recomputed from the daily results in two statements."""

from django.db import connection, transaction

from apps.ads import ratios
from apps.ads.models import Creative
from apps.clients.access import require
from apps.core import clock
from apps.core.audit import record


@transaction.atomic
def refresh(*, client_id):
    """Bring creative performance and tested angles of a client up to date. Safe to call at any time."""
    names = {"client": client_id, "now": clock.now()}
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, names)
        cursor.execute(_CREATIVES, names)
        cursor.execute(_ANGLES, names)
        cursor.execute(_ANGLES_LEFT, names)


@transaction.atomic
def set_angle(*, creative_id, angle, actor):
    """Write the angle of a creative by hand; reading the account again leaves it alone from now on."""
    creative = Creative.objects.select_for_update(of=("self",)).select_related("client").get(pk=creative_id)
    require(actor, "decide", creative.client)
    old, creative.angle, creative.angle_by_person = creative.angle, angle.strip()[:80], True
    creative.save(update_fields=["angle", "angle_by_person"])
    record(actor, "ads.creative.angle_set", creative, angle=[old, creative.angle])
    refresh(client_id=creative.client_id)
    return creative


_SUMS = f"""
    coalesce(sum(m.spend), 0) AS spend, coalesce(sum(m.impressions), 0) AS impressions,
    coalesce(sum(m.clicks), 0) AS clicks, coalesce(sum(m.leads), 0) AS leads,
    coalesce(sum(m.purchases), 0) AS purchases,
    CASE WHEN count(m.id) > 0 THEN {ratios.REVENUE_SUM_SQL} END AS revenue,
    min(m.day) AS first_day, max(m.day) AS last_day
"""
_RESULTS = "spend, impressions, clicks, leads, purchases, revenue, first_day, last_day, updated_at"
_TAKE_NEW = ", ".join(f"{name} = EXCLUDED.{name}" for name in _RESULTS.split(", "))
_FROM_ADS = f"""
    LEFT JOIN ads_adobject o ON o.client_id = %(client)s AND o.creative_id = c.id AND o.level = 'ad'
    LEFT JOIN ads_performancemetric m ON m.client_id = %(client)s AND m.ad_object_id = o.id
    LEFT JOIN ({ratios.OBJECT_VALUES_SQL.replace("%s", "%(client)s")}) v ON v.ad_object_id = o.id
"""
_SEEN = """
    UPDATE ads_creative c
       SET first_seen = least(c.first_seen, d.first_day), last_seen = greatest(c.last_seen, d.last_day)
      FROM (SELECT o.creative_id, min(m.day) AS first_day, max(m.day) AS last_day
              FROM ads_performancemetric m JOIN ads_adobject o ON o.id = m.ad_object_id
             WHERE m.client_id = %(client)s AND o.creative_id IS NOT NULL GROUP BY 1) d
     WHERE c.id = d.creative_id AND (c.first_seen > d.first_day OR c.last_seen < d.last_day)
"""
_CREATIVES = f"""
    INSERT INTO ads_creativeperformance (client_id, creative_id, ads_count, {_RESULTS})
    SELECT %(client)s, r.* FROM (
        SELECT c.id, count(DISTINCT o.id), {_SUMS}, %(now)s::timestamptz
          FROM ads_creative c {_FROM_ADS}
         WHERE c.client_id = %(client)s GROUP BY c.id) r
        ON CONFLICT (creative_id) DO UPDATE SET ads_count = EXCLUDED.ads_count, {_TAKE_NEW}
"""  # noqa: S608  (constants of this file)
_ANGLES = f"""
    INSERT INTO ads_testedangle (client_id, angle, creatives_count, {_RESULTS})
    SELECT %(client)s, r.* FROM (
        SELECT c.angle, count(DISTINCT c.id), {_SUMS}, %(now)s::timestamptz
          FROM ads_creative c {_FROM_ADS}
         WHERE c.client_id = %(client)s AND c.angle <> '' GROUP BY c.angle) r
        ON CONFLICT (client_id, angle) DO UPDATE SET creatives_count = EXCLUDED.creatives_count, {_TAKE_NEW}
"""  # noqa: S608  (constants of this file)
_ANGLES_LEFT = """
    DELETE FROM ads_testedangle t WHERE t.client_id = %(client)s
       AND NOT EXISTS (SELECT 1 FROM ads_creative c WHERE c.client_id = %(client)s AND c.angle = t.angle)
"""
