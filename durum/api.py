"""`/api/v1/`: every endpoint the apps have, their OpenAPI document and the page that explains it."""

from django.http import HttpResponseServerError
from django.urls import include, path, re_path
from django.utils.translation import gettext as _
from django.views.defaults import server_error as server_error_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.routers import DefaultRouter

from apps.ads.api import ENDPOINTS as ADS
from apps.clients.api import ENDPOINTS as CLIENTS
from apps.clients.tokens import API_PATH
from apps.connectors.api import ENDPOINTS as CONNECTORS
from apps.core.api import not_found, problem_page
from apps.suggestions.api import ENDPOINTS as SUGGESTIONS

router = DefaultRouter()
router.include_format_suffixes = False
for _name, _view in (*CLIENTS, *CONNECTORS, *ADS, *SUGGESTIONS):
    router.register(_name, _view, basename=_name)


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own host, its script in a request of its own: our policy lets no inline one run."""

    url_name = "api-schema"
    template_name = "api/docs.html"
    authentication_classes = [SessionAuthentication]
    permission_classes = [IsAuthenticated]
    throttle_classes = []


urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    path("", include(router.urls)),
    re_path("", not_found),
]


def server_error(request, *args, **kwargs):
    """A crash, told in the caller's format."""
    if request.path_info.startswith(API_PATH):
        sentence = _(
            "Durum made a mistake and has noted it. Nothing was changed. Try again; if it stays, tell an administrator."
        )
        return problem_page(HttpResponseServerError.status_code, "error", sentence)
    return server_error_page(request, *args, **kwargs)
