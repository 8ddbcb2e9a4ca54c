"""Meta's usage headers: how full the allowance is, and how long to stay away.

Four headers in three shapes; any may be missing, and a broken one is no reason to fail a good answer.
"""

import json

FULL = 95
SHORT_PAUSE = 60


def read_usage(response):
    """`(percent, seconds to stay away or None)`; percent is None where Meta said nothing."""
    percents = list(_percents(response.headers))
    if not percents:
        return None, None
    percent = max(percents)
    return percent, (wait_in(response.headers) or SHORT_PAUSE) if percent >= FULL else None


def wait_in(headers):
    """Seconds until calls are welcome again, as far as the headers say; None when they do not."""
    waits = [_number(entry.get("estimated_time_to_regain_access")) * 60 for entry in _business(headers)]
    regain = max(waits, default=0)
    if regain:
        return int(regain)
    account = _parsed(headers, "X-Ad-Account-Usage")
    full = _number(account.get("acc_id_util_pct")) >= FULL
    return int(_number(account.get("reset_time_duration"))) or None if full else None


def _percents(headers):
    for name in ("X-App-Usage", "X-Ad-Account-Usage", "X-FB-Ads-Insights-Throttle"):
        for key, value in _parsed(headers, name).items():
            if key != "reset_time_duration" and isinstance(value, (int, float)):
                yield float(value)
    for entry in _business(headers):
        for key in ("call_count", "total_cputime", "total_time"):
            yield _number(entry.get(key))


def _business(headers):
    for entries in _parsed(headers, "X-Business-Use-Case-Usage").values():
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))


def _parsed(headers, name):
    text = headers.get(name) or headers.get(name.lower())
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(value):
    return float(value) if isinstance(value, (int, float)) else 0.0
