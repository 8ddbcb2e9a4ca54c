"""The components every page is made of: `{% load durum %}`.

Text        {{ v|money:client.currency }}  {{ v|number:1 }}  {{ ratio|percent:1 }}  {{ ratio|change }}  {{ roi|ratio }}
            {% when row.created_at %} (time in the client's zone, zone named)   {% when row.created_at relative=True %}
            {{ date|day }}  {{ seconds|duration }}  {% icon "bulb" %}
Frame       {% page_header title subtitle="" pretitle="" %} …buttons… {% endpage_header %}
            {% card title="" subtitle="" id="" flush=False %} …body… {% endcard %}      flush=True for a table inside
            {% kpi label value change=None good="up" spark=values href="" hint="" %}
            {% empty_state title text icon="mood-empty" url="" action="" %}
            {% error_panel error %}  an exception of apps.core.errors, or title= text= next_step= detail=
            {% definition_list pairs %}  [(label, value), …]
            {% timeline entries %}  [{"at": datetime, "title": …, "text": "", "who": "", "icon": "", "tone": ""}, …]
Lists       {% filter_bar filter.form target="results" %} …extra buttons… {% endfilter_bar %}
            {% period_control period %}  apps.core.periods.chosen(request, today)
            {% sort_header sorting "spend" _("Spend") css="text-end" %}  inside <thead><tr>
            {% sort_link sorting "spend" _("Spend") %}  the same outside of a table
            {% pagination page target="results" %}
            {% bulk_bar page %} …<button name="action" value="approve">… {% endbulk_bar %}
                inside the list's <form method="post" action="{{ request.get_full_path }}">, before the table;
            {% bulk_all_checkbox %} in the header row, {% bulk_checkbox row %} in each row; server: pages.chosen()
            {% export_menu url %}  the same filters, ?format=csv and ?format=xlsx
Signs       {% state_badge row.status row.get_status_display %}   tone="…" overrides the colour
            {% confidence 0.82 right=14 of=17 %}
            {% interval_bar low high point label=… %}  {% percentile_bar value marks label=… %}
            {% sparkline values label=… %}
            {% progress_bar done total label=… %}
Work        {% progress_panel progress id="import-12" poll_url=… cancel_url=… %}  apps.core.pages.Progress
Forms       {% form_fields form %} or {% form_field form.name %}; modal: <a href=u hx-get=u hx-target="#modal-body">
            and a fragment that extends components/modal_form.html
Charts      {% chart id="spend" kind="line" labels=days series=series title=… unit="money" currency=… %}
            series: [{"name": …, "values": […], "low": […], "high": […], "dashed": False}, …]
Confirm     hx-confirm="Pause “Ad set 3”?" or <form data-confirm="…">, with data-confirm-title, data-confirm-button,
            data-confirm-tone="danger". Name the thing and the amount.
"""

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import drawing, formats, navigation, periods, signs

register = template.Library()
register.tags.update(signs.register.tags)

for _filter in (
    formats.money,
    formats.number,
    formats.percent,
    formats.change,
    formats.ratio,
    formats.day,
    formats.duration,
):
    register.filter(_filter.__name__, _filter)


@register.simple_tag
def icon(name, label="", css=""):
    """One picture of the sprite; silent for screen readers unless it has a label."""
    href = f"{static('vendor/tabler-icons/sprite.svg')}#{name}"
    if label:
        return format_html('<svg class="icon {}" role="img" aria-label="{}"><use href="{}"/></svg>', css, label, href)
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"/></svg>', css, href)


@register.simple_tag
def when(value, relative=False, short=False):
    """A moment in the zone in force. The other reading (relative or exact) is in the title."""
    if not value:
        return formats.ABSENT
    exact = formats.moment(value, short=short)
    zone = timezone.get_current_timezone_name()
    text, title = (formats.ago(value), f"{exact} ({zone})") if relative else (exact, f"{formats.ago(value)} ({zone})")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), title, text)


# --- the frame ------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def navigation_entries(context):
    """The menu lines for this person; a person with one client is always at that client."""
    request = context["request"]
    return navigation.entries_for(request, context.get("current_client"))


@register.simple_tag(takes_context=True)
def switch_client_url(context, client):
    """This page for another client."""
    return navigation.url_for_other_client(context["request"], client)


@register.simple_tag
def script_texts():
    """The sentences our scripts say, in the language in force."""
    return {
        "confirm": _("Please confirm"),
        "failed": _(
            "That did not work: the server could not finish it. Nothing was changed unless the page says so. Try again."
        ),
        "offline": _("The server cannot be reached. Check the connection and try again."),
        "timeout": _("The server took too long to answer. Reload the page to see what was done before trying again."),
        "signed_out": _("You have been signed out. Reload the page to sign in again."),
        "close": _("Close"),
        "all_selected": _("All %(count)s rows of this list are selected."),
        "some_selected": _("%(count)s selected"),
    }


