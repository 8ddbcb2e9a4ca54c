"""What load balancers, Docker and `manage.py up` ask of a web process."""

from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import health


@never_cache
@require_safe
def healthz(request):
    """200 when PostgreSQL and Redis answer this process, 503 and the name of the one that does not."""
    found = health.servers()
    return JsonResponse({r.key: r.state for r in found}, status=200 if health.is_alive(found) else 503)
