"""Every address of Durum."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from apps.clients.accounts import switch_language
from apps.core.api import not_found
from durum.health import healthz

# One way in: the admin's own form would let a password alone past the second step.
admin.site.login = secure_admin_login(admin.site.login)

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    # Invitations and Slack know people by their address: it is written by administrators, not by its owner, who
    # could name somebody else's.
    path("accounts/email/", RedirectView.as_view(pattern_name="account_change_password"), name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("durum.api")),
    re_path("^api/", not_found),
    path("i18n/setlang/", switch_language, name="set_language"),
    path("", include("apps.connectors.providers.slack.urls")),
    path("c/<slug:client_key>/", include("apps.ads.urls")),
    path("", include("apps.clients.urls")),
    path("", include("apps.connectors.urls")),
    path("", include("apps.suggestions.urls")),
    path("", include("apps.analytics.urls")),
]

handler500 = "durum.api.server_error"
