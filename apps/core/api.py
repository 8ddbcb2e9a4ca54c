"""What every endpoint shares: rows of the caller's clients, pages, order, and errors as problem details (RFC 9457)."""

from http import HTTPStatus

from django.apps import apps
from django.core.paginator import Paginator
from django.http import Http404, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, filters, status
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler

from .actors import Actor
from .errors import ConnectorError, DomainError, Invalid, NotAllowed, Unavailable
from .idempotency import AnswersOnce
from .pages import rows_between

PROBLEM_TYPE = "application/problem+json"
KEPT_HEADERS = ("WWW-Authenticate", "Retry-After", "Allow")

# What to do next, where the framework says only what is wrong.
NEXT_STEPS = {
    status.HTTP_401_UNAUTHORIZED: gettext_lazy(
        "Send a valid token as “Authorization: Token …”. Tokens are made in Durum under Settings, API tokens."
    ),
    status.HTTP_404_NOT_FOUND: gettext_lazy(
        "There is nothing here that you may see. Check the number and the address; addresses end with “/”."
    ),
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: gettext_lazy(
        "This kind of content is not understood. Send JSON with “Content-Type: application/json”; files as "
        "multipart/form-data."
    ),
    status.HTTP_406_NOT_ACCEPTABLE: gettext_lazy("Durum answers in JSON: accept application/json."),
}


class _Paginator(Paginator):
    def page(self, number):
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        return self._get_page(rows_between(self.object_list, start, start + self.per_page), number, self)


class Pages(PageNumberPagination):
    """`?page=` and `?page_size=` up to 200."""

    django_paginator_class = _Paginator
    page_size_query_param = "page_size"
    max_page_size = 200


class OfClient(filters.BaseFilterBackend):
    """`?client=<key>`: the rows of one client. A client the caller may not see is 404, as its rows are.

    Sets `request.client`, so that the FilterSets of the pages find what they find there.
    """

    def filter_queryset(self, request, queryset, view):
        key = request.query_params.get("client")
        request._request.client = None
        if not key:
            if getattr(view, "needs_client", False):
                raise exceptions.ValidationError({"client": [_("Say for which client, by its key.")]})
            return queryset
        rows = apps.get_model("clients", "Client").objects.visible_to(request.user)
        # PostgreSQL takes no NUL, not even to say that there is no such key.
        client = None if "\x00" in key else rows.filter(key=key).first()
        if client is None:
            raise Http404
        request._request.client = client
        if queryset.model is type(client):
            return queryset.filter(pk=client.pk)
        return queryset.filter(**{queryset.model.client_path: client})

    def get_schema_operation_parameters(self, view):
        return [
            {
                "name": "client",
                "in": "query",
                "required": bool(getattr(view, "needs_client", False)),
                "description": "Key of the client whose rows are wanted. An unknown one is 404.",
                "schema": {"type": "string"},
                "example": "clos-des-lys",
            }
        ]


class InOrder(filters.OrderingFilter):
    """`?sort=` by the fields a view offers; the primary key ends every order, so that pages neither skip nor repeat."""

    ordering_param = "sort"

    def filter_queryset(self, request, queryset, view):
        order = self.get_ordering(request, queryset, view)
        order = list(order or queryset.query.order_by or queryset.model._meta.ordering)
        if not {"pk", "-pk"} & set(order):
            order.append("-pk" if order and order[0].startswith("-") else "pk")
        return queryset.order_by(*order)

    def get_schema_operation_parameters(self, view):
        fields = getattr(view, "ordering_fields", None)
        if not fields:
            return []
        return [
            {
                "name": self.ordering_param,
                "in": "query",
                "required": False,
                "description": "Order of the rows; a minus in front turns it round.",
                "schema": {"type": "string", "enum": [sign + name for name in fields for sign in ("", "-")]},
            }
        ]


