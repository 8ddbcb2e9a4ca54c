"""What a client sells and the ways that lead there: products and funnels are written here."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import transaction
from django.utils.translation import gettext as _

from apps.clients import access
from apps.clients.models import Client
from apps.core import audit
from apps.core.errors import Invalid

AMOUNTS = ("price", "value_per_lead", "value_per_purchase")


@transaction.atomic
def add(model, *, client_id, actor, **fields):
    """A new `Product` or `Funnel` of the client."""
    # Locked: of two people who give the same key at once, the second is told.
    client = Client.objects.select_for_update(of=("self",)).get(pk=client_id)
    access.require(actor, "edit_client", client)
    row = model(client=client, **fields)
    if model.objects.filter(client=client, key=row.key).exists():
        said = _("Something of this client has the key “%(key)s” already. Choose another.") % {"key": row.key}
        raise Invalid(said, fields={"key": said})
    _check(row)
    row.save()
    audit.record(actor, f"clients.{model._meta.model_name}.created", row, key=row.key)
    return row


@transaction.atomic
def change(model, *, row_id, actor, **fields):
    """Change a `Product` or `Funnel`; only what differs is written and told to the audit trail."""
    row = model.objects.select_for_update(of=("self",)).select_related("client").get(pk=row_id)
    access.require(actor, "edit_client", row.client)
    changes = {name: [getattr(row, name), value] for name, value in fields.items() if getattr(row, name) != value}
    for name, (_old, new) in changes.items():
        setattr(row, name, new)
    _check(row)
    if changes:
        row.save(update_fields=list(changes))
        audit.record(actor, f"clients.{model._meta.model_name}.changed", row, **changes)
    return row


def _check(row):
    try:
        row.full_clean()
        _check_amounts(row)
    except ValidationError as exc:
        raise Invalid(" ".join(exc.messages), fields=exc.message_dict) from exc
    product = getattr(row, "product", None)
    if product is not None and product.client_id != row.client_id:
        raise Invalid(_("This product belongs to another client."), fields={"product": str(product)})


def _check_amounts(row):
    for name in AMOUNTS:
        value = getattr(row, name, None)
        if value is not None:
            try:
                MinValueValidator(0)(value)
            except ValidationError as exc:
                raise ValidationError({name: exc.messages}) from exc
