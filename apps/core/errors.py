"""The kinds of failure Durum knows. Every one carries a sentence for people; raw text is kept apart.

`DomainError`: our own rules said no. `ConnectorError`: the outside did. What may be done next follows
from the class alone, so callers never read messages to decide.
"""

from django.utils.translation import gettext_lazy as _


class DurumError(Exception):
    """`message` may be shown to a person; `detail` is for engineers (already free of secrets)."""

    default_message = _("Something went wrong.")
    code = "error"

    def __init__(self, message=None, *, detail="", code=None):
        self.message = message or self.default_message
        self.detail = str(detail)
        self.code = code or self.code
        super().__init__(str(self.message))

    def __str__(self):
        return str(self.message)


class DomainError(DurumError):
    """A rule of ours refuses; nothing was changed."""

    code = "refused"


class NotAllowed(DomainError):
    """The person asking does not have the role for it."""

    default_message = _("You do not have the right to do this. Ask an owner of the client for it.")
    code = "not_allowed"


class Conflict(DomainError):
    """Someone or something was faster, or the row has moved on."""

    code = "conflict"


class Invalid(DomainError):
    """What was given cannot be used. `fields` maps a field's name to what is wrong with it."""

    code = "invalid"

    def __init__(self, message=None, *, fields=None, **kwargs):
        super().__init__(message, **kwargs)
        self.fields = fields or {}


class ConnectorError(DurumError):
    """An outside system failed us."""

    code = "connector"


class Unavailable(ConnectorError):
    """Nothing happened on the other side; asking again later is right. `retry_after` is in seconds."""

    default_message = _("The service cannot be reached just now. Durum tries again by itself.")
    code = "unavailable"

    def __init__(self, message=None, *, retry_after=None, **kwargs):
        super().__init__(message, **kwargs)
        self.retry_after = retry_after


class Rejected(ConnectorError):
    """The platform understood and said no: asking the same again is no use."""

    code = "rejected"


class NeedsReconnect(Rejected):
    """The access itself is gone (expired, revoked, missing right): a person must connect again."""

    default_message = _("The connection to the platform has expired. Connect the account again.")
    code = "needs_reconnect"


class TooMuchData(Rejected):
    """The question was too large for the platform: ask for less at a time."""

    code = "too_much_data"


class OutcomeUnknown(ConnectorError):
    """The call may or may not have taken effect: verify by reading before doing anything else."""

    default_message = _("The platform did not say whether the change was made. Durum checks before going on.")
    code = "outcome_unknown"
