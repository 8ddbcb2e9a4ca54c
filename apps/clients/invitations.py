"""The address at which an invited person chooses a password: good for a few days, until it was used once."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse


def password_address(user):
    """Where `user` sets the password. Whoever holds the address can: it is for that person only."""
    key = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": key})
    return f"{settings.SITE_URL}{path}"


def days_valid():
    """How long such an address works."""
    return settings.PASSWORD_RESET_TIMEOUT // 86_400
