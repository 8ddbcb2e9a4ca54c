"""What Meta says of an object's delivery, in words: its codes mean nothing to whoever does not program it."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "ACTIVE": _("active"),
    "PAUSED": _("paused"),
    "ARCHIVED": _("archived at the platform"),
    "DELETED": _("deleted at the platform"),
    "CAMPAIGN_PAUSED": _("the campaign is paused"),
    "ADSET_PAUSED": _("the ad set is paused"),
    "IN_PROCESS": _("being processed"),
    "WITH_ISSUES": _("has a problem"),
    "PENDING_REVIEW": _("waiting for review"),
    "PREAPPROVED": _("approved in advance"),
    "DISAPPROVED": _("rejected at review"),
    "PENDING_BILLING_INFO": _("waiting for payment details"),
    "DISABLED": _("the account is disabled"),
}


def words(code):
    """The delivery in words; a code of tomorrow reads as it came."""
    return str(WORDS.get(code, code))
