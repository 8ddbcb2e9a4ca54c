"""Who calls: the token, its proof, its scopes and the accounts it may see."""

import hashlib
import hmac

from apps.sandbox.graph import usage
from apps.sandbox.graph.errors import bad_parameter, bad_token, invisible, missing_permission
from apps.sandbox.models import Account, Node, Token

_DEAD = {
    458: "The user has not authorized application.",
    460: "The session has been invalidated because the user changed their password.",
    463: "Session has expired. The current time is later than the expiry.",
    467: "The access token is invalid since the user has logged out.",
}


def identify(call):
    """The live token behind a call, or error 190; the app's secret is proved where it is configured."""
    given = call.text("access_token")
    if not given:
        raise bad_token(None, "An active access token must be used to query information about the current user.")
    token = Token.objects.select_related("app").filter(pk=given).first()
    if token is None:
        raise bad_token(None, "Invalid OAuth access token - Cannot parse access token")
    subcode = dead_because(token, call.now)
    if subcode:
        raise bad_token(subcode, f"Error validating access token: {_DEAD.get(subcode, 'The session is invalid.')}")
    _check_proof(call, token)
    return token


def dead_because(token, now):
    """The 190 subcode that kills this token now, or None."""
    if token.dead_subcode:
        return token.dead_subcode
    if token.expires_at and now >= token.expires_at:
        return 463
    return None


def proof_of(secret, token):
    """`appsecret_proof`: hex HMAC-SHA256 of the token under the app secret."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _check_proof(call, token):
    if not token.app.secret:
        return
    given = call.text("appsecret_proof")
    if not given:
        if token.app.requires_proof:
            raise bad_parameter("API calls from the server require an appsecret_proof argument")
        return
    if not hmac.compare_digest(given, proof_of(token.app.secret, token.pk)):
        raise bad_parameter("Invalid appsecret_proof provided in the API argument")


def need(call, *scopes):
    """Refuse with code 200 unless the token has one of these scopes."""
    if not set(scopes) & set(call.token.scopes):
        raise missing_permission(scopes[0])


def account(call, account_id):
    """An ad account this token sees, else 100/33."""
    if account_id not in call.token.account_ids:
        raise invisible(f"act_{account_id}")
    row = Account.objects.filter(pk=account_id).first()
    if row is None:
        raise invisible(f"act_{account_id}")
    call.notes.setdefault("account", row)
    usage.refuse_if_over(call, row)
    return row


def node(call, node_id):
    """A campaign, ad set or ad under an account this token sees, else 100/33."""
    row = Node.objects.select_related("account", "creative", "parent__parent").filter(pk=node_id).first()
    if row is None or row.account_id not in call.token.account_ids:
        raise invisible(node_id)
    call.notes.setdefault("account", row.account)
    usage.refuse_if_over(call, row.account)
    return row
