from django.urls import path

from . import views

app_name = "slack"
urlpatterns = [
    path("slack/events/", views.events, name="events"),
    path("me/slack/", views.accounts, name="accounts"),
    path("me/slack/<int:pk>/unlink/", views.unlink, name="unlink"),
]
