"""Slack's Web API on the wire, and what its answers mean.

Slack answers 200 even when it refuses, with `{"ok": false, "error": "…"}`; only its rate limit has a status.
"""

import json

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.crypto import reveal
from apps.core.errors import NeedsReconnect, Rejected, Unavailable
from apps.core.http import Http
from apps.core.redaction import redact

# Slack's 429 names the seconds; this stands in where a proxy lost the header.
PAUSE = 30
TOO_MANY_REQUESTS = 429

RECONNECT = frozenset(
    {
        "access_denied",
        "account_inactive",
        "app_not_installed",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
# Slack broke half-way: part of the work may be done. Http turns this into `OutcomeUnknown` for writes.
BROKE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"})
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

SENTENCES = {
    "cant_update_message": _("Slack no longer lets Durum change this message."),
    "channel_not_found": _("Slack does not know this channel. Check its number, and invite Durum to it."),
    "edit_window_closed": _("Slack no longer lets Durum change this message."),
    "exchanged_trigger_id": _("Slack had already used this click. Press the button again."),
    "expired_trigger_id": _("Slack waited too long for the form. Press the button again."),
    "invalid_blocks": _("Slack does not accept the form of this message. Report it to whoever runs Durum."),
    "is_archived": _("This Slack channel is archived. Connect another one."),
    "message_not_found": _("This message was removed in Slack."),
    "missing_scope": _("Durum lacks a right in Slack. Install the app again with the rights listed in the manual."),
    "msg_blocks_too_long": _("This message is too long for Slack. Report it to whoever runs Durum."),
    "msg_too_long": _("This message is too long for Slack. Report it to whoever runs Durum."),
    "not_in_channel": _("Durum is not in this Slack channel. Invite it with /invite."),
    "users_not_found": _("Nobody in this Slack workspace has that e-mail address."),
    "user_not_found": _("Slack does not know this person."),
}


class SlackWire:
    """Calls with one bot token. Slack counts its limits per workspace and method, and so does the breaker."""

    def __init__(self, token, *, workspace="", client_id=None, timeout=30):
        self._token = reveal(token)
        self.workspace = workspace
        self.client_id = client_id
        self.timeout = timeout

    def call(self, method, *, writes, form=None, body=None):
        """The decoded answer of a Web API method; `form` for simple methods, `body` (JSON) for messages and views."""
        http = Http(
            "slack",
            settings.SLACK_API_URL,
            client_id=self.client_id,
            scope=f"{self.workspace}:{method}",
            read_error=read_error,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=self.timeout,
        )
        return http.call("POST", method, writes=writes, data=form, json=body).json()


def read_error(response):
    """Slack's own word on why not, as one of our errors; None for a good answer or one that is not Slack's."""
    if response.status_code == TOO_MANY_REQUESTS:
        return _paused(response, redact(response.text[:500]))
    answer = _decoded(response)
    if answer is None:
        return Unavailable(detail=redact(response.text[:500])) if response.is_success else None
    if answer.get("ok") is True:
        return None
    code = str(answer.get("error") or "unknown_error")
    detail = redact(json.dumps(answer)[:2000])
    if code in LIMITED:
        return _paused(response, detail)
    if code in BROKE:
        return Unavailable(detail=detail)
    if code in RECONNECT:
        sentence = SENTENCES.get(code, _("Slack no longer accepts Durum's access. Connect the workspace again."))
        return NeedsReconnect(sentence, code=code, detail=detail)
    return Rejected(SENTENCES.get(code, _("Slack refused the request.")), code=code, detail=detail)


def _paused(response, detail):
    try:
        seconds = max(1, int(float(response.headers["Retry-After"])))
    except (KeyError, ValueError):
        seconds = PAUSE
    return Unavailable(_("Slack asked for a pause. Durum goes on by itself."), retry_after=seconds, detail=detail)


def _decoded(response):
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
