"""Meta's error envelope as our error kinds. Decided by code and subcode: the HTTP status says little.

Pure: a dict in, an exception (not raised) out. Sentences say what to do; `detail` keeps code and trace.
"""

import json

from django.utils.translation import gettext as _

from apps.core.errors import NeedsReconnect, Rejected, TooMuchData, Unavailable
from apps.core.redaction import redact

from .usage import wait_in

ANY = object()
# A pause for those who were refused without being told for how long.
DEFAULT_WAIT = 300

TOO_MUCH = {(2, 1504038), (100, 1504018), (100, 1487534), (-3, 1504045)}
WRONG_COMBINATION = {(2, 1504041), (2, 1504042)}
TRANSIENT = {(1, ANY), (2, ANY), (-2, 2490547), (960, ANY)}
TOO_MANY_CHANGES = {(613, 1487632), (17, 1885172)}
THROTTLED = {(code, ANY) for code in (4, 17, 32, 341, 613, *range(80000, 80015))}
DEAD_TOKEN = {(190, ANY), (102, ANY)}
NO_ROLE = (190, 492)
NO_RIGHT = {(code, ANY) for code in (3, 10, 294, *range(200, 300))} | {(100, 3191001)}
NOT_VISIBLE = (100, 33)
BAD_CURSOR = (100, 1349125)
BUDGET_TOO_SMALL = {(100, 1885272), (100, 1885650), (1885272, ANY), (1885650, ANY), (1487901, ANY)}
ARCHIVED = {(100, 1487056), (100, 1487566), (100, 1885088), (1487056, ANY), (1487566, ANY), (1885088, ANY)}
SERVER_ERROR = 500


def _in(key, table):
    return key in table or (key[0], ANY) in table


def error_of(envelope, *, status=400, headers=None):
    """The `ConnectorError` for `{"error": {…}}`, or None when there is no error in it."""
    error = envelope.get("error") if isinstance(envelope, dict) else None
    if not isinstance(error, dict):
        return None
    key = (_whole(error.get("code")), _whole(error.get("error_subcode")))
    detail = detail_of(error, status)
    text = str(error.get("message", ""))
    if _in(key, TOO_MUCH) or "reduce the amount of data" in text.lower():
        return TooMuchData(_("Meta found the question too large. Durum asks for less at a time."), detail=detail)
    if key == BAD_CURSOR:
        return Rejected(_("Meta forgot the place in the list."), detail=detail, code="bad_cursor")
    if key in WRONG_COMBINATION:
        return _refused(error, detail)
    return _access(key, detail) or _pause(key, error, status, headers, detail) or _of_object(key, error, detail)


def _access(key, detail):
    """The token is dead or does not reach far enough."""
    if key == NO_ROLE:
        return NeedsReconnect(
            _("The person behind the connection has no role on this page or account any more. Give it back in Meta."),
            detail=detail,
        )
    if _in(key, DEAD_TOKEN):
        return NeedsReconnect(
            _("Meta does not accept the token any more. Connect the ad account again with a new one."), detail=detail
        )
    if _in(key, NO_RIGHT):
        return NeedsReconnect(
            _("The token lacks a right (ads_read to look, ads_management to change). Connect again and grant it."),
            detail=detail,
            code="missing_right",
        )
    return None


def _pause(key, error, status, headers, detail):
    """Nothing happened and time heals it."""
    if key in TOO_MANY_CHANGES:
        # One object is over its own limit: no reason to stay away from the whole account.
        return Rejected(
            _("Meta allows only a few budget changes per hour and day here. Change it later."),
            detail=detail,
            code="too_many_changes",
        )
    if _in(key, THROTTLED):
        return Unavailable(
            _("Meta asked for a pause: too many calls for this account. Durum goes on by itself."),
            retry_after=wait_in(headers or {}) or DEFAULT_WAIT,
            detail=detail,
        )
    if _in(key, TRANSIENT) or error.get("is_transient") or (status >= SERVER_ERROR and key[0] != 100):
        return Unavailable(_("Meta has a problem of its own just now. Durum tries again by itself."), detail=detail)
    return None


def _of_object(key, error, detail):
    """Meta understood and said no."""
    if key == NOT_VISIBLE:
        return Rejected(
            _("Meta does not show this object: it was deleted, or the connection may not see it."),
            detail=detail,
            code="not_visible",
        )
    if key[0] == 2635:
        return Rejected(
            _("Meta has retired this version of its interface. Durum must be updated (META_GRAPH_VERSION)."),
            detail=detail,
            code="version_dead",
        )
    if key[0] == 368:
        return Rejected(
            _("Meta has blocked this action as against its rules. Look at the account in Ads Manager first."),
            detail=detail,
            code="blocked",
        )
    if _in(key, ARCHIVED):
        return Rejected(
            _("The object is archived or deleted at Meta: it cannot change."), detail=detail, code="archived"
        )
    if _in(key, BUDGET_TOO_SMALL):
        return Rejected(_said(error) or _("Meta finds the budget too small."), detail=detail, code="budget_too_small")
    return _refused(error, detail)


def _refused(error, detail):
    said = _said(error)
    if said:
        return Rejected(_("Meta refused: %(reason)s") % {"reason": said}, detail=detail)
    return Rejected(_("Meta refused the request. The technical detail says why."), detail=detail)


def _said(error):
    """What Meta wrote for people, if anything."""
    return redact(error.get("error_user_msg") or "")[:500]


def _whole(value):
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def detail_of(error, status):
    """One line for engineers: codes, Meta's message, blamed fields, trace."""
    blamed = error.get("error_data")
    if isinstance(blamed, str):
        try:
            blamed = json.loads(blamed)
        except ValueError:
            blamed = None
    parts = [f"HTTP {status}", f"code {error.get('code')}"]
    if error.get("error_subcode") is not None:
        parts.append(f"subcode {error['error_subcode']}")
    parts.append(redact(error.get("message", ""))[:600])
    if isinstance(blamed, dict) and blamed.get("blame_field_specs"):
        parts.append(f"fields {blamed['blame_field_specs']}")
    if error.get("fbtrace_id"):
        parts.append(f"fbtrace_id {error['fbtrace_id']}")
    return " · ".join(parts)
