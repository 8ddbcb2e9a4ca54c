"""Every component renders, in both languages, without an inline script or style and with its words escaped."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.http import QueryDict
from django.template import Context, Template
from django.utils import timezone, translation

from apps.core import formats, navigation, periods
from apps.core.errors import Rejected
from apps.core.pages import Page, Progress, Sorting

NBSP = "\u00a0"
MOMENT = datetime(2026, 11, 12, 13, 5, tzinfo=UTC)


class Filters(forms.Form):
    q = forms.CharField(required=False, label="Name")
    state = forms.ChoiceField(choices=[("", "All"), ("a", "A")], required=False, help_text="Which ones")
    quiet = forms.BooleanField(required=False)


class Thing:
    pk = 7

    def __str__(self):
        return "<Thing>"


def page_of(rows, **changes):
    values = {"number": 1, "per_page": 2, "total": 5, "is_capped": False, "has_next": True}
    return Page(rows=rows, **(values | changes))


COMPONENTS = {
    "page_header": '{% page_header bad "Sub" pretitle="Pre" %}<b>go</b>{% endpage_header %}',
    "card": '{% card title=bad id="x" %}body{% endcard %}',
    "kpi": '{% kpi "Spend" "12" change=change spark=numbers href="/x/" hint="a day" %}',
    "empty_state": '{% empty_state bad "Import a file first." url="/x/" action="Import" %}',
    "error_panel": "{% error_panel error %}",
    "definition_list": "{% definition_list pairs %}",
    "timeline": "{% timeline entries %}",
    "filter_bar": "{% filter_bar form %}{% endfilter_bar %}",
    "sort_header": '<table><tr>{% sort_header sorting "spend" bad %}</tr></table>',
    "pagination": "{% pagination page %}",
    "bulk_bar": "{% bulk_bar page %}<button>x</button>{% endbulk_bar %}",
    "bulk_checkboxes": "{% bulk_all_checkbox %}{% bulk_checkbox thing %}",
    "period_control": "{% period_control period %}",
    "export_menu": '{% export_menu "/export/" %}',
    "state_badge": '{% state_badge "failed" bad %}',
    "confidence": "{% confidence 0.82 right=14 of=17 %}",
    "confidence_unknown": "{% confidence None %}",
    "interval_bar": "{% interval_bar -0.1 0.4 0.2 label=bad %}",
    "percentile_bar": "{% percentile_bar 4 marks label=bad %}",
    "percentile_bar_without_marks": "{% percentile_bar 4 None %}",
    "sparkline": "{% sparkline numbers label=bad %}",
    "progress_bar": "{% progress_bar 3 10 label=bad %}",
    "progress_panel": '{% progress_panel progress id="job" poll_url="/p/" cancel_url="/c/" %}',
    "form_fields": "{% form_fields form %}",
    "chart": '{% chart id="spend" labels=days series=series title=bad unit="money" currency="EUR" %}',
    "when": "{% when moment %} {% when moment relative=True %} {% when None %}",
}


@pytest.fixture
def context(rf):
    form = Filters(QueryDict("state=zzz"))
    form.is_valid()
    return {
        "request": rf.get("/list/", {"sort": "-spend", "state": "a"}),
        "bad": "<i>Bad & bold</i>",
        "change": -0.2,
        "numbers": [1, None, 3.5],
        "error": Rejected("The file is empty.", detail="<raw> 400"),
        "pairs": [("Name", "<Value>")],
        "entries": [{"at": MOMENT, "title": "Sent", "text": "<t>", "who": "Ana", "icon": "check", "tone": "green"}],
        "form": form,
        "sorting": Sorting("spend", descending=True),
        "page": page_of([Thing(), Thing()]),
        "period": periods.chosen(rf.get("/"), date(2026, 11, 12)),
        "thing": Thing(),
        "marks": [1, 2, 3, 5],
        "progress": Progress("File <a>", 30, 120, started_at=MOMENT),
        "days": [date(2026, 11, 1), date(2026, 11, 2)],
        "series": [{"name": "Spend", "values": [Decimal("1.5"), None], "low": [1, 1], "high": [2, 2]}],
        "moment": MOMENT,
    }


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_renders_clean(name, language, context):
    with translation.override(language), timezone.override("Europe/Paris"):
        html = Template("{% load durum %}" + COMPONENTS[name]).render(Context(context))

    assert html.strip()
    assert "<i>Bad" not in html
    assert "<raw>" not in html
    assert "<Thing>" not in html
    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:", html)
    assert all('type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", html))


def test_coordinates_keep_their_point_in_french(context):
    with translation.override("fr"):
        html = Template("{% load durum %}" + COMPONENTS["interval_bar"]).render(Context(context))

    assert re.search(r'<rect class="range" x="\d+\.\d+"', html)


def test_no_template_of_ours_has_script_or_style_inline():
    offending = {}
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        # The admin's own pages live under the admin's own policy.
        if path.parent.name == "admin":
            continue
        text = re.sub(r"{% comment.*?endcomment %}", "", path.read_text(), flags=re.S)
        found = re.findall(
            r"""\sstyle=["']|\son[a-z]+=["']|<style|javascript:|hx-on|<script(?![^>]*(?:src=|application/json))""", text
        )
        if found:
            offending[str(path)] = found

    assert offending == {}


def test_every_icon_named_in_a_template_or_the_menu_is_in_the_sprite():
    sprite = (settings.BASE_DIR / "static/vendor/tabler-icons/sprite.svg").read_text()
    have = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    named = {item.icon for item in navigation.items()}
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        named |= set(re.findall(r'{% icon "([^"]+)"', path.read_text()))
        named |= set(re.findall(r'icon="([^"]+)"', path.read_text()))

    assert named - have == set()


def test_vendored_files_name_no_source_map():
    vendored = [path for path in Path(settings.BASE_DIR / "static/vendor").rglob("*") if path.suffix in {".js", ".css"}]

    assert vendored
    assert [path.name for path in vendored if "sourceMappingURL" in path.read_text()] == []


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("fr", ["1 234,57 €", "\u22125 €", "1 000 ¥", "12,5 %", "+20 %", "3,20×"]),
        ("en", ["€1,234.57", "\u2212€5", "¥1,000", "12.5%", "+20%", "3.20×"]),
    ],
)
def test_amounts_follow_the_language(language, expected):
    with translation.override(language):
        said = [
            formats.money(Decimal("1234.565"), "EUR"),
            formats.money(-5, "EUR", 0),
            formats.money(1000, "JPY"),
            formats.percent(0.125, 1),
            formats.change(0.2),
            formats.ratio(3.2),
        ]

    assert [text.replace(NBSP, " ") for text in said] == expected


def test_a_missing_value_is_a_dash():
    assert [formats.money(None), formats.number(""), formats.percent(float("nan")), formats.day(None)] == ["–"] * 4


def test_a_moment_is_told_in_the_zone_in_force_with_its_name():
    with translation.override("en"), timezone.override("Europe/Paris"):
        html = Template("{% load durum %}{% when moment %}").render(Context({"moment": MOMENT}))

    assert "14:05 CET" in html
    assert "(Europe/Paris)" in html
    assert 'datetime="2026-11-12T13:05:00+00:00"' in html
