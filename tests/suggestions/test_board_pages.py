"""The board: who sees what, in how many queries, as page and as fragment, one by one and in bulk."""

import datetime as dt

import pytest
from django.urls import reverse

from apps.clients.roles import Role
from apps.core import clock
from apps.core.actors import Actor
from apps.suggestions.models import Decision, ExecutionLog, Suggestion
from apps.suggestions.services import deciding
from tests.factories.ads import AdsetFactory
from tests.factories.clients import ClientFactory, member
from tests.factories.suggestions import (
    DecisionFactory,
    ExecutionFactory,
    PauseFactory,
    SkippedFactory,
    SuggestionArchiveFactory,
    SuggestionFactory,
    ValidationItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(as_client):
    client = ClientFactory(name="Avego")
    as_client(client)
    return client


@pytest.fixture
def nora(tenant, client):
    """An operator of the client, signed in."""
    user = member(tenant, first_name="Nora", last_name="Reads")
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return user


def board(tenant, **query):
    return reverse("suggestions:board", args=[tenant.key], query=query)


def test_the_board_shows_what_waits_with_its_reason_and_its_change(client, tenant, nora):
    SuggestionFactory(client=tenant, ad_object__name="Autumn reds")

    page = client.get(board(tenant)).content.decode()

    assert "<html" in page
    assert "Autumn reds" in page
    assert "€50.00 → €75.00 a day" in page
    assert "not checked yet (0)" in page
    assert "Unknown: no earlier raise" in page


def test_htmx_gets_the_list_alone_and_caches_are_told(client, tenant, nora):
    SuggestionFactory(client=tenant)

    answer = client.get(board(tenant), headers={"HX-Request": "true"})

    assert answer.content.decode().lstrip().startswith('<div id="results"')
    assert "HX-Request" in answer["Vary"]
    assert "HX-Request" in client.get(board(tenant))["Vary"]


def test_the_pages_speak_french(client, tenant, nora):
    SuggestionFactory(client=tenant)
    client.cookies["django_language"] = "fr"

    page = client.get(board(tenant)).content.decode()

    assert '<html lang="fr"' in page
    assert "75,00" in page


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("waiting", "waiting"),
        ("running", "approved"),
        ("done", "done"),
        ("refused", "refused"),
        ("expired", "expired"),
        ("cancelled", "cancelled"),
    ],
)
def test_each_tab_shows_its_state_only(client, tenant, nora, state, status):
    SuggestionFactory(client=tenant, status=status, ad_object__name="The right one")
    other = "refused" if status == "waiting" else "waiting"
    SuggestionFactory(client=tenant, status=other, ad_object__name="The wrong one")

    page = client.get(board(tenant, state=state)).content.decode()

    assert "The right one" in page
    assert "The wrong one" not in page


def test_the_stopped_tab_counts_what_the_queue_counts(client, tenant, nora):
    stuck = SuggestionFactory(client=tenant, status="stopped", ad_object__name="Stuck")
    ExecutionFactory(
        client=tenant, decision__suggestion=stuck, decision__client=tenant, state="conflict", reason="changed_meanwhile"
    )

    page = client.get(board(tenant, state="stopped")).content.decode()

    assert "Stuck" in page
    assert "Somebody changed it at the platform" in page


def test_what_was_not_proposed_is_told_with_its_reason(client, tenant, nora):
    SkippedFactory(client=tenant, reason="below_min_spend", numbers={"spend": 12.5, "min_spend": 500})

    page = client.get(board(tenant, state="skipped")).content.decode()

    assert "Too little spent to judge: €12.50, more than €500.00 needed." in page


def test_the_archive_stays_readable(client, tenant, nora):
    row = SuggestionArchiveFactory(client=tenant, ad_object_name="Long ago", record={"evidence": {}, "executions": []})

    assert "Long ago" in client.get(board(tenant, state="archive")).content.decode()
    assert "Long ago" in client.get(reverse("suggestions:archived", args=[tenant.key, row.pk])).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "red"}, ["Autumn reds"]),
        ({"kind": "pause"}, ["Winter whites"]),
        ({"confidence": "90"}, ["Autumn reds"]),
        ({"confidence": "80"}, ["Winter whites"]),
        ({}, ["Autumn reds", "Winter whites"]),
    ],
)
def test_filters_narrow_the_list(client, tenant, nora, query, found):
    SuggestionFactory(client=tenant, ad_object__name="Autumn reds", confidence=0.95)
    PauseFactory(client=tenant, ad_object__name="Winter whites", confidence=0.85)

    page = client.get(board(tenant, **query)).content.decode()

    assert [name for name in ("Autumn reds", "Winter whites") if name in page] == found


