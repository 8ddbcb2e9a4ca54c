"""Addresses below `/c/<client_key>/`."""

from django.urls import path

from apps.ads.views import creatives, dashboard, imports, objects

app_name = "ads"

urlpatterns = [
    path("ads/", dashboard.dashboard, name="dashboard"),
    path("ads/creatives/", creatives.gallery, name="creatives"),
    path("ads/creatives/<int:pk>/angle/", creatives.angle, name="angle"),
    path("ads/<int:pk>/", objects.page, name="object"),
    path("ads/<int:pk>/funnel/", objects.funnel, name="funnel"),
    path("ads/<int:pk>/children/", objects.children, name="children"),
    path("imports/", imports.imports, name="imports"),
    path("imports/new/", imports.import_new, name="import_new"),
    path("imports/files/<int:pk>/", imports.import_mapping, name="import_mapping"),
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/progress/", imports.import_progress, name="import_progress"),
    path("imports/<int:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("imports/<int:pk>/problems.csv", imports.import_findings_csv, name="import_findings_csv"),
]
