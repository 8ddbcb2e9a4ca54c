"""Who did what: one row a deed, in the transaction of the deed."""

from .models import AuditEvent
from .tenancy import use_all_clients


def record(actor, verb, subject=None, *, client=None, **changes):
    """Write that `actor` did `verb` (`app.object.pasttense`) to `subject`.

    `changes` maps a field to its new value or to `[old, new]`. Never pass secrets or message bodies.
    """
    client_id = getattr(client, "pk", client) or getattr(subject, "client_id", None)
    fields = {
        "client_id": client_id,
        "user": actor.user,
        "via": actor.via,
        "verb": verb,
        "changes": {name: _plain(value) for name, value in changes.items()},
    }
    if subject is not None:
        fields |= {
            "subject_type": subject._meta.label_lower,
            "subject_id": str(subject.pk),
            "subject_label": str(subject)[:200],
        }
    if client_id is None:
        with use_all_clients("a deed that concerns no client"):
            return AuditEvent.objects.create(**fields)
    return AuditEvent.objects.create(**fields)


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
