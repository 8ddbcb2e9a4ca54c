"""Deciding on the board: what a click asks, sends, shows and leaves alone."""

import re

import pytest
from playwright.sync_api import expect

from apps.core.actors import Actor
from apps.suggestions.models import Decision, ExecutionLog, Suggestion
from apps.suggestions.services import deciding
from tests.factories.clients import member
from tests.factories.suggestions import CycleFactory, DecisionFactory, ExecutionFactory, SuggestionFactory

BOARD = "/c/clos/suggestions/"

pytestmark = pytest.mark.usefixtures("in_shop")


def card(page, suggestion):
    return page.locator(f"#suggestion-{suggestion.pk}")


def toasts(page):
    return page.locator("#toasts [data-toast]")


def test_approving_asks_once_and_names_the_thing_and_the_amount(pages, proposals, owner):
    scale, _pause = proposals
    page = pages.open(BOARD, owner)

    card(page, scale).get_by_role("button", name="Approve").click()
    question = page.locator("#confirm")
    expect(question).to_contain_text("Autumn reds")
    expect(question).to_contain_text("€75.00")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    assert not Decision.objects.exists()

    card(page, scale).get_by_role("button", name="Approve").click()
    question.get_by_role("button", name="Approve").click()
    expect(card(page, scale)).to_contain_text("Nora Vidal")
    expect(card(page, scale).get_by_role("button", name="Approve")).to_have_count(0)
    decision = Decision.objects.get()
    assert (decision.suggestion, decision.verdict, decision.user, decision.via) == (scale, "approve", owner, "web")
    assert ExecutionLog.objects.get().target == "7500"


def test_refusing_needs_a_reason(pages, proposals, owner):
    _scale, pause = proposals
    page = pages.open(BOARD, owner)

    card(page, pause).get_by_role("link", name="Refuse").click()
    form = page.locator("#modal")
    form.get_by_label("Why").fill("   ")
    form.get_by_role("button", name="Refuse").click()
    expect(form).to_contain_text("Say why")
    assert not Decision.objects.exists()

    form.get_by_label("Why").fill("Stock is back on Monday")
    form.get_by_role("button", name="Refuse").click()
    expect(form).to_be_hidden()
    expect(card(page, pause)).to_contain_text("Stock is back on Monday")
    assert Decision.objects.get().reason == "Stock is back on Monday"
    assert not ExecutionLog.objects.exists()


def test_what_somebody_else_decided_meanwhile_is_told_and_kept(pages, shop, proposals, owner):
    scale, pause = proposals
    page = pages.open(BOARD, owner)
    ada = member(shop, first_name="Ada", last_name="First")
    for row in proposals:
        deciding.refuse(suggestion_id=row.pk, actor=Actor(ada, "slack"), reason="Too early")

    card(page, scale).get_by_role("button", name="Approve").click()
    page.locator("#confirm-yes").click()
    expect(card(page, scale)).to_contain_text("Already refused by Ada First")
    card(page, pause).get_by_role("link", name="Refuse").click()
    form = page.locator("#modal")
    form.get_by_label("Why").fill("Mine")
    form.get_by_role("button", name="Refuse").click()
    expect(page.locator("body")).to_contain_text(re.compile("Already refused.*Already refused", re.DOTALL))

    assert set(Decision.objects.values_list("verdict", "user")) == {("refuse", ada.pk)}
    assert not ExecutionLog.objects.exists()


def test_deciding_many_at_once(pages, proposals, owner):
    page = pages.open(BOARD, owner)
    bulk = page.locator("[data-bulk-bar]")
    expect(bulk.get_by_role("button", name="Approve")).to_be_disabled()

    page.locator("[data-bulk-all]").check()
    expect(bulk).to_contain_text("2")
    bulk.get_by_role("button", name="Approve").click()
    asked = page.locator("#modal")
    expect(asked).to_contain_text("Approve 2 suggestions?")
    expect(asked).to_contain_text("€50.00 → €75.00 a day")
    assert not Decision.objects.exists()
    asked.locator("button.btn-success").click()
    expect(asked).to_contain_text("2")
    asked.get_by_role("button", name="Close").last.click()

    expect(page.locator("article.durum-suggestion")).to_have_count(0)
    assert list(Decision.objects.values_list("verdict", flat=True)) == ["approve"] * 2
    assert ExecutionLog.objects.count() == 2