@register.simple_block_tag(takes_context=True)
def page_header(context, content, title, subtitle="", pretitle=""):
    return _render(context, "page_header", title=title, subtitle=subtitle, pretitle=pretitle, actions=content)


@register.simple_block_tag(takes_context=True)
def card(context, content, *, title="", subtitle="", id="", flush=False, css=""):
    return _render(context, "card", title=title, subtitle=subtitle, id=id, flush=flush, css=css, body=content)


@register.inclusion_tag("components/kpi.html")
def kpi(label, value, *, change=None, good="up", spark=None, href="", hint=""):
    """`change` is a relative change; `good` says which direction is good news ("up", "down" or "none")."""
    tone = "secondary"
    if change is not None and good != "none" and abs(change) >= 0.005:
        tone = "green" if (change > 0) == (good == "up") else "red"
    arrow = "minus" if change is None or abs(change) < 0.005 else "trending-up" if change > 0 else "trending-down"
    return {
        "label": label,
        "value": value,
        "change": change,
        "tone": tone,
        "arrow": arrow,
        "points": drawing.sparkline(spark or []),
        "href": href,
        "hint": hint,
    }


@register.inclusion_tag("components/empty_state.html")
def empty_state(title, text="", icon="mood-empty", url="", action=""):
    return {"title": title, "text": text, "icon": icon, "url": url, "action": action}


@register.inclusion_tag("components/error_panel.html")
def error_panel(error=None, *, title="", text="", next_step="", detail="", url="", action=""):
    """What happened, what to do next, and the raw text one click away. An error of ours brings its own words."""
    if error is not None:
        text = text or getattr(error, "message", None) or str(error)
        detail = detail or getattr(error, "detail", "")
    return {
        "title": title or _("This did not work"),
        "text": text,
        "next_step": next_step,
        "detail": detail,
        "url": url,
        "action": action,
    }


@register.inclusion_tag("components/definition_list.html")
def definition_list(pairs):
    return {"pairs": pairs}


@register.inclusion_tag("components/timeline.html")
def timeline(entries):
    return {"entries": entries}


# --- lists ----------------------------------------------------------------------------------------


@register.simple_block_tag(takes_context=True)
def filter_bar(context, content, form, target="results", search="q"):
    """The filters of a list: they ask by themselves with htmx, and on a button without it."""
    request = context["request"]
    fields = list(form) if form is not None else []
    # What is chosen elsewhere on the page (order, period, tab) stays; a hidden field is such a choice too.
    names = {field.html_name for field in fields}
    kept = [(key, value) for key, value in request.GET.items() if key not in names and key != "page"]
    hidden = {field.html_name: field.data for field in fields if field.is_hidden and field.data}
    active = [
        field
        for field in fields
        if field.name != search and not field.is_hidden and field.data not in (None, "", [], False)
    ]
    return _render(
        context,
        "filter_bar",
        form=form,
        search_field=next((field for field in fields if field.name == search), None),
        fields=[field for field in fields if field.name != search],
        active_count=len(active),
        clear_url=_query(request, **dict.fromkeys(names - set(hidden)), page=None),
        target=target,
        kept=kept,
        extra=content,
    )


@register.inclusion_tag("components/period_control.html", takes_context=True)
def period_control(context, period):
    """The stretch of days, chosen the same way on every page (`apps.core.periods`)."""
    request = context["request"]
    return {
        "request": request,
        "period": period,
        "links": [
            (label, _query(request, period=key, since=None, until=None, page=None), key == period.key)
            for key, label in periods.choices()
        ],
        "kept": [(k, v) for k, v in request.GET.items() if k not in ("period", "since", "until", "page")],
    }


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(context, sorting, key, label, *, css="", target="results"):
    request = context["request"]
    return {
        "label": label,
        "css": css,
        "target": target,
        "aria": sorting.aria(key),
        "url": _query(request, sort=sorting.next_param(key), page=None),
    }


@register.inclusion_tag("components/sort_link.html", takes_context=True)
def sort_link(context, sorting, key, label, *, target="results"):
    """What `sort_header` has inside, for lists that are no table."""
    url = _query(context["request"], sort=sorting.next_param(key), page=None)
    return {"label": label, "target": target, "aria": sorting.aria(key), "url": url}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context, page, target="results"):
    request = context["request"]
    shown = formats.number(page.total)
    total = _("more than %(count)s") % {"count": shown} if page.is_capped else shown
    if not page.rows:
        text = _("No rows")
    else:
        text = _("%(first)s–%(last)s of %(total)s") % {
            "first": formats.number(page.first),
            "last": formats.number(page.last),
            "total": total,
        }
    links = [(n, _query(request, page=n) if n else None) for n in page.numbers]
    return {
        "request": request,
        "page": page,
        "text": text,
        "links": links,
        "target": target,
        "previous_url": _query(request, page=page.number - 1) if page.has_previous else None,
        "next_url": _query(request, page=page.number + 1) if page.has_next else None,
    }


