"""What happens to every answer of a page: refusals become sentences, htmx gets what it understands."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from .errors import ConnectorError, DurumError, NotAllowed, Unavailable


class RefusalMiddleware:
    """A `DurumError` nobody caught is an answer, not a crash.

    htmx gets the sentence for a toast and the page stays as it was; a posted form goes back to where it came
    from with the sentence on top; a page that cannot be shown says why. Views catch one themselves only to
    put it beside a field.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, DurumError):
            return None
        if request.method not in ("GET", "HEAD") and not request.htmx:
            came_from = request.META.get("HTTP_REFERER", "")
            if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
                messages.error(request, str(exception.message))
                return HttpResponseRedirect(came_from)
        status = status_of(exception)
        response = render(request, "refused.html", {"error": exception, "status": status}, status=status)
        retry_after = getattr(exception, "retry_after", None)
        if retry_after:
            response["Retry-After"] = str(int(retry_after))
        return response


def status_of(error):
    """403 for a missing right, 503 and 502 when the outside failed us, 409 for a rule of ours."""
    if isinstance(error, NotAllowed):
        return 403
    if isinstance(error, Unavailable):
        return 503
    return 502 if isinstance(error, ConnectorError) else 409


class HtmxMiddleware:
    """htmx follows a redirect inside the fragment it asked for: tell the browser to go there instead.

    Waiting messages ride along out-of-band, so that a swapped piece shows them as a full page would.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not request.htmx or request.htmx.boosted:
            return response
        if response.status_code in (301, 302, 303) and "Location" in response:
            return self._redirect(request, response)
        if self._carries_messages(request, response):
            waiting = list(messages.get_messages(request))
            if waiting:
                response.content += render_to_string("components/toasts.html", {"messages": waiting}, request).encode()
        return response

    @staticmethod
    def _redirect(request, response):
        url = response["Location"]
        login = resolve_url(settings.LOGIN_URL)
        if url.partition("?")[0] == login:
            # The session ended: after signing in the person returns to the page, not to its fragment.
            url = f"{login}?{_query(next=_page_of(request))}"
        redirect = HttpResponseClientRedirect(url)
        redirect.cookies = response.cookies
        return redirect

    @staticmethod
    def _carries_messages(request, response):
        return (
            not response.streaming
            and response.status_code in (200, 201, 422)
            and not request.htmx.history_restore_request
            and response.get("Content-Type", "").startswith("text/html")
            and b"<html" not in response.content[:200]
            and "HX-Redirect" not in response
        )


class AdminContentPolicyMiddleware:
    """The admin's theme runs on Alpine, which evaluates expressions, and writes its colours inline.

    It gets a policy of its own, below its address and nowhere else; it still loads from our host only and
    runs no inline script.
    """

    def __init__(self, get_response):
        self.get_response = get_response
        self.prefix = None

    def __call__(self, request):
        response = self.get_response(request)
        if self.prefix is None:
            self.prefix = reverse("admin:index")
        if request.path_info.startswith(self.prefix):
            response._csp_update = {"script-src": "'unsafe-eval'", "style-src": "'unsafe-inline'"}
        return response


def _page_of(request):
    """The page that htmx asked from; the first one when the header names none of ours."""
    try:
        return request.htmx.current_url_abs_path or "/"
    except ValueError:
        return "/"


def _query(**values):
    query = QueryDict(mutable=True)
    query.update(values)
    return query.urlencode(safe="/")
