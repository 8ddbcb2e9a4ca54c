from django.urls import path

from .views import archive, board, bulk, deciding, detail, outcomes, rules

app_name = "suggestions"
urlpatterns = [
    path("suggestions/", board.board, name="all"),
    path("suggestions/bulk/", bulk.bulk, name="all_bulk"),
    path("c/<slug:client_key>/suggestions/", board.board, name="board"),
    path("c/<slug:client_key>/suggestions/bulk/", bulk.bulk, name="bulk"),
    path("c/<slug:client_key>/suggestions/archive/<int:pk>/", archive.archived, name="archived"),
    path("c/<slug:client_key>/suggestions/<int:pk>/", detail.detail, name="detail"),
    path("c/<slug:client_key>/suggestions/<int:pk>/card/", detail.card, name="card"),
    path("c/<slug:client_key>/suggestions/<int:pk>/approve/", deciding.approve, name="approve"),
    path("c/<slug:client_key>/suggestions/<int:pk>/refuse/", deciding.refuse, name="refuse"),
    path("c/<slug:client_key>/suggestions/<int:pk>/assign/", deciding.assign, name="assign"),
    path("c/<slug:client_key>/suggestions/<int:pk>/undo/", deciding.undo, name="undo"),
    path("c/<slug:client_key>/suggestions/<int:pk>/try-again/", deciding.try_again, name="try_again"),
    path("c/<slug:client_key>/suggestions/<int:pk>/give-up/", deciding.give_up, name="give_up"),
    path("c/<slug:client_key>/outcomes/", outcomes.outcomes, name="outcomes"),
    path("c/<slug:client_key>/rules/", rules.rules, name="rules"),
    path("c/<slug:client_key>/rules/<int:pk>/", rules.change, name="rule"),
    path("c/<slug:client_key>/rules/<int:pk>/switch/", rules.switch, name="switch_rule"),
]