@register.simple_block_tag(takes_context=True)
def bulk_bar(context, content, page):
    """Buttons for the ticked rows, and "all of them" when the list is longer than the page.

    The browser sends `all=1` and the list's own filters, never ten thousand ids: the server asks again.
    """
    everything = page.total if page.has_next or page.has_previous else len(page)
    label = ngettext("Select the %(count)s row", "Select all %(count)s rows", everything) % {
        "count": formats.number(everything)
    }
    return _render(
        context,
        "bulk_bar",
        page=page,
        buttons=content,
        # Nobody knows how many there are beyond the count: narrow the list first.
        offer_all=everything > len(page) and not page.is_capped,
        all_label=label,
        total=formats.number(everything),
    )


@register.simple_tag
def bulk_all_checkbox():
    return format_html(
        '<input type="checkbox" class="form-check-input m-0 align-middle" data-bulk-all aria-label="{}">',
        _("Select every row of this page"),
    )


@register.simple_tag
def bulk_checkbox(row):
    return format_html(
        '<input type="checkbox" class="form-check-input m-0 align-middle" data-bulk-row'
        ' name="ids" value="{}" aria-label="{}">',
        row.pk,
        _("Select %(thing)s") % {"thing": row},
    )


@register.inclusion_tag("components/export_menu.html", takes_context=True)
def export_menu(context, url):
    """CSV and XLSX of the list as filtered now."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    links = []
    for label, kind in (("CSV", "csv"), ("Excel (XLSX)", "xlsx")):
        query["format"] = kind
        links.append((label, f"{url}?{query.urlencode()}"))
    return {"links": links}


# --- work that takes time ----------------------------------------------------------------------------


@register.inclusion_tag("components/progress_panel.html")
def progress_panel(progress, id, poll_url="", cancel_url="", cancel_text=""):
    """Asks `poll_url` for itself every two seconds until the job is finished. `poll_url` answers this tag alone."""
    return {
        "progress": progress,
        "id": id,
        "poll_url": poll_url,
        "cancel_url": cancel_url,
        "cancel_text": cancel_text,
    }


# --- forms ------------------------------------------------------------------------------------------


@register.inclusion_tag("components/form_fields.html")
def form_fields(form):
    """Every field of a form, its own errors first."""
    return {"form": form, "visible": form.visible_fields(), "hidden": form.hidden_fields()}


@register.inclusion_tag("components/form_field.html")
def form_field(field, label=True, size=""):
    """One field: label, control in our look, help and errors tied to it for screen readers."""
    widget = field.field.widget
    kind = getattr(widget, "input_type", None)
    is_choice_list = kind in ("checkbox", "radio") and getattr(widget, "choices", None) is not None
    is_switch = kind == "checkbox" and not is_choice_list
    if is_choice_list:
        css = ""  # the widget gives its class to the list as well as to each choice
    elif is_switch:
        css = "form-check-input"
    elif kind == "select" or hasattr(widget, "choices"):
        css = "form-select"
    else:
        css = "form-control"
    if size and css.startswith(("form-control", "form-select")):
        css = f"{css} {css}-{size}"
    attrs = {
        "class": " ".join(filter(None, [widget.attrs.get("class", ""), css, "is-invalid" if field.errors else ""]))
    }
    described = [name for name, there in (("help", field.help_text), ("error", field.errors)) if there]
    if described:
        attrs["aria-describedby"] = " ".join(f"{field.auto_id}_{name}" for name in described)
    if field.errors:
        attrs["aria-invalid"] = "true"
    if not label and not is_choice_list:
        attrs["aria-label"] = field.label
    return {
        "field": field,
        "control": field.as_widget(attrs=attrs),
        "is_switch": is_switch,
        "is_choice_list": is_choice_list,
        "label": label,
    }


def _render(context, name, **values):
    # The page's context stays readable (request, csrf_token, perms) but the component's own names win.
    with context.push(**values):
        return context.template.engine.get_template(f"components/{name}.html").render(context)


def _query(request, **changes):
    query = request.GET.copy()
    for key, value in changes.items():
        if value is None:
            query.pop(key, None)
        else:
            query[key] = value
    return f"?{query.urlencode()}" if query else request.path
