from django.urls import path

from .views import home, status

app_name = "analytics"
urlpatterns = [
    path("", home.home, name="home"),
    path("status/", status.status, name="status"),
    path("c/<slug:client_key>/", home.client_home, name="client_home"),
]