def test_one_s_own_work_is_found(client, tenant, nora):
    mine, other, nobodys = (ValidationItemFactory(client=tenant) for _ in range(3))
    mine.assigned_to, other.assigned_to = nora, member(tenant)
    for item in (mine, other):
        item.save()

    shown = client.get(board(tenant, given="me"))
    free = client.get(board(tenant, given="nobody"))

    assert [card.suggestion.pk for card in shown.context["cards"]] == [mine.suggestion_id]
    assert [card.suggestion.pk for card in free.context["cards"]] == [nobodys.suggestion_id]


def test_the_campaign_filter_reaches_everything_below_and_offers_no_foreign_campaign(client, tenant, nora):
    adset = AdsetFactory(client=tenant, name="Inside")
    SuggestionFactory(client=tenant, ad_object=adset)
    SuggestionFactory(client=tenant, ad_object__name="Outside")
    foreign = AdsetFactory(parent__name="Their secret campaign")

    page = client.get(board(tenant, campaign=adset.parent_id)).content.decode()
    leaking = client.get(board(tenant, campaign=foreign.parent_id)).content.decode()

    assert "Inside" in page
    assert 'aria-label="Raise the budget: Outside"' not in page
    assert "Their secret campaign" not in leaking


def test_the_number_of_queries_does_not_grow_with_the_rows(client, tenant, nora, django_assert_max_num_queries):
    def queries():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as caught:
            assert client.get(board(tenant), headers={"HX-Request": "true"}).status_code == 200
        return len(caught)

    for _ in range(2):
        ValidationItemFactory(client=tenant)
    queries()
    few = queries()
    for _ in range(15):
        ValidationItemFactory(client=tenant)

    assert queries() == few