def test_undoing(pages, shop, owner):
    done = SuggestionFactory(client=shop, status="done", ad_object__name="Autumn reds")
    decision = DecisionFactory(client=shop, suggestion=done)
    ExecutionFactory(client=shop, decision=decision, state="done", after="7500")
    page = pages.open(f"{BOARD}{done.pk}/", owner)

    page.get_by_role("link", name="Undo").click()
    form = page.locator("#modal")
    expect(form).to_contain_text("€50.00")
    form.get_by_role("button", name="Put it back").click()

    expect(form).to_be_hidden()
    expect(page.locator("#suggestion").get_by_role("link", name="Undo")).to_have_count(0)
    back = ExecutionLog.objects.get(undo_of__isnull=False)
    assert (back.target, back.expected) == ("5000", "7500")


def test_filters_are_in_the_address_and_survive_a_reload(pages, proposals, owner):
    page = pages.open(BOARD, owner)
    shown = page.locator("article.durum-suggestion")

    page.locator("[data-search]").fill("whites")
    expect(shown).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=whites"))
    page.reload()
    expect(shown).to_have_count(1)
    assert page.input_value("[data-search]") == "whites"
    page.locator("[data-search]").fill("")
    expect(shown).to_have_count(2)
    expect(page.get_by_role("link", name="Clear filters")).to_be_hidden()

    page.get_by_label("Type").select_option("scale")
    expect(shown).to_have_count(1)
    expect(page).to_have_url(re.compile(r"kind=scale"))
    page.get_by_role("link", name="Clear filters").click()
    expect(shown).to_have_count(2)
    page.go_back()
    expect(shown).to_have_count(1)


def test_paging(pages, shop, owner):
    cycle = CycleFactory(client=shop)
    for number in range(30):
        SuggestionFactory(client=shop, cycle=cycle, ad_object__name=f"Numbered {number:02}")
    page = pages.open(f"{BOARD}?sort=object", owner)
    shown = page.locator("article.durum-suggestion")
    expect(shown).to_have_count(25)

    page.get_by_label("Next page").click()
    expect(shown).to_have_count(5)
    expect(page).to_have_url(re.compile("page=2"))
    page.reload()
    expect(shown).to_have_count(5)
    page.get_by_label("Previous page").click()
    expect(shown).to_have_count(25)


def test_a_request_that_fails_is_told_and_leaves_the_page(pages, proposals, owner):
    scale, _pause = proposals
    page = pages.open(BOARD, owner)
    page.route("**/approve/", lambda route: route.fulfill(status=500, body="<h1>broken</h1>", content_type="text/html"))

    card(page, scale).get_by_role("button", name="Approve").click()
    page.locator("#confirm-yes").click()

    expect(toasts(page)).to_have_count(1)
    expect(card(page, scale).get_by_role("button", name="Approve")).to_be_visible()
    toasts(page).get_by_label("Close").click()
    expect(toasts(page)).to_have_count(0)

    page.unroute("**/approve/")
    page.context.set_offline(True)
    card(page, scale).get_by_role("button", name="Approve").click()
    page.locator("#confirm-yes").click()
    expect(toasts(page)).to_have_count(1)
    told = ("Error Code 500", "htmx:", "ERR_INTERNET_DISCONNECTED")
    assert [text for text in page.complaints if not any(words in text for words in told)] == []
    page.complaints.clear()
    assert Suggestion.objects.get(pk=scale.pk).status == "waiting"


def test_a_viewer_sees_no_button(pages, shop, proposals):
    page = pages.open(BOARD, member(shop, "viewer"))

    expect(page.locator("article.durum-suggestion")).to_have_count(2)
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.locator("[data-bulk-bar]")).to_have_count(0)
