"""What every list and form page does: answer a fragment or a page, sort, page, and act on the chosen rows.

    def board(request, client_key):
        found = SuggestionFilter(request.GET, queryset=..., request=request)
        rows, sorting = sorted_by(found.qs, request, {"created": "created_at"}, default="-created")
        context = {"filter": found, "page": paginate(rows, request), "sorting": sorting}
        return render_fragment(request, "suggestions/board.html", "table", context)

`suggestions/board.html` includes `suggestions/_table.html`, whose root element is `<div id="results">`; htmx is
given that file alone. The address is the same for both.
"""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from . import clock
from .errors import Invalid

PER_PAGE = 50
# Beyond this many rows people filter instead of counting: the database stops there too.
COUNT_LIMIT = 1000


def wants_fragment(request):
    """Whether htmx asked for a piece. Boosted links and the browser's back button get the page."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_fragment(request, template, fragment_name, context, *, status=None):
    """The page `app/thing.html`, or for htmx only its piece `app/_<fragment_name>.html`.

    Both answers say that they vary with the header, so that no cache hands one out for the other.
    """
    if wants_fragment(request):
        folder = template.rpartition("/")[0]
        template = f"{folder}/_{fragment_name}.html" if folder else f"_{fragment_name}.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@dataclass(frozen=True)
class Sorting:
    """The order in force, and what the table's headers need to offer the others."""

    key: str
    descending: bool

    @property
    def param(self):
        return f"-{self.key}" if self.descending else self.key

    def next_param(self, key):
        """What a click on the header of `key` asks for: this column again turns round."""
        return f"-{key}" if key == self.key and not self.descending else key

    def aria(self, key):
        if key != self.key:
            return "none"
        return "descending" if self.descending else "ascending"


def sorted_by(queryset, request, allowed, *, default):
    """Order by `?sort=` when `allowed` has it (name -> field or fields), else by `default`. Returns rows, Sorting.

    The primary key ends every ordering, in the same direction: equal rows never trade places between two pages.
    """
    asked = request.GET.get("sort", "")
    param = asked if asked.lstrip("-") in allowed and asked.count("-", 0, 2) <= 1 else default
    sorting = Sorting(param.lstrip("-"), param.startswith("-"))
    fields = allowed[sorting.key]
    fields = [fields] if isinstance(fields, str) else list(fields)
    if sorting.descending:
        fields = [field[1:] if field.startswith("-") else f"-{field}" for field in fields]
    tie = "-pk" if sorting.descending else "pk"
    return queryset.order_by(*fields, tie), sorting


@dataclass
class Page:
    """One page of rows. `total` stops counting at `COUNT_LIMIT`; `is_capped` says that it did."""

    rows: list
    number: int
    per_page: int
    total: int
    is_capped: bool
    has_next: bool

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    @property
    def has_previous(self):
        return self.number > 1

    @property
    def first(self):
        return (self.number - 1) * self.per_page + 1 if self.rows else 0

    @property
    def last(self):
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def last_number(self):
        """The last page's number, None where nobody counted that far."""
        return None if self.is_capped else max(1, -(-self.total // self.per_page))

    @property
    def numbers(self):
        """The page numbers to offer, None for a gap."""
        if self.last_number is None:
            return [*self._around(self.number + (1 if self.has_next else 0)), None] if self.has_next else [self.number]
        return self._around(self.last_number)

    def _around(self, end):
        wanted = {1, end, *(n for n in range(self.number - 1, self.number + 2) if 1 <= n <= end)}
        numbers = []
        for n in sorted(wanted):
            if numbers and n - numbers[-1] > 1:
                numbers.append(None)
            numbers.append(n)
        return numbers


def paginate(rows, request, per_page=PER_PAGE):
    """The page named by `?page=`; a number out of reach gives the nearest page there is.

    Counts at most `COUNT_LIMIT` rows and reads one row more than it shows, so a list of 100,000 rows costs
    what a list of 1,000 does. An ordering without the primary key gets it as its last word.
    """
    rows = _totally_ordered(rows)
    number = _page_number(request)
    total = rows.order_by()[: COUNT_LIMIT + 1].count()
    is_capped = total > COUNT_LIMIT
    if not is_capped:
        number = min(number, max(1, -(-total // per_page)))
    found = _slice(rows, number, per_page)
    if not found and number > 1:
        # Only past the counted part: the true last page is worth one full count.
        number = Paginator(rows, per_page).num_pages
        found = _slice(rows, number, per_page)
    return Page(
        rows=found[:per_page],
        number=number,
        per_page=per_page,
        total=min(total, COUNT_LIMIT),
        is_capped=is_capped,
        has_next=len(found) > per_page,
    )


def chosen(queryset, request, *, limit=None):
    """The rows a bulk action is about: the ticked ones, or with `all=1` every row of the filtered list, asked again.

    Raises `Invalid` when nothing was ticked, or when more than `limit` rows would be touched.
    """
    if request.POST.get("all") != "1":
        ids = [value for value in request.POST.getlist("ids") if value.isdecimal() and len(value) < 19]
        if not ids:
            raise Invalid(_("Tick at least one row first."))
        queryset = queryset.filter(pk__in=ids)
    if limit is not None and queryset.order_by()[: limit + 1].count() > limit:
        raise Invalid(_("That is more than %(limit)d rows. Narrow the list with the filters first.") % {"limit": limit})
    return queryset


@dataclass(frozen=True)
class Progress:
    """How far a long job is, for `{% progress_panel %}`. `failed` and `report` speak once it is finished."""

    label: str
    done: int
    total: int | None
    is_finished: bool = False
    has_failed: bool = False
    started_at: object = None
    report: str = ""
    report_url: str = ""

    @property
    def percent(self):
        if not self.total:
            return 100 if self.is_finished else 0
        return min(100, int(self.done * 100 / self.total))

    @property
    def seconds_left(self):
        """At the pace so far; None before there is one."""
        if self.is_finished or not self.total or not self.done or self.started_at is None:
            return None
        spent = (clock.now() - self.started_at).total_seconds()
        return max(0, round(spent * (self.total - self.done) / self.done))


def _totally_ordered(rows):
    order = list(rows.query.order_by) or list(rows.model._meta.ordering)
    names = {str(name).lstrip("-") for name in order if isinstance(name, str)}
    if names & {"pk", rows.model._meta.pk.name}:
        return rows
    return rows.order_by(*order, "pk")


def _page_number(request):
    raw = request.GET.get("page", "1")
    return max(1, int(raw)) if raw.isdecimal() and len(raw) < 8 else 1


def rows_between(rows, start, stop):
    """The rows of an ordered queryset from `start` up to `stop`; where it joins other tables, found by key first.

    Row security makes PostgreSQL believe that a join keeps next to nothing, so it would join and sort all of a
    large list rather than walk an index and stop after a page.
    """
    if not rows.query.select_related:
        return list(rows[start:stop])
    keys = list(rows.values_list("pk", flat=True)[start:stop])
    found = {row.pk: row for row in rows.order_by().filter(pk__in=keys)}
    return [found[key] for key in keys if key in found]


def _slice(rows, number, per_page):
    start = (number - 1) * per_page
    return rows_between(rows, start, start + per_page + 1)
