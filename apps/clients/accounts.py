"""Sign-in: people are invited by an owner, nobody registers by himself."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from apps.core.crypto import seal, unseal

from .models import User


class InvitedOnlyAdapter(DefaultAccountAdapter):
    """Closes the registration page, and opens the others in the person's language."""

    def is_open_for_signup(self, request):
        return False

    def post_login(self, request, user, **kwargs):
        response = super().post_login(request, user, **kwargs)
        if user.language:
            response.set_cookie(settings.LANGUAGE_COOKIE_NAME, user.language, samesite="Lax")
        return response


def attempted_name(request, credentials=None):
    """The name somebody tries to sign in with, for counting failures: our form takes a user name or an address."""
    known = credentials or {}
    name = known.get("username") or known.get("email") or (request.POST.get("login") if request else None)
    return (name or "").strip().lower()[:255] or None


@require_POST
def switch_language(request):
    """Change the language of the pages, and remember it where Slack and mails look for it."""
    code = request.POST.get("language", "")
    if request.user.is_authenticated and code in dict(settings.LANGUAGES) and check_for_language(code):
        remember_language(user=request.user, language=code)
    return set_language(request)


def remember_language(*, user, language):
    """The person's own language from now on."""
    User.objects.filter(pk=user.pk).update(language=language)


class SecondStepAdapter(DefaultMFAAdapter):
    """Secrets of the second step lie encrypted in the store, as every other secret does."""

    def encrypt(self, text):
        return seal(text)

    def decrypt(self, encrypted_text):
        return unseal(encrypted_text)
