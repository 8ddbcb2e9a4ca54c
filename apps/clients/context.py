"""What every page's frame needs to know about clients."""

from .models import Client


def client_switcher(request):
    """The clients this person can switch to, and the current one. Read only when the frame is drawn."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "current_client": getattr(request, "client", None),
        "switchable_clients": Client.objects.visible_to(user).active(),
    }
