"""Secrets at rest: a text field encrypted with the keys of the installation.

`FIELD_KEYS` lists Fernet keys; the first writes and all of them read, so a key is rotated by putting a
new one in front and saving the rows again.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


def key_from(secret):
    """A Fernet key derived from any secret text (used where one local secret serves everything)."""
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).decode()


def _box():
    if not settings.FIELD_KEYS:
        raise ImproperlyConfigured("FIELD_KEYS is not set: tokens cannot be encrypted. See .env.example.")
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])


def seal(text):
    """`text` encrypted, as text."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed):
    """What `seal` was given."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret cannot be decrypted: FIELD_KEYS lacks the key it was written with."
        ) from None


class Secret(str):
    """Text that does not print itself: `str()` of it is needed on purpose through `.reveal()`."""

    __slots__ = ()

    def __repr__(self):
        return "Secret(…)" if len(self) else "Secret('')"

    def __str__(self):
        return "…" if len(self) else ""

    def __format__(self, spec):
        return format(str(self), spec)

    def reveal(self):
        """The text itself, for the one place that sends it."""
        return "".join(self)


def reveal(value):
    """The text behind a `Secret`; ordinary text as it is."""
    return value.reveal() if isinstance(value, Secret) else value


class EncryptedTextField(models.TextField):
    """Stored as ciphertext, read as `Secret`. Cannot be searched; never shown by forms or serializers."""

    def get_prep_value(self, value):
        if not value:
            return ""
        return seal(reveal(value))

    def from_db_value(self, value, expression, connection):
        if not value:
            return Secret("")
        return Secret(unseal(value))

    def formfield(self, **kwargs):
        return None
