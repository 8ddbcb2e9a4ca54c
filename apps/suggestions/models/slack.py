"""The copies of suggestions that stand in Slack."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.connectors.models import Channel
from apps.core import clock
from apps.core.leases import WorkRow, free
from apps.core.tenancy import ClientOwnedQuerySet, TenantModel

from .proposals import CycleRun, Suggestion


class SlackMessageQuerySet(ClientOwnedQuerySet):
    def due(self, now):
        """Messages that say something else than they should by now; not those of a client that is switched off."""
        stale = self.filter(shown__lt=models.F("wanted"), is_dead=False, client__is_active=True)
        return stale.filter(free(now)).order_by("not_before", "pk")


class SlackMessage(WorkRow, TenantModel):
    """One message in one channel: the digest's head (no suggestion) or one suggestion.

    `wanted` counts what happened to the suggestion, `shown` what the message tells; a worker closes the
    gap. `sending_since` is set before the first post: a lost answer is looked up by metadata, not repeated.
    `key` is all that leaves with the message: buttons and metadata carry it, nothing can be guessed from it.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    channel = models.ForeignKey(
        Channel, on_delete=models.CASCADE, related_name="slack_messages", verbose_name=_("connected account")
    )
    cycle = models.ForeignKey(CycleRun, on_delete=models.CASCADE, related_name="slack_messages", null=True)
    suggestion = models.ForeignKey(
        Suggestion, on_delete=models.CASCADE, related_name="slack_messages", null=True, verbose_name=_("suggestion")
    )
    ts = models.CharField(_("message"), max_length=30, blank=True)
    wanted = models.PositiveIntegerField(default=1, verbose_name=_("version wanted"))
    shown = models.PositiveIntegerField(default=0, verbose_name=_("version shown"))
    sending_since = models.DateTimeField(null=True, blank=True)
    is_dead = models.BooleanField(_("cannot be shown"), default=False)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)

    objects = SlackMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("Slack message")
        verbose_name_plural = _("Slack messages")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "channel", "suggestion"],
                name="slack_suggestion_once",
                condition=models.Q(suggestion__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["client", "channel", "cycle"],
                name="slack_digest_once",
                condition=models.Q(suggestion__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="slack_due",
                condition=models.Q(is_dead=False, shown__lt=models.F("wanted")),
            )
        ]

    def __str__(self):
        return f"{self.channel} {self.ts}"
