"""Lives through some weeks of an agency in a few minutes: the real services, the sandbox as Meta and Slack.

Each day: read the accounts, run the cycle, let scripted people decide, carry out, measure. Only the clock
and the people are made up. The same seed gives the same history.
"""

import datetime as dt
import json
import random
import zlib

from apps.ads.services import fetching
from apps.clients.models import Client, Funnel, Product, User
from apps.clients.roles import Role
from apps.clients.services.clients import create_client, set_member
from apps.connectors import registry
from apps.connectors.models import Channel, SlackIdentity
from apps.core import clock
from apps.core.actors import Actor
from apps.core.errors import DomainError, Unavailable
from apps.core.http import Http
from apps.core.tenancy import use_all_clients, use_client
from apps.suggestions.models import ExecutionLog, SlackMessage, Suggestion
from apps.suggestions.services import archiving, deciding, digest, execution, generation, hypotheses

COMMAND = Actor(None, "command")
BEFORE, MORNING, OFFICE = dt.time(4), dt.time(5, 30), dt.time(9, 15)
APPROVED, REFUSED = 0.55, 0.80  # shares of what people approve, and up to which they refuse; the rest expires
UNDONE = 0.45  # share of pauses that somebody takes back a week later
UNDONE_AFTER = dt.timedelta(days=6)
LEFT_OPEN = 3  # of the last days nothing is decided: a morning's work waits for whoever signs in


