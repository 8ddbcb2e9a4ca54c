"""The admin's first screen and menu: what waits for people, then the tables."""

from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from . import queues


def with_queues(request, context):
    """The context of the index with the human queues: count, age and the changelist of each."""
    context["queues"] = [
        {"label": queue.label, "count": queue.count, "oldest": queue.oldest, "url": _changelist(queue)}
        for queue in queues.all_for(request.user)
    ]
    return context


def sidebar(request):
    """The menu: the first screen, the pages, and the tables this person may see, by app."""
    groups = [
        {
            "items": [
                {"title": _("What needs a person"), "icon": "inbox", "link": reverse("admin:index")},
                {"title": _("Back to the pages"), "icon": "arrow_back", "link": "/", "active": False},
            ]
        }
    ]
    for app in admin.site.get_app_list(request):
        models = [{"title": model["name"], "link": model["admin_url"]} for model in app["models"] if model["admin_url"]]
        if models:
            groups.append({"title": app["name"], "collapsible": True, "items": models})
    return groups


def _changelist(queue):
    try:
        return reverse(queue.admin_url) if queue.admin_url else queue.url
    except NoReverseMatch:
        return queue.url
