from django.apps import AppConfig
from django.core.signals import got_request_exception
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"
    verbose_name = _("System")

    def ready(self):
        from . import row_security, scheduling, systemlog  # noqa: PLC0415  (models are not loaded before this point)

        post_migrate.connect(row_security.protect_tables, sender=self, dispatch_uid="durum-row-security")
        connection_created.connect(row_security.check_role, dispatch_uid="durum-row-security")
        got_request_exception.connect(systemlog.from_request, dispatch_uid="durum-systemlog")
        scheduling.register(
            scheduling.Job(
                "forget API keys",
                "apps.core.tasks.sweep_idempotency_keys",
                every=3600,
                label=_("Answers remembered for API keys"),
            )
        )
