"""Builds a world from a short description: accounts with campaigns, ad sets and ads of known quality.

Everything not given is drawn from the seed, so the same description is the same world, ids included.
"""

import math
import uuid

from django.db import transaction

from apps.sandbox import clock, copywriting, models, tree
from apps.sandbox.graph import currency, usage
from apps.sandbox.world import noise

DAY = 86_400
OBJECTIVES = {
    "purchase": ("OUTCOME_SALES", "OFFSITE_CONVERSIONS"),
    "lead": ("OUTCOME_LEADS", "LEAD_GENERATION"),
}
AUDIENCES = (
    "Femmes 25-44",
    "Hommes 30-55",
    "Similaires 1 %",
    "Visiteurs 30 j",
    "Large France",
    "Amateurs",
    "Sud",
    "Nord",
)
_ALL = (
    models.Write, models.ReportRun, models.Node, models.Creative, models.Token, models.App, models.Account,
    models.Fault, models.RequestRecord, models.SlackDelivery, models.SlackHook, models.SlackView,
    models.SlackTrigger, models.SlackMessage, models.SlackChannel, models.SlackUser, models.SlackTeam, models.State,
)  # fmt: skip


def load(wanted):
    """Install a scenario and return the ids it made."""
    with transaction.atomic():
        if wanted.get("reset", True):
            for model in _ALL:
                model.objects.all().delete()
            usage.forget()
        state = clock.state()
        state.seed = str(wanted.get("seed", state.seed))
        for name in ("slack_rate_limit", "async_polls", "async_first_read_missing", "page_limit"):
            setattr(state, name, wanted.get(name, getattr(state, name)))
        state.save()
        if wanted.get("now") is not None:
            clock.set_to(clock.instant(wanted["now"]), running=bool(wanted.get("running")))
        known = models.Account.objects.count()
        specs = enumerate(wanted.get("accounts", []), start=known)
        accounts = [_account(state.seed, number, spec) for number, spec in specs]
        _apps_and_tokens(wanted, [account["id"] for account in accounts])
        made = {"accounts": accounts, "tokens": list(models.Token.objects.values_list("token", flat=True))}
        if wanted.get("slack"):
            made["slack"] = _slack(wanted["slack"])
    tree.forget()
    return made


def _apps_and_tokens(wanted, account_ids):
    for spec in wanted.get("apps", []):
        models.App.objects.update_or_create(
            pk=str(spec["id"]),
            defaults={"secret": spec.get("secret", ""), "requires_proof": spec.get("requires_proof", True)},
        )
    now = clock.now()
    for spec in wanted.get("tokens", []):
        app_id = str(spec.get("app") or wanted.get("apps", [{"id": "1"}])[0]["id"])
        models.App.objects.get_or_create(pk=app_id)
        expires = spec.get("expires_at")
        models.Token.objects.update_or_create(
            pk=spec["token"],
            defaults={
                "app_id": app_id,
                "user_id": str(spec.get("user_id") or "1221" + noise.digits(14, "user", spec["token"])),
                "user_name": spec.get("user_name", "Agence Durum"),
                "kind": spec.get("type", "SYSTEM_USER"),
                "scopes": spec.get("scopes", ["ads_read", "ads_management", "business_management"]),
                "account_ids": [str(one).removeprefix("act_") for one in spec.get("accounts", account_ids)],
                "issued_at": now,
                "expires_at": clock.instant(expires) if expires else None,
            },
        )


class _Maker:
    """Draws everything of one account that its description leaves open."""

    def __init__(self, seed, number, spec):
        self.spec = spec
        self.now = clock.now()
        self.id = str(spec.get("id") or "10" + noise.digits(15, seed, "account", number)).removeprefix("act_")
        self.seed = f"{seed}/{self.id}"
        self.position = 0
        self.nodes, self.creatives = [], []

    def draw(self, low, high, *key):
        return noise.between(noise.uniform(self.seed, *key), low, high)

    def skewed(self, sigma, *key):
        return math.exp(sigma * noise.normal(noise.uniform(self.seed, *key)))

    def name_id(self, *key):
        return "1202" + noise.digits(14, self.seed, *key)

    def next(self):
        self.position += 1
        return self.position


