"""Meta's usage headers, and the refusal when an account's allowance is used up.

Scores decay linearly over five minutes of sandbox time: a read costs 1 point, a write 3. They live in memory:
a restarted sandbox starts with an empty meter, as nobody depends on it for correctness.
"""

import json
import threading

from apps.sandbox.graph.errors import GraphError

DECAY_SECONDS = 300
DEFAULT_ALLOWANCE = 9000
_meters: dict[str, tuple[float, float]] = {}
_guard = threading.Lock()


def charge(key, points, now):
    """Add points to a meter and return its score after decay."""
    with _guard:
        score, at = _meters.get(key, (0.0, now))
        score = max(0.0, score * (1 - max(0.0, now - at) / DECAY_SECONDS)) + points
        _meters[key] = (score, now)
        return score


def forget():
    """Empty all meters."""
    with _guard:
        _meters.clear()


def meter(call):
    """Charge a call to its app and account and return the headers."""
    points = 3 if call.method in {"POST", "DELETE"} else 1
    app_score = charge(f"app:{call.token.app_id}", points, call.now)
    percent = min(100, round(app_score / DEFAULT_ALLOWANCE * 100))
    headers = {
        "X-App-Usage": json.dumps({"call_count": percent, "total_time": percent, "total_cputime": percent}),
    }
    account = call.notes.get("account")
    if account is None:
        return headers
    used = _used(account, charge(f"account:{account.pk}", points, call.now))
    return headers | account_headers(account.pk, used, 0, insights="insights" in call.path)


def refuse_if_over(call, account):
    """Refuse before any work is done when a scenario's `rate_limit_points` of this account are used up."""
    if not account.traits.get("rate_limit_points"):
        return
    used = _used(account, charge(f"account:{account.pk}", 0, call.now))
    if used >= 100:
        insights = "insights" in call.path
        headers = account_headers(account.pk, used, DECAY_SECONDS // 60, insights=insights)
        raise throttled(80000 if insights else 80004, headers=headers)


def _used(account, score):
    return round(score / (account.traits.get("rate_limit_points") or DEFAULT_ALLOWANCE) * 100, 2)


def account_headers(account_id, used, regain, *, insights):
    """The account's usage headers at this percentage; `regain` is in minutes."""
    tier = "standard_access"
    headers = {
        "X-Ad-Account-Usage": json.dumps(
            {
                "acc_id_util_pct": min(100.0, used),
                "reset_time_duration": DECAY_SECONDS,
                "ads_api_access_tier": tier,
            }
        ),
        "X-Business-Use-Case-Usage": json.dumps(
            {
                account_id: [
                    {
                        "type": "ads_insights" if insights else "ads_management",
                        "call_count": min(100, round(used)),
                        "total_cputime": min(100, round(used)),
                        "total_time": min(100, round(used)),
                        "estimated_time_to_regain_access": regain,
                        "ads_api_access_tier": tier,
                    }
                ]
            }
        ),
    }
    if insights:
        headers["X-FB-Ads-Insights-Throttle"] = json.dumps(
            {"app_id_util_pct": 0, "acc_id_util_pct": min(100.0, used), "ads_api_access_tier": tier}
        )
    return headers


def throttled(code, *, headers, subcode=None, status=400):
    """The refusal of a throttled account (17, 80000, 80004) or app (4)."""
    if code == 17:
        message = "(#17) User request limit reached"
        subcode = subcode or 2446079
    elif code == 4:
        message = "(#4) Application request limit reached"
    else:
        message = f"(#{code}) There have been too many calls from this ad-account. Wait a bit and try again."
        subcode = subcode or 2446079
    return GraphError(
        code,
        message,
        subcode=subcode,
        status=status,
        headers=headers,
        title="Ad Account Has Too Many API Calls",
    )