class RowsOfClients(AnswersOnce):
    """Mixin of every view set: only rows of the caller's clients exist, and it acts in the caller's name.

    `queryset` is a class attribute with its `select_related`; a foreign row is 404 because it is not in it.
    """

    ordering_fields = ()

    def get_queryset(self):
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.visible_to(self.request.user)

    @property
    def actor(self):
        """The caller, through this door."""
        return Actor(self.request.user, "api")

    def checked(self, serializer_class):
        """What was sent, by the input serializer of the action."""
        serializer = serializer_class(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def shown(self, pk, **answer):
        """The row as it stands now."""
        row = self.get_queryset().get(pk=pk)
        return Response(self.get_serializer(row).data, **answer)


def problem_response(exc, context):
    """Turn an exception into `application/problem+json` that names the field and the next step."""
    if isinstance(exc, NotAllowed):
        return _problem(status.HTTP_403_FORBIDDEN, exc.code, str(exc))
    if isinstance(exc, Invalid):
        return _problem(status.HTTP_400_BAD_REQUEST, exc.code, str(exc), fields=_as_lists(exc.fields))
    if isinstance(exc, DomainError):
        return _problem(status.HTTP_409_CONFLICT, exc.code, str(exc))
    if isinstance(exc, Unavailable):
        headers = {"Retry-After": str(int(exc.retry_after))} if exc.retry_after else {}
        return _problem(status.HTTP_503_SERVICE_UNAVAILABLE, exc.code, str(exc), headers=headers)
    if isinstance(exc, ConnectorError):
        return _problem(status.HTTP_502_BAD_GATEWAY, exc.code, str(exc))
    response = exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, exceptions.ValidationError):
        fields = response.data if isinstance(response.data, dict) else {"non_field_errors": response.data}
        sentence = _("Some of what was sent cannot be used: “fields” says which, and why.")
        return _problem(response.status_code, "invalid", sentence, fields=fields)
    sentence = _sentence(exc, response, context["view"])
    return _problem(response.status_code, _code(response), sentence, headers=response.headers)


def not_found(request, *args, **kwargs):
    """The answer below `/api/` where no endpoint is."""
    return problem_page(status.HTTP_404_NOT_FOUND, "not_found", NEXT_STEPS[status.HTTP_404_NOT_FOUND])


def problem_page(status_code, code, detail):
    """A problem outside of the framework's views."""
    body = _body(status_code, code, str(detail))
    return JsonResponse(body, status=status_code, content_type=PROBLEM_TYPE)


def _code(response):
    detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
    return getattr(detail, "code", "error")


def _sentence(exc, response, view):
    if isinstance(exc, exceptions.MethodNotAllowed):
        allowed = ", ".join(view.allowed_methods)
        return _("This address does not take this method. It takes: %(methods)s.") % {"methods": allowed}
    if isinstance(exc, exceptions.Throttled):
        return _("Too many requests. Go on in %(seconds)d s; the header Retry-After says so too.") % {
            "seconds": exc.wait or 1
        }
    if isinstance(exc, exceptions.ParseError):
        return _("The content cannot be read: it is not valid JSON, or not complete. %(why)s") % {"why": exc.detail}
    step = NEXT_STEPS.get(response.status_code)
    return str(step) if step else str(response.data.get("detail", ""))


def _as_lists(fields):
    return {
        name: [str(e) for e in (said if isinstance(said, (list, tuple)) else [said])] for name, said in fields.items()
    }


def _body(status_code, code, detail):
    title = HTTPStatus(status_code).phrase
    return {"type": "about:blank", "title": title, "status": status_code, "code": code, "detail": detail}


def _problem(status_code, code, detail, *, fields=None, headers=None):
    body = _body(status_code, code, detail)
    if fields:
        body["fields"] = fields
    kept = {k: v for k, v in (headers or {}).items() if k in KEPT_HEADERS}
    return Response(body, status=status_code, headers=kept, content_type=PROBLEM_TYPE)