def _account(seed, number, spec):
    maker = _Maker(seed, number, spec)
    code = spec.get("currency", "EUR")
    conversion = spec.get("conversion") or ("purchase" if spec.get("reports_revenue", True) else "lead")
    scale = currency.per_euro(code)
    history = int(spec.get("history_days", 90))
    world = {
        "conversion": conversion,
        "reports_revenue": bool(spec.get("reports_revenue", True)) and conversion == "purchase",
        "order_value": float(spec.get("order_value", 65 * scale)),
        "noise": float(spec.get("noise", 1.0)),
    }
    account = models.Account.objects.create(
        pk=maker.id,
        name=spec.get("name", f"Compte {number + 1}"),
        currency=code,
        timezone=spec.get("timezone", "Europe/Paris"),
        status=int(spec.get("status", 1)),
        created_at=maker.now - (history + 200) * DAY,
        seed=maker.seed,
        traits={
            "birth": uuid.uuid4().hex,
            "world": world,
            "rate_limit_points": spec.get("rate_limit_points"),
            "trade": spec.get("trade") or noise.choice(noise.uniform(maker.seed, "trade"), tuple(copywriting.TRADES)),
        },
    )
    campaigns = spec.get("campaigns", 2)
    described = campaigns if isinstance(campaigns, list) else [{} for _ in range(int(campaigns))]
    for index, one in enumerate(described):
        _campaign(maker, account, index, one)
    models.Creative.objects.bulk_create(maker.creatives, batch_size=500)
    models.Node.objects.bulk_create(maker.nodes, batch_size=500)
    return _summary(account, maker)


def _summary(account, maker):
    kids = {}
    for node in maker.nodes:
        kids.setdefault(node.parent_id, []).append(node)
    return {
        "id": account.pk,
        "name": account.name,
        "currency": account.currency,
        "campaigns": [
            {
                "id": campaign.pk,
                "name": campaign.name,
                "daily_budget": campaign.daily_budget,
                "adsets": [
                    {
                        "id": adset.pk,
                        "name": adset.name,
                        "daily_budget": adset.daily_budget,
                        "ads": [ad.pk for ad in kids.get(adset.pk, [])],
                    }
                    for adset in kids.get(campaign.pk, [])
                ],
            }
            for campaign in kids.get(None, [])
        ],
    }


def _node(maker, account, kind, one, **more):
    status = one.get("status", "ACTIVE")
    age = float(one.get("age_days", more.pop("age_days")))
    born = maker.now - age * DAY
    node = models.Node(
        account=account,
        kind=kind,
        position=maker.next(),
        status=status,
        created_at=born,
        updated_at=born,
        **more,
    )
    node.initial = {
        "status": status,
        "daily_budget": node.daily_budget,
        "lifetime_budget": node.lifetime_budget,
    }
    maker.nodes.append(node)
    return node


def _minor(account, amount):
    return max(currency.minimum_daily_budget(account.currency), round(amount * currency.offset(account.currency)))


def _campaign(maker, account, index, one):
    spec, world = maker.spec, account.traits["world"]
    shared = one.get("campaign_budget", spec.get("campaign_budget", False))
    if not isinstance(shared, bool):
        shared = noise.uniform(maker.seed, "shared", index) < float(shared)
    kids = one.get("adsets", spec.get("adsets", 3))
    described = kids if isinstance(kids, list) else [{} for _ in range(int(kids))]
    objective, goal = OBJECTIVES[world["conversion"]]
    typical = float(spec.get("daily_budget", 40 * currency.per_euro(account.currency)))
    daily = one.get("daily_budget")
    if shared and daily is None and not one.get("lifetime_budget"):
        daily = _minor(account, typical * max(1, len(described)))
    node = _node(
        maker,
        account,
        "campaign",
        one,
        age_days=int(spec.get("history_days", 90)),
        pk=str(one.get("id") or maker.name_id("campaign", index)),
        name=one.get("name") or f"{'ABO' if not shared else 'CBO'} | {objective.title()} | {index + 1:02d}",
        daily_budget=daily,
        lifetime_budget=one.get("lifetime_budget"),
        traits={"objective": one.get("objective", objective), "bid_strategy": "LOWEST_COST_WITHOUT_CAP"}
        | one.get("traits", {}),
    )
    for number, adset in enumerate(described):
        _adset(maker, account, node, (index, number), adset, goal=goal, shared=shared, typical=typical)