def test_the_export_has_every_row_and_its_words(client, tenant, nora):
    SuggestionFactory(client=tenant, ad_object__name="Autumn reds")

    answer = client.get(board(tenant, format="csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert "Autumn reds" in text
    assert "€50.00 → €75.00 a day" in text
    book = client.get(board(tenant, format="xlsx"))
    assert b"".join(book.streaming_content).startswith(b"PK")
    book.close()


def test_a_foreign_client_is_not_there(client, nora):
    other = SuggestionFactory()

    assert client.get(reverse("suggestions:board", args=[other.client.key])).status_code == 404
    assert client.get(reverse("suggestions:detail", args=[other.client.key, other.pk])).status_code == 404


def test_a_foreign_suggestion_is_not_there_under_ones_own_client(client, tenant, nora):
    other = SuggestionFactory()

    assert client.get(reverse("suggestions:detail", args=[tenant.key, other.pk])).status_code == 404
    assert client.post(reverse("suggestions:approve", args=[tenant.key, other.pk])).status_code == 404
    assert not Decision.objects.filter(suggestion=other.pk).exists()


def test_all_clients_of_the_person_in_one_queue(client, tenant, nora, all_clients):
    mine = SuggestionFactory(client=tenant, ad_object__name="Mine")
    SuggestionFactory(ad_object__name="Theirs")

    page = client.get(reverse("suggestions:all")).content.decode()

    assert "Mine" in page
    assert "Avego" in page
    assert "Theirs" not in page
    assert reverse("suggestions:detail", args=[tenant.key, mine.pk]) in page


def test_signing_in_comes_first(client, tenant):
    assert client.get(board(tenant)).status_code == 302


def test_approving_answers_with_the_card_as_it_stands_now(client, tenant, nora):
    row = ValidationItemFactory(client=tenant).suggestion

    answer = client.post(reverse("suggestions:approve", args=[tenant.key, row.pk]), headers={"HX-Request": "true"})

    page = answer.content.decode()
    assert page.startswith('<article class="card')
    assert "Approved by Nora Reads on the web" in page
    assert 'hx-trigger="every 3s"' in page
    assert ExecutionLog.objects.get().state == "pending"


def test_a_card_stops_looking_when_nothing_moves(client, tenant, nora):
    execution = ExecutionFactory(client=tenant)
    url = reverse("suggestions:card", args=[tenant.key, execution.suggestion_id])
    assert "every 3s" in client.get(url, headers={"HX-Request": "true"}).content.decode()

    ExecutionLog.objects.update(state="done")
    Suggestion.objects.update(status="done")

    assert "every 3s" not in client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert client.get(url).status_code == 302


def test_the_second_sees_who_was_faster(client, tenant, nora):
    row = SuggestionFactory(client=tenant)
    faster = member(tenant, first_name="Ada", last_name="First")
    deciding.approve(suggestion_id=row.pk, actor=Actor(faster, "slack"))

    answer = client.post(
        reverse("suggestions:refuse", args=[tenant.key, row.pk]), {"reason": "No"}, headers={"HX-Request": "true"}
    )

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Already approved by Ada First" in page
    assert "in Slack" in page
    assert Decision.objects.count() == 1


def test_a_refusal_needs_a_reason(client, tenant, nora):
    row = SuggestionFactory(client=tenant)
    url = reverse("suggestions:refuse", args=[tenant.key, row.pk])

    answer = client.post(url, {"reason": "  "}, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_refusal_closes_the_dialog_and_changes_the_card_where_it_stands(client, tenant, nora):
    row = SuggestionFactory(client=tenant)
    url = reverse("suggestions:refuse", args=[tenant.key, row.pk])

    answer = client.post(url, {"reason": "Season is over"}, headers={"HX-Request": "true", "HX-Target": "modal-body"})

    page = answer.content.decode()
    assert answer["HX-Trigger"] == "modal:close, suggestions:counted"
    assert f'id="suggestion-{row.pk}"' in page
    assert 'hx-swap-oob="true"' in page
    assert "Season is over" in page


def test_without_script_a_refusal_leads_back_to_the_page(client, tenant, nora):
    row = SuggestionFactory(client=tenant)

    answer = client.post(reverse("suggestions:refuse", args=[tenant.key, row.pk]), {"reason": "No"}, follow=True)

    assert answer.redirect_chain[0][0] == reverse("suggestions:detail", args=[tenant.key, row.pk])
    assert "Refused." in answer.content.decode()


def test_who_may_only_look_gets_no_button_and_no_way_round(client, tenant):
    row = SuggestionFactory(client=tenant)
    client.force_login(member(tenant, Role.VIEWER))
    client.cookies["django_language"] = "en"

    page = client.get(board(tenant)).content.decode()
    answer = client.post(reverse("suggestions:approve", args=[tenant.key, row.pk]))

    assert f"suggestions/{row.pk}/approve" not in page
    assert answer.status_code in (302, 403)
    assert not Decision.objects.exists()
    row.refresh_from_db()
    assert row.status == "waiting"


def test_bulk_first_shows_what_would_be_done(client, tenant, nora):
    rows = [SuggestionFactory(client=tenant) for _ in range(2)]

    answer = client.post(
        reverse("suggestions:bulk", args=[tenant.key]),
        {"action": "approve", "ids": [row.pk for row in rows]},
        headers={"HX-Request": "true"},
    )

    page = answer.content.decode()
    assert "Approve 2 suggestions?" in page
    assert page.count("€50.00 → €75.00 a day") == 2
    assert not Decision.objects.exists()


def test_bulk_reports_what_failed_and_why(client, tenant, nora):
    good = SuggestionFactory(client=tenant, ad_object__name="Good")
    taken = SuggestionFactory(client=tenant, ad_object__name="Taken")
    stale = SuggestionFactory(client=tenant, ad_object__name="Stale", expires_at=clock.now() - dt.timedelta(hours=1))
    deciding.refuse(suggestion_id=taken.pk, actor=Actor(member(tenant, first_name="Ada"), "slack"), reason="No")

    answer = client.post(
        reverse("suggestions:bulk", args=[tenant.key]),
        {"action": "approve", "confirmed": "1", "reason": "", "ids": [good.pk, taken.pk, stale.pk]},
        headers={"HX-Request": "true"},
    )

    page = answer.content.decode()
    assert "1 suggestion approved." in page
    assert "Taken" in page
    assert "Already refused by Ada" in page
    assert "Stale" in page
    assert "This suggestion expired" in page
    assert answer["HX-Trigger-After-Swap"] == "suggestions:changed"
    good.refresh_from_db()
    assert good.status == "approved"


def test_bulk_refusal_needs_a_reason_too(client, tenant, nora):
    row = SuggestionFactory(client=tenant)

    answer = client.post(
        reverse("suggestions:bulk", args=[tenant.key]),
        {"action": "refuse", "confirmed": "1", "reason": "", "ids": [row.pk]},
        headers={"HX-Request": "true"},
    )

    assert answer.status_code == 422
    assert not Decision.objects.exists()


def test_bulk_of_the_whole_list_asks_the_filters_again(client, tenant, nora):
    SuggestionFactory(client=tenant, ad_object__name="Wanted")
    SuggestionFactory(client=tenant, ad_object__name="Other")
    url = reverse("suggestions:bulk", args=[tenant.key], query={"q": "Wanted"})

    answer = client.post(url, {"action": "approve", "all": "1"}, headers={"HX-Request": "true"})

    page = answer.content.decode()
    assert "Approve 1 suggestion?" in page
    assert "Other" not in page


def test_bulk_never_touches_a_foreign_row(client, tenant, nora):
    foreign = SuggestionFactory(ad_object__name="Theirs")

    answer = client.post(
        reverse("suggestions:bulk", args=[tenant.key]),
        {"action": "approve", "confirmed": "1", "reason": "", "ids": [foreign.pk]},
        headers={"HX-Request": "true"},
    )

    assert "Theirs" not in answer.content.decode()
    assert not Decision.objects.exists()


def test_decisions_show_who_and_where(client, tenant, nora):
    row = DecisionFactory(client=tenant, verdict="refuse", via="slack", reason="Too dear", suggestion__status="refused")

    page = client.get(board(tenant, state="refused")).content.decode()

    assert f"Refused by {row.user}" in page
    assert "Too dear" in page
