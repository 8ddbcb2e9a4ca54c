"""Where ads lead: the funnel a person chooses for a campaign, an ad set or an ad."""

from django.db import transaction
from django.utils.translation import gettext as _

from apps.ads.models import AdObject
from apps.clients.access import require
from apps.clients.models import Funnel
from apps.core.audit import record
from apps.core.errors import Invalid

from . import library


@transaction.atomic
def set_funnel(*, ad_object_id, funnel_id, actor):
    """Let an object lead to a funnel of its client; None takes the choice back and what is above it counts again.

    Whoever decides about ads may say so: it is a fact about the ad, as its angle is. What the funnel's product is
    worth stays with the managers. Neither a fetch nor a file ever touches it. Safe to call twice.
    """
    rows = AdObject.objects.select_for_update(of=("self",)).select_related("client", "funnel")
    ad_object = rows.get(pk=ad_object_id)
    require(actor, "decide", ad_object.client)
    if ad_object.level == AdObject.Level.ACCOUNT:
        raise Invalid(_("An account has no funnel of its own. Choose it on a campaign, an ad set or an ad."))
    if funnel_id == ad_object.funnel_id:
        return ad_object
    old, ad_object.funnel = ad_object.funnel, _funnel(ad_object, funnel_id)
    ad_object.save(update_fields=["funnel"])
    record(actor, "ads.adobject.funnel_set", ad_object, funnel=[old, ad_object.funnel])
    library.refresh(client_id=ad_object.client_id)
    return ad_object


def _funnel(ad_object, funnel_id):
    if funnel_id is None:
        return None
    funnel = Funnel.objects.filter(client_id=ad_object.client_id, is_active=True, pk=funnel_id).first()
    if funnel is None:
        raise Invalid(_("This funnel is not one of the client's, or it is switched off. Choose another."))
    return funnel
