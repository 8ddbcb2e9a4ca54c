"""The admin in the look of the pages: same brand colour, same mark, our own menu and first screen."""

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

# Shades of the brand colour #4338ca (shade 700), which static/durum/durum.css uses as --tblr-primary.
BRAND = {
    "50": "#eef2ff",
    "100": "#e0e7ff",
    "200": "#c7d2fe",
    "300": "#a5b4fc",
    "400": "#818cf8",
    "500": "#6366f1",
    "600": "#4f46e5",
    "700": "#4338ca",
    "800": "#3730a3",
    "900": "#312e81",
    "950": "#1e1b4b",
}

UNFOLD = {
    "SITE_TITLE": "Durum",
    "SITE_HEADER": "Durum",
    "SITE_SUBHEADER": _("Administration"),
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("durum/mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("durum/mark.svg")},
    ],
    "SHOW_LANGUAGES": True,
    "LANGUAGE_FLAGS": {"fr": "🇫🇷", "en": "🇬🇧"},
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": BRAND},
    "DASHBOARD_CALLBACK": "apps.core.admin_index.with_queues",
    "SIDEBAR": {"show_search": True, "navigation": "apps.core.admin_index.sidebar"},
    "ACCOUNT": {
        "navigation": [
            {"title": _("Password"), "link": reverse_lazy("account_change_password")},
            {"title": _("Two-step sign-in"), "link": reverse_lazy("mfa_index")},
        ]
    },
}
