"""What every endpoint shares: pages, and errors as problem details (RFC 9457)."""

from rest_framework import exceptions, status
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .errors import ConnectorError, DomainError, Invalid, NotAllowed


class Pages(PageNumberPagination):
    """`?page=` and `?page_size=` up to 200."""

    page_size_query_param = "page_size"
    max_page_size = 200


def problem_response(exc, context):
    """Turn an exception into `application/problem+json` that names the field and the next step."""
    if isinstance(exc, NotAllowed):
        return _problem(status.HTTP_403_FORBIDDEN, exc.code, str(exc))
    if isinstance(exc, Invalid):
        return _problem(status.HTTP_400_BAD_REQUEST, exc.code, str(exc), fields=exc.fields)
    if isinstance(exc, DomainError):
        return _problem(status.HTTP_409_CONFLICT, exc.code, str(exc))
    if isinstance(exc, ConnectorError):
        return _problem(status.HTTP_502_BAD_GATEWAY, exc.code, str(exc))
    response = exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, exceptions.ValidationError):
        fields = response.data if isinstance(response.data, dict) else {"non_field_errors": response.data}
        sentence = exceptions.ValidationError.default_detail
        return _problem(response.status_code, "invalid", str(sentence), fields=fields, headers=response.headers)
    detail = response.data.get("detail", "")
    return _problem(response.status_code, getattr(detail, "code", "error"), str(detail), headers=response.headers)


def _problem(status_code, code, detail, *, fields=None, headers=None):
    body = {"type": "about:blank", "status": status_code, "code": code, "detail": detail}
    if fields:
        body["fields"] = fields
    kept = {k: v for k, v in (headers or {}).items() if k in ("WWW-Authenticate", "Retry-After", "Allow")}
    return Response(body, status=status_code, headers=kept, content_type="application/problem+json")
