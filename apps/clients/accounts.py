"""Sign-in: people are invited by an owner, nobody registers by himself."""

from allauth.account.adapter import DefaultAccountAdapter


class InvitedOnlyAdapter(DefaultAccountAdapter):
    """Closes the registration page."""

    def is_open_for_signup(self, request):
        return False
