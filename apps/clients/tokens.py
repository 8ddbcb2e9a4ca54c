"""API tokens: how a request that carries one is known, and whose rows it may see."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import TokenScheme
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed

from apps.core import clock

from .models import ApiToken

API_PATH = "/api/"
# The last use is told to the minute: a script that asks a hundred times a second must not write as often.
SEEN_EVERY = timedelta(minutes=1)


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Token …`. Expired tokens stay in the list, so that their owner sees what happened."""

    def authenticate(self, request):
        known = getattr(request, "token_caller", None)
        if known is not None:
            return known
        return super().authenticate(request)

    def authenticate_credentials(self, token):
        if not token.isascii():
            raise AuthenticationFailed(_("Invalid token."))
        user, row = super().authenticate_credentials(token)
        _note_use(row)
        return user, row

    def _cleanup_token(self, auth_token):
        return not auth_token.is_valid


class DurumTokenScheme(TokenScheme):
    """How the OpenAPI document describes it."""

    target_class = "apps.clients.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <your token>`. Made in Durum under Settings, API tokens; shown once.",
        }


def caller_of(request):
    """The person in whose name the request comes: of its token, else of its session.

    Tokens count below `/api/` only. A token that is wrong makes nobody of the request, whatever cookie it carries:
    the framework then answers 401.
    """
    header = get_authorization_header(request)
    if not request.path_info.startswith(API_PATH) or not header.lower().startswith(b"token"):
        return request.user
    try:
        found = TokenAuthentication().authenticate(request)
    except APIException:
        return None
    if found is None:
        return request.user
    request.token_caller = found
    return found[0]


def _note_use(row):
    now = clock.now()
    if row.last_used_at is None or row.last_used_at < now - SEEN_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)


LIFETIMES = {
    "30": (_("30 days"), timedelta(days=30)),
    "90": (_("90 days"), timedelta(days=90)),
    "365": (_("1 year"), timedelta(days=365)),
    "never": (_("Until it is revoked"), None),
}
