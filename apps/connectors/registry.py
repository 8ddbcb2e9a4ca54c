"""Which code speaks to which platform. A provider's `connector` module registers itself; nobody else knows it.

connector = registry.ads(channel)
"""

import importlib
import pkgutil

from django.utils.translation import gettext as _

from apps.core.errors import Rejected

from . import providers

_makers = {}


def register(platform, maker):
    """`maker(channel)` gives the connector of a channel of `platform`."""
    _makers[str(platform)] = maker


def load_providers():
    """Import every provider's connector module, once, when Django is ready."""
    for module in pkgutil.iter_modules(providers.__path__):
        importlib.import_module(f"{providers.__name__}.{module.name}.connector")


def of(channel):
    """The connector of any channel."""
    try:
        maker = _makers[channel.platform]
    except KeyError:
        raise Rejected(_("Durum has no connection to %(platform)s.") % {"platform": channel.platform}) from None
    return maker(channel)


def ads(channel):
    """The connector that reads and changes the ads of `channel`."""
    return of(channel)


def slack(channel):
    """The connector that posts into the Slack channel of `channel`."""
    return of(channel)