class Demo:
    """One play of `description` (fixtures/demo.json) over `days` days that end this morning."""

    def __init__(self, description, *, days, seed, sandbox_url, sandbox_key, site_url, signing_secret, say):
        self.description, self.days, self.seed, self.say = description, days, seed, say
        self.site_url, self.signing_secret = site_url, signing_secret
        self.sandbox = Http("sandbox", sandbox_url, headers={"X-Sandbox-Key": sandbox_key}, timeout=120)
        today = clock.now().date()
        self.dates = [today - dt.timedelta(days=back) for back in range(days - 1, -1, -1)]

    def play(self, password):
        """Build the agency, live the days, and leave the sandbox on the real time."""
        self._set_the_stage()
        with clock.at(self._at(self.dates[0], BEFORE)):
            people = self._hire(password)
            clients = [self._sign(one, people) for one in self.description["clients"]]
        for number, date in enumerate(self.dates, 1):
            counts = [self._live(date, client, people) for client in clients]
            self.say(number, self.days, date, [sum(column) for column in zip(*counts, strict=True)])
        self._control("clock", {"real": True})

    def _control(self, path, payload):
        return self.sandbox.call("POST", f"/_control/{path}", writes=False, json=payload).json()

    def _set_the_stage(self):
        slack = self.description["agency"]["slack"]
        people = [p for p in self.description["agency"]["people"] if "slack" in p]
        try:
            self._control(
                "scenario",
                {
                    "seed": self.seed,
                    "now": self._at(self.dates[0], MORNING).isoformat(),
                    "slack_rate_limit": False,
                    "tokens": [
                        {"token": f"sandbox-{one['key']}", "accounts": [one["account"]["id"]]}
                        for one in self.description["clients"]
                    ],
                    "accounts": [one["account"] for one in self.description["clients"]],
                    "slack": slack
                    | {
                        "signing_secret": self.signing_secret,
                        "interactivity_url": f"{self.site_url}/slack/events/",
                        "channels": [one["slack_channel"] for one in self.description["clients"]],
                        "users": [{"id": p["slack"], "email": p["email"], "name": p["first_name"]} for p in people],
                    },
                },
            )
        except Unavailable as exc:
            raise Unavailable(
                "The sandbox does not answer. Start it first: manage.py sandbox (make run does it by itself).",
                detail=exc.detail,
            ) from exc

    def _hire(self, password):
        people = {}
        for one in self.description["agency"]["people"]:
            user = User(
                username=one["username"],
                email=one["email"],
                first_name=one["first_name"],
                last_name=one["last_name"],
                language="fr",
                is_staff=True,
                is_superuser=one.get("superuser", False),
            )
            user.set_password(password)
            user.save()
            SlackIdentity.objects.create(
                user=user, team_id=self.description["agency"]["slack"]["team_id"], slack_user_id=one["slack"]
            )
            people[one["username"]] = (user, one.get("role", Role.OWNER))
        return people

    def _sign(self, one, people):
        owner = next(user for user, role in people.values() if role == Role.OWNER)
        client = create_client(actor=COMMAND, owner=owner, key=one["key"], name=one["name"], **one["fields"])
        with use_client(client):
            for user, role in people.values():
                if role != Role.OWNER:
                    set_member(client_id=client.pk, user=user, role=role, actor=COMMAND)
            if "merchant" in one:
                merchant = User.objects.create_user(password=None, language="fr", **one["merchant"])
                set_member(client_id=client.pk, user=merchant, role=Role.VIEWER, actor=COMMAND)
            products = {p["key"]: Product.objects.create(client=client, **p) for p in one["products"]}
            for funnel in one["funnels"]:
                product = products[funnel["product"]]
                Funnel.objects.create(client=client, **funnel | {"product": product})
            self._connect(client, one)
            client.refresh_from_db()
        return client

    def _connect(self, client, one):
        slack = self.description["agency"]["slack"]
        Channel.objects.create(
            client=client,
            platform=Channel.Platform.META_ADS,
            external_id=one["account"]["id"],
            name=one["account"]["name"],
            token=f"sandbox-{one['key']}",
        )
        Channel.objects.create(
            client=client,
            platform=Channel.Platform.SLACK,
            external_id=f"{slack['team_id']}/{one['slack_channel']['id']}",
            name=f"#{one['slack_channel']['name']}",
            token=slack["bot_token"],
        )

    def _live(self, date, client, people):
        """One day of one client; (proposed, decided, carried out)."""
        with use_client(client):
            self._on(self._at(date, MORNING, client), lambda: self._read(client))
            cycle = self._on(
                self._at(date, dt.time(client.cycle_hour), client),
                lambda: generation.run_cycle(client=client, actor=COMMAND),
            )
            self._on(self._at(date, dt.time(7, 30), client), lambda: self._tell(client))
            decided = 0
            if date not in self.dates[-LEFT_OPEN:] or self.days <= LEFT_OPEN:
                decided = self._on(self._at(date, OFFICE, client), lambda: self._decide(client, people))
            if date == self.dates[-1 - LEFT_OPEN :][0]:
                self._interfere(client)
            done = self._on(self._at(date, dt.time(9, 20), client), lambda: self._carry_out(client))
            self._on(self._at(date, dt.time(10), client), lambda: self._measure(client))
        return cycle.counts["proposed"], decided, done

    def _on(self, moment, step):
        """Run `step` at `moment`, on both sides of the wire; never later than now."""
        moment = min(moment, dt.datetime.now(dt.UTC))
        self._control("clock", {"now": moment.isoformat()})
        with clock.at(moment):
            return step()

    def _at(self, date, time, client=None):
        zone = client.zone if client else dt.UTC
        return dt.datetime.combine(date, time, tzinfo=zone).astimezone(dt.UTC)

    def _read(self, client):
        for channel in Channel.objects.filter(client=client, platform=Channel.Platform.META_ADS):
            run = fetching.request_fetch(channel_id=channel.pk, actor=COMMAND)
            fetching.work(run.pk, registry.ads(channel))

    def _tell(self, client):
        for pk in SlackMessage.objects.filter(client=client).due(clock.now()).values_list("pk", flat=True):
            digest.show(message_id=pk, slack_for=registry.slack)

    def _decide(self, client, people):
        """People answer most of what waits; what they leave expires by itself."""
        self._take_back(client, people)
        decided = 0
        for suggestion in Suggestion.objects.filter(client=client).waiting().select_related("ad_object__parent"):
            drawn = random.Random(self._seed_of(suggestion))  # noqa: S311  (a script, not a secret)
            user, _role = drawn.choice(list(people.values()))
            actor = Actor(user, drawn.choice(["web", "web", "slack", "admin"]))
            share = drawn.random()
            try:
                if share < APPROVED:
                    deciding.approve(suggestion_id=suggestion.pk, actor=actor)
                elif share < REFUSED:
                    reason = drawn.choice(self.description["refusals"])
                    deciding.refuse(suggestion_id=suggestion.pk, actor=actor, reason=reason)
                else:
                    continue
            except DomainError:
                continue
            decided += 1
            if suggestion.kind == Suggestion.Kind.REFRESH and share < APPROVED:
                self._control("people", {"new_ad_in": suggestion.ad_object.parent.external_id, "ad": {}})
        return decided

    def _take_back(self, client, people):
        """A week later somebody wants some of what was paused to run again: an undo, with its reason."""
        owner = next(user for user, role in people.values() if role == Role.OWNER)
        paused = ExecutionLog.objects.filter(
            client=client, field="status", state=ExecutionLog.State.DONE, undo_of=None, undoings=None
        )
        for row in paused.filter(done_at__lt=clock.now() - UNDONE_AFTER, suggestion__isnull=False):
            if random.Random(self._seed_of(row.suggestion) + 1).random() < UNDONE:  # noqa: S311
                reason = self.description["undo_reason"]
                deciding.undo(suggestion_id=row.suggestion_id, actor=Actor(owner, "web"), reason=reason)

    def _interfere(self, client):
        """Somebody changes a budget in Ads Manager just before Durum does: one execution stops and asks."""
        row = ExecutionLog.objects.filter(client=client, field="daily_budget").due(clock.now()).first()
        if row is not None:
            budget = int(row.expected) * 12 // 10
            self._control("people", {"object": row.ad_object.external_id, "daily_budget": budget})

    def _seed_of(self, suggestion):
        day = suggestion.created_at.date()
        return zlib.crc32(f"{self.seed} {suggestion.ad_object.external_id} {suggestion.kind} {day}".encode())

    def _carry_out(self, client):
        due = ExecutionLog.objects.filter(client=client).due(clock.now()).values_list("pk", flat=True)
        done = 0
        for pk in due:
            row = execution.carry_out(execution_id=pk, connector_for=registry.ads)
            done += row is not None and row.state == ExecutionLog.State.DONE
        return done

    def _measure(self, client):
        hypotheses.evaluate_due(client)
        archiving.archive(client=client)


def is_empty():
    """Whether there is no client yet."""
    with use_all_clients("the demo needs an empty house"):
        return not Client.objects.exists()


def description_from(path):
    """The demo's description from its JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
