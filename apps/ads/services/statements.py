"""The SQL of `storing`: one page from its temporary table into the tables. Every value is a named parameter."""

OBJECTS = """
    external_id text, parent_external text, name text, status text, effective_status text, objective text,
    optimization_goal text, daily_budget bigint, lifetime_budget bigint, bid_strategy text, learning_status text,
    creative_external text, updated_at timestamptz
"""
CREATIVES = """
    external_id text, name text, format text, angle text, hook text, title text, copy text, call_to_action text,
    link_url text, media_url text, first_seen date, last_seen date
"""
METRICS = """
    external_id text, adset_external text, campaign_external text, day date, spend numeric, impressions bigint,
    reach bigint, clicks bigint, link_clicks bigint, leads numeric, purchases numeric, revenue numeric
"""


INSERT_STUBS = """
    INSERT INTO ads_adobject (client_id, level, external_id, name, parent_id, account_id, channel_id, currency, status,
        effective_status, objective, optimization_goal, time_zone, bid_strategy, learning_status, seen_at, created_at)
    SELECT DISTINCT ON (t.{column}) %(client)s, %(stub_level)s, t.{column}, t.{column},
           coalesce(p.id, %(account)s), %(account)s, %(channel)s, %(currency)s, 'PAUSED', '', '', '', '', '', '',
           '2000-01-01T00:00:00Z'::timestamptz, %(now)s
      FROM {table} t
      LEFT JOIN ads_adobject p
        ON p.client_id = %(client)s AND p.level = %(above)s AND p.external_id = {parent}
     WHERE t.{column} <> ''
       AND NOT EXISTS (SELECT 1 FROM ads_adobject o WHERE o.client_id = %(client)s AND o.level = %(stub_level)s
                          AND o.external_id = t.{column})
     ORDER BY t.{column}
        ON CONFLICT (client_id, level, external_id) DO NOTHING
"""
# A page older than our own write must not bring the old value back.
_OURS = "ads_adobject.written_at > %(read_at)s"
_DIFFERS = (
    "(ads_adobject.status, ads_adobject.daily_budget_minor, ads_adobject.lifetime_budget_minor) IS DISTINCT FROM "
    "(EXCLUDED.status, EXCLUDED.daily_budget_minor, EXCLUDED.lifetime_budget_minor)"
)
# Objects from a file and stubs have never been read, so nothing about them can have been changed since.
_READ_BEFORE = "ads_adobject.channel_id IS NOT NULL AND ads_adobject.seen_at > '2000-01-02'"
UPSERT_OBJECTS = f"""
    WITH stored AS (
    INSERT INTO ads_adobject (client_id, level, external_id, parent_id, account_id, channel_id, name, status,
        effective_status, objective, optimization_goal, currency, time_zone, daily_budget_minor, lifetime_budget_minor,
        bid_strategy, learning_status, creative_id, platform_updated_at, seen_at, created_at)
    SELECT DISTINCT ON (t.external_id) %(client)s, %(level)s, t.external_id, coalesce(p.id, %(account)s), %(account)s,
           %(channel)s, t.name, t.status, t.effective_status, t.objective, t.optimization_goal, %(currency)s, '',
           t.daily_budget, t.lifetime_budget, t.bid_strategy, t.learning_status, c.id, t.updated_at, %(now)s, %(now)s
      FROM fetch_objects t
      LEFT JOIN ads_adobject p
        ON p.client_id = %(client)s AND p.level = %(parent_level)s AND p.external_id = t.parent_external
      LEFT JOIN ads_creative c ON c.client_id = %(client)s AND c.external_id = t.creative_external
     ORDER BY t.external_id
        ON CONFLICT (client_id, level, external_id) DO UPDATE SET
           parent_id = EXCLUDED.parent_id, account_id = EXCLUDED.account_id, channel_id = EXCLUDED.channel_id,
           name = EXCLUDED.name, effective_status = EXCLUDED.effective_status, objective = EXCLUDED.objective,
           optimization_goal = EXCLUDED.optimization_goal, currency = EXCLUDED.currency,
           status = CASE WHEN {_OURS} THEN ads_adobject.status ELSE EXCLUDED.status END,
           daily_budget_minor =
               CASE WHEN {_OURS} THEN ads_adobject.daily_budget_minor ELSE EXCLUDED.daily_budget_minor END,
           lifetime_budget_minor =
               CASE WHEN {_OURS} THEN ads_adobject.lifetime_budget_minor ELSE EXCLUDED.lifetime_budget_minor END,
           changed_elsewhere_at = CASE WHEN ({_OURS}) IS NOT TRUE AND {_READ_BEFORE} AND {_DIFFERS}
               THEN %(read_at)s ELSE ads_adobject.changed_elsewhere_at END,
           bid_strategy = EXCLUDED.bid_strategy, learning_status = EXCLUDED.learning_status,
           creative_id = coalesce(EXCLUDED.creative_id, ads_adobject.creative_id),
           platform_updated_at = EXCLUDED.platform_updated_at, seen_at = EXCLUDED.seen_at
    RETURNING xmax = 0 AS is_new, changed_elsewhere_at = %(read_at)s AS was_changed)
    SELECT count(*), count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE was_changed) FROM stored
"""  # noqa: S608  (put together from constants of this file)
UPSERT_CREATIVES = """
    INSERT INTO ads_creative (client_id, external_id, name, format, angle, angle_by_person, hook, title, copy,
        call_to_action, link_url, media_url, first_seen, last_seen)
    SELECT %(client)s, external_id, name, format, angle, false, hook, title, copy, call_to_action, link_url, media_url,
           first_seen, last_seen
      FROM fetch_creatives
     ORDER BY external_id
        ON CONFLICT (client_id, external_id) DO UPDATE SET
           name = EXCLUDED.name, format = EXCLUDED.format, hook = EXCLUDED.hook, title = EXCLUDED.title,
           copy = EXCLUDED.copy, call_to_action = EXCLUDED.call_to_action, link_url = EXCLUDED.link_url,
           media_url = EXCLUDED.media_url,
           angle = CASE WHEN ads_creative.angle_by_person THEN ads_creative.angle
                        ELSE coalesce(nullif(EXCLUDED.angle, ''), ads_creative.angle) END,
           first_seen = least(ads_creative.first_seen, EXCLUDED.first_seen),
           last_seen = greatest(ads_creative.last_seen, EXCLUDED.last_seen)
"""
SOME_UNKNOWN = """
    SELECT EXISTS (SELECT 1 FROM (SELECT DISTINCT external_id FROM fetch_metrics) t
                    WHERE NOT EXISTS (SELECT 1 FROM ads_adobject o WHERE o.client_id = %(client)s AND o.level = 'ad'
                                         AND o.external_id = t.external_id))
"""
UPSERT_METRICS = """
    INSERT INTO ads_performancemetric (client_id, ad_object_id, day, spend, impressions, reach, clicks, link_clicks,
        leads, purchases, revenue, run_id)
    SELECT %(client)s, o.id, t.day, t.spend, t.impressions, t.reach, t.clicks, t.link_clicks, t.leads, t.purchases,
           t.revenue, %(run)s
      FROM fetch_metrics t
      JOIN ads_adobject o ON o.client_id = %(client)s AND o.level = 'ad' AND o.external_id = t.external_id
        ON CONFLICT (client_id, ad_object_id, day) DO UPDATE SET
           spend = EXCLUDED.spend, impressions = EXCLUDED.impressions, reach = EXCLUDED.reach,
           clicks = EXCLUDED.clicks, link_clicks = EXCLUDED.link_clicks, leads = EXCLUDED.leads,
           purchases = EXCLUDED.purchases, revenue = EXCLUDED.revenue, run_id = EXCLUDED.run_id
"""
SPEND_HISTORY = """
    WITH per_adset AS (
        SELECT CASE WHEN o.level = 'ad' THEN o.parent_id ELSE o.id END AS adset_id, m.day, sum(m.spend) AS spend
          FROM ads_performancemetric m JOIN ads_adobject o ON o.id = m.ad_object_id
         WHERE m.client_id = %(client)s AND o.account_id = %(account)s AND m.day BETWEEN %(since)s AND %(until)s
         GROUP BY 1, 2),
    per_object AS (
        SELECT adset_id AS ad_object_id, day, spend FROM per_adset
        UNION ALL
        SELECT a.parent_id, s.day, sum(s.spend) FROM per_adset s JOIN ads_adobject a ON a.id = s.adset_id
         WHERE a.parent_id IS NOT NULL GROUP BY 1, 2),
    stored AS (
        INSERT INTO ads_spendhistory (client_id, ad_object_id, day, daily_budget_minor, spend)
        SELECT %(client)s, p.ad_object_id, p.day, NULL, p.spend
          FROM per_object p JOIN ads_adobject o ON o.id = p.ad_object_id AND o.level IN ('adset', 'campaign')
            ON CONFLICT (client_id, ad_object_id, day) DO UPDATE SET spend = EXCLUDED.spend)
    UPDATE ads_spendhistory h SET spend = 0
      FROM ads_adobject o
     WHERE o.id = h.ad_object_id AND o.account_id = %(account)s AND h.client_id = %(client)s AND h.spend <> 0
       AND h.day BETWEEN %(since)s AND %(until)s
       AND NOT EXISTS (SELECT 1 FROM per_object p WHERE p.ad_object_id = h.ad_object_id AND p.day = h.day)
"""
BUDGETS_TODAY = """
    INSERT INTO ads_spendhistory (client_id, ad_object_id, day, daily_budget_minor, spend)
    SELECT %(client)s, o.id, %(today)s, o.daily_budget_minor, 0
      FROM ads_adobject o
     WHERE o.client_id = %(client)s AND o.account_id = %(account)s AND o.level IN ('adset', 'campaign')
       AND o.status = 'ACTIVE' AND o.daily_budget_minor > 0
        ON CONFLICT (client_id, ad_object_id, day) DO UPDATE SET daily_budget_minor = EXCLUDED.daily_budget_minor
"""
