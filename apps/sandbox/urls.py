"""All addresses of the sandbox: two outside worlds and the levers behind the stage."""

from django.urls import path

from apps.sandbox import control, truth
from apps.sandbox.graph.views import graph
from apps.sandbox.slack import backstage
from apps.sandbox.slack.views import method, response_url

urlpatterns = [
    path("graph/<path:path>", graph),
    path("graph/", graph),
    path("slack/api/<str:name>", method),
    path("slack/hooks/<str:hook_id>", response_url),
    path("_control/ping", control.ping),
    path("_control/scenario", control.load),
    path("_control/clock", control.time),
    path("_control/switches", control.switches),
    path("_control/faults", control.misbehave),
    path("_control/people", control.people),
    path("_control/tokens", control.tokens),
    path("_control/accounts", control.accounts),
    path("_control/requests", control.requests),
    path("_control/slack/team", control.slack_team),
    path("_control/slack/messages", backstage.messages),
    path("_control/slack/views", backstage.views),
    path("_control/slack/press", backstage.press),
    path("_control/slack/submit", backstage.submit),
    path("_control/slack/event", backstage.event),
    path("_control/slack/verify", backstage.verify),
    path("_control/slack/replay", backstage.replay),
    path("_truth/writes", truth.ledger),
    path("_truth/params", truth.params),
    path("_truth/effects", truth.effects),
]