def _adset(maker, account, campaign, key, one, *, goal, shared, typical):
    spec, world = maker.spec, account.traits["world"]
    history = int(spec.get("history_days", 90))
    scale = currency.per_euro(account.currency)
    daily = one.get("daily_budget")
    if daily is None and not shared and not one.get("lifetime_budget"):
        daily = _minor(account, round(typical * maker.skewed(0.35, "budget", *key)))
    major = (daily or 0) / currency.offset(account.currency) or typical
    quality = float(one.get("quality", maker.skewed(float(spec.get("quality_spread", 0.45)), "quality", *key)))
    reference = float(one.get("reference", major * maker.draw(0.7, 1.4, "reference", *key)))
    if world["conversion"] == "purchase":
        base = reference * float(spec.get("roi", 2.8)) * quality / world["order_value"]
    else:
        base = reference / (float(spec.get("cost_per_lead", 11 * scale))) * quality
    age = maker.draw(min(25, history), history, "age", *key)
    audience_name = AUDIENCES[(key[0] * 3 + key[1]) % len(AUDIENCES)]
    node = _node(
        maker,
        account,
        "adset",
        one,
        age_days=age,
        pk=str(one.get("id") or maker.name_id("adset", *key)),
        name=one.get("name") or f"{audience_name} | {key[1] + 1:02d}",
        parent=campaign,
        daily_budget=None if shared else daily,
        lifetime_budget=None if shared else one.get("lifetime_budget"),
        traits={
            "optimization_goal": goal,
            "bid_strategy": None if shared else "LOWEST_COST_WITHOUT_CAP",
            "destination_type": "WEBSITE",
            "targeting": {"geo_locations": {"countries": ["FR"]}, "age_min": 25, "age_max": 55},
            "promoted_object": {"pixel_id": maker.name_id("pixel")},
            "world": {
                "reference": reference,
                "base_conversions": base,
                "alpha": float(one.get("alpha", spec.get("alpha", 0.75))),
                "cpm": scale * maker.draw(6.5, 12.5, "cpm", *key),
                "ctr": maker.draw(0.011, 0.026, "ctr", *key),
                "audience": reference / scale * maker.draw(1800, 4200, "audience", *key),
                "weight": float(one.get("weight", quality)),
            },
        }
        | one.get("traits", {}),
    )
    ads = one.get("ads", spec.get("ads", 2))
    described = ads if isinstance(ads, list) else [{} for _ in range(int(ads))]
    born = (maker.now - node.created_at) / DAY
    for number, ad in enumerate(described):
        _ad(maker, account, node, (*key, number), ad, born=born)


def _ad(maker, account, adset, key, one, *, born):
    def pick(options):
        return noise.choice(noise.uniform(maker.seed, "copy", *key, len(options), options[0]), options)

    text = copywriting.creative(account.traits["trade"], pick)
    text |= {name: one[name] for name in ("angle", "hook", "format", "body", "cta", "link") if name in one}
    name = one.get("name") or f"{text['format'][:3]} | {text['angle']} | {text['hook']}"
    creative = models.Creative(
        pk=maker.name_id("creative", *key), account=account, position=maker.next(), name=name, traits=text
    )
    maker.creatives.append(creative)
    age = born if key[-1] == 0 else maker.draw(min(3, born), born, "ad age", *key)
    _node(
        maker,
        account,
        "ad",
        one,
        age_days=age,
        pk=str(one.get("id") or maker.name_id("ad", *key)),
        name=name,
        parent=adset,
        creative=creative,
        traits={
            "world": {
                "appeal": float(one.get("appeal", maker.skewed(0.18, "appeal", *key))),
                "persuasion": float(one.get("persuasion", maker.skewed(0.12, "persuasion", *key))),
                "wear": float(one.get("wear", maker.draw(0.5, 2.2, "wear", *key))),
                "video": text["format"] == "VIDEO",
            },
            "review": one.get("review"),
        }
        | one.get("traits", {}),
    )


def add_ad(adset, one):
    """A person makes a new ad in an ad set, starting now; what `one` leaves open is drawn."""
    account = adset.account
    maker = _Maker(account.seed, 0, {"id": account.pk})
    maker.seed = account.seed
    newest = models.Node.objects.filter(account=account).order_by("-position").values_list("position", flat=True)
    maker.position = (newest.first() or 0) + 1
    with transaction.atomic():
        _ad(maker, account, adset, (adset.pk, "new", maker.position), {"age_days": 0} | one, born=0)
        models.Creative.objects.bulk_create(maker.creatives)
        models.Node.objects.bulk_create(maker.nodes)
        account.version += 1
        account.save(update_fields=["version"])
    return maker.nodes[0]


def _slack(spec):
    team = models.SlackTeam.objects.create(
        pk=spec.get("team_id", "T0SANDBOX1"),
        name=spec.get("name", "Agence"),
        bot_token=spec.get("bot_token", "xoxb-sandbox"),
        signing_secret=spec.get("signing_secret", "sandbox-signing-secret"),
        interactivity_url=spec.get("interactivity_url", ""),
        bot_user_id=spec.get("bot_user_id", "U0BOT00001"),
        app_id=spec.get("app_id", "A0DURUM001"),
    )
    for number, user in enumerate(spec.get("users", [])):
        models.SlackUser.objects.create(
            team=team,
            pk=user.get("id") or f"U{number + 1:09d}",
            email=user.get("email", ""),
            name=user.get("name") or user.get("email", "").partition("@")[0],
            deleted=bool(user.get("deleted")),
        )
    named = [{"name": one} if isinstance(one, str) else one for one in spec.get("channels", [])]
    for number, channel in enumerate(named):
        models.SlackChannel.objects.create(
            team=team,
            pk=channel.get("id") or f"C{number + 1:09d}",
            name=channel.get("name") or f"canal-{number + 1}",
            member=bool(channel.get("member", True)),
            archived=bool(channel.get("archived")),
        )
    return {
        "team_id": team.pk,
        "channels": {channel.name: channel.pk for channel in team.channels.all()},
        "users": {user.email: user.pk for user in team.users.all()},
    }
