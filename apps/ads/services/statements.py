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


UPSERT_SNAPSHOT = """
    INSERT INTO ads_rawsnapshot (client_id, run_id, account, kind, page, payload, sha256, fetched_at)
    VALUES (%(client)s, %(run)s, %(account)s, %(kind)s, %(page)s, %(payload)s, %(sha256)s, %(now)s)
        ON CONFLICT (client_id, run_id, kind, page) DO UPDATE
       SET payload = EXCLUDED.payload, sha256 = EXCLUDED.sha256, fetched_at = EXCLUDED.fetched_at
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
SPEND = """
    ad_object_id bigint, day date, spend numeric, PRIMARY KEY (ad_object_id, day)
"""
# Through a table with a key, whose joins cannot grow with the square of the rows, and over the whole client: a filter
# on the account tempts the planner into just that, and the client's other accounts come out as they are.
SPEND_OF_ADSETS = """
    INSERT INTO fetch_spend (ad_object_id, day, spend)
    SELECT CASE WHEN o.level = 'ad' THEN o.parent_id ELSE o.id END, m.day, sum(m.spend)
      FROM ads_performancemetric m JOIN ads_adobject o ON o.id = m.ad_object_id
     WHERE m.client_id = %(client)s AND m.day BETWEEN %(since)s AND %(until)s
       AND (o.level = 'adset' OR o.level = 'ad' AND o.parent_id IS NOT NULL)
     GROUP BY 1, 2
"""
SPEND_OF_CAMPAIGNS = """
    INSERT INTO fetch_spend (ad_object_id, day, spend)
    SELECT o.parent_id, f.day, sum(f.spend)
      FROM fetch_spend f JOIN ads_adobject o ON o.id = f.ad_object_id
     WHERE o.parent_id IS NOT NULL AND o.level = 'adset'
     GROUP BY 1, 2
        ON CONFLICT (ad_object_id, day) DO UPDATE SET spend = fetch_spend.spend + EXCLUDED.spend
"""
SPEND_HISTORY = """
    INSERT INTO ads_spendhistory (client_id, ad_object_id, day, daily_budget_minor, spend)
    SELECT %(client)s, ad_object_id, day, NULL, spend FROM fetch_spend
        ON CONFLICT (client_id, ad_object_id, day) DO UPDATE SET spend = EXCLUDED.spend
     WHERE ads_spendhistory.spend <> EXCLUDED.spend
"""
SPEND_TAKEN_BACK = """
    UPDATE ads_spendhistory h SET spend = 0
     WHERE h.client_id = %(client)s AND h.day BETWEEN %(since)s AND %(until)s AND h.spend <> 0
       AND NOT EXISTS (SELECT 1 FROM fetch_spend p WHERE p.ad_object_id = h.ad_object_id AND p.day = h.day)
"""
# The account by a subquery and not a join, for the same want of statistics.
REMOVE_VANISHED = """
    DELETE FROM ads_performancemetric m
     WHERE m.client_id = %(client)s AND m.day BETWEEN %(since)s AND %(until)s AND m.run_id IS DISTINCT FROM %(run)s
       AND (SELECT o.account_id FROM ads_adobject o WHERE o.id = m.ad_object_id) = %(account)s
"""
BUDGETS_TODAY = """
    INSERT INTO ads_spendhistory (client_id, ad_object_id, day, daily_budget_minor, spend)
    SELECT %(client)s, o.id, %(today)s, o.daily_budget_minor, 0
      FROM ads_adobject o
     WHERE o.client_id = %(client)s AND o.account_id = %(account)s AND o.level IN ('adset', 'campaign')
       AND o.status = 'ACTIVE' AND o.daily_budget_minor > 0
        ON CONFLICT (client_id, ad_object_id, day) DO UPDATE SET daily_budget_minor = EXCLUDED.daily_budget_minor
"""
# Tables without statistics, or several times larger than when they were made.
GROWN_TABLES = """
    SELECT oid::regclass::text FROM pg_class
     WHERE relname = ANY (%s) AND relkind = 'r' AND relnamespace = current_schema()::regnamespace
       AND (reltuples < 0 OR pg_relation_size(oid) / 8192 > 3 * relpages + 100)
"""
