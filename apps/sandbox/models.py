"""What the outside world remembers. One SQLite file, so that a killed sandbox comes back as it was."""

from django.db import models


class State(models.Model):
    """The single row of settings: seed, clock, switches."""

    class ClockMode(models.TextChoices):
        REAL = "real"
        SHIFTED = "shifted"
        FROZEN = "frozen"

    seed = models.CharField(max_length=100, default="1")
    clock_mode = models.CharField(max_length=10, choices=ClockMode, default=ClockMode.REAL)
    clock_value = models.FloatField(default=0.0)
    slack_rate_limit = models.BooleanField(default=True)
    async_polls = models.PositiveIntegerField(default=3)
    async_first_read_missing = models.BooleanField(default=False)
    page_limit = models.PositiveIntegerField(default=0)

    def __str__(self):
        return f"sandbox {self.seed}"


class App(models.Model):
    """A Meta app. With a secret, calls need a valid `appsecret_proof` unless `requires_proof` is off."""

    id = models.CharField(max_length=40, primary_key=True)
    secret = models.CharField(max_length=200, blank=True)
    requires_proof = models.BooleanField(default=True)

    def __str__(self):
        return self.id


class Token(models.Model):
    """An access token of the Graph API: who it is, what it may do and which ad accounts it sees."""

    token = models.CharField(max_length=400, primary_key=True)
    app = models.ForeignKey(App, models.CASCADE)
    user_id = models.CharField(max_length=40)
    user_name = models.CharField(max_length=100, default="Agence Durum")
    kind = models.CharField(max_length=20, default="SYSTEM_USER")
    scopes = models.JSONField(default=list)
    account_ids = models.JSONField(default=list)
    issued_at = models.FloatField()
    expires_at = models.FloatField(null=True)
    dead_subcode = models.PositiveIntegerField(null=True)

    def __str__(self):
        return f"token of {self.user_id}"


class Account(models.Model):
    """An ad account. `version` moves with every change below it, so that a cached tree knows it is old."""

    id = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    timezone = models.CharField(max_length=60)
    status = models.PositiveIntegerField(default=1)
    created_at = models.FloatField()
    seed = models.CharField(max_length=100)
    traits = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)

    def __str__(self):
        return self.name


class Node(models.Model):
    """A campaign, ad set or ad. Budgets are in Meta's minor units; `initial` is what it was born with."""

    class Kind(models.TextChoices):
        CAMPAIGN = "campaign"
        ADSET = "adset"
        AD = "ad"

    id = models.CharField(max_length=40, primary_key=True)
    account = models.ForeignKey(Account, models.CASCADE, related_name="nodes")
    kind = models.CharField(max_length=10, choices=Kind)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    creative = models.ForeignKey("Creative", models.CASCADE, null=True)
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=400)
    status = models.CharField(max_length=10)
    daily_budget = models.BigIntegerField(null=True)
    lifetime_budget = models.BigIntegerField(null=True)
    created_at = models.FloatField()
    updated_at = models.FloatField()
    initial = models.JSONField(default=dict)
    traits = models.JSONField(default=dict)

    class Meta:
        ordering = ("account_id", "position")
        indexes = (models.Index(fields=("account", "kind", "position"), name="sandbox_node_edge"),)

    def __str__(self):
        return f"{self.kind} {self.name}"


class Creative(models.Model):
    """What an ad shows: French copy with its angle, hook and format."""

    id = models.CharField(max_length=40, primary_key=True)
    account = models.ForeignKey(Account, models.CASCADE, related_name="creatives")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=400)
    traits = models.JSONField(default=dict)

    def __str__(self):
        return self.name


class Write(models.Model):
    """The ledger: every change really applied to an object, by the API or by a person at Meta."""

    account = models.ForeignKey(Account, models.CASCADE)
    object_id = models.CharField(max_length=40, db_index=True)
    field = models.CharField(max_length=30)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    at = models.FloatField()
    source = models.CharField(max_length=10, default="api")
    request_id = models.CharField(max_length=100)

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.object_id}.{self.field}: {self.old} -> {self.new}"


class ReportRun(models.Model):
    """An asynchronous insights job; it moves on a step each time somebody looks."""

    id = models.CharField(max_length=40, primary_key=True)
    account = models.ForeignKey(Account, models.CASCADE)
    node_id = models.CharField(max_length=60)
    params = models.JSONField()
    created_at = models.FloatField()
    polls = models.PositiveIntegerField(default=0)
    fate = models.CharField(max_length=20, default="Job Completed")
    hidden_reads = models.PositiveIntegerField(default=0)

    def __str__(self):
        return f"report run {self.id}"


class Fault(models.Model):
    """A misbehaviour ordered by a test; see `apps.sandbox.faults`."""

    kind = models.CharField(max_length=20)
    method = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=300, blank=True)
    token = models.CharField(max_length=400, blank=True)
    when = models.CharField(max_length=10, default="before")
    skip = models.PositiveIntegerField(default=0)
    count = models.PositiveIntegerField(null=True)
    probability = models.FloatField(null=True)
    seed = models.CharField(max_length=40, default="1")
    params = models.JSONField(default=dict)
    matched = models.PositiveIntegerField(default=0)
    fired = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("pk",)

    def __str__(self):
        return f"{self.kind} on {self.method or '*'} {self.path or '*'}"


class RequestRecord(models.Model):
    """One request received, for tests that ask what was really called."""

    at = models.FloatField()
    wall = models.FloatField()
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=300)
    status = models.IntegerField()
    token = models.CharField(max_length=12, blank=True)
    fault = models.CharField(max_length=30, blank=True)
    request_id = models.CharField(max_length=100)
    millis = models.FloatField()

    def __str__(self):
        return f"{self.method} {self.path} {self.status}"


class SlackTeam(models.Model):
    """A Slack workspace with our app installed."""

    id = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=80, default="Agence")
    bot_token = models.CharField(max_length=200, unique=True)
    bot_user_id = models.CharField(max_length=20, default="U0BOT00001")
    bot_id = models.CharField(max_length=20, default="B0BOT00001")
    app_id = models.CharField(max_length=20, default="A0DURUM001")
    signing_secret = models.CharField(max_length=200)
    interactivity_url = models.CharField(max_length=300)
    token_state = models.CharField(max_length=30, blank=True)

    def __str__(self):
        return self.name


class SlackUser(models.Model):
    """A person in the workspace."""

    team = models.ForeignKey(SlackTeam, models.CASCADE, related_name="users")
    id = models.CharField(max_length=20, primary_key=True)
    email = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=100)
    deleted = models.BooleanField(default=False)

    def __str__(self):
        return self.name


class SlackChannel(models.Model):
    """A channel or a direct message; `member` says whether the bot is in."""

    team = models.ForeignKey(SlackTeam, models.CASCADE, related_name="channels")
    id = models.CharField(max_length=20, primary_key=True)
    name = models.CharField(max_length=80)
    member = models.BooleanField(default=True)
    archived = models.BooleanField(default=False)
    direct_with = models.ForeignKey(SlackUser, models.CASCADE, null=True)
    last_post_wall = models.FloatField(default=0.0)

    def __str__(self):
        return f"#{self.name}"


class SlackMessage(models.Model):
    """A message with all it has ever said; `ts` is its id inside the channel."""

    channel = models.ForeignKey(SlackChannel, models.CASCADE, related_name="messages")
    ts = models.CharField(max_length=20)
    user_id = models.CharField(max_length=20)
    text = models.TextField(blank=True)
    blocks = models.JSONField(default=list)
    metadata = models.JSONField(null=True)
    thread_ts = models.CharField(max_length=20, blank=True)
    ephemeral_to = models.CharField(max_length=20, blank=True)
    deleted = models.BooleanField(default=False)
    edits = models.JSONField(default=list)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("channel", "ts"), name="sandbox_message_ts"),)

    def __str__(self):
        return f"{self.channel_id} {self.ts}"


class SlackTrigger(models.Model):
    """A trigger id: opens one modal within three seconds."""

    id = models.CharField(max_length=80, primary_key=True)
    user_id = models.CharField(max_length=20)
    wall = models.FloatField()
    used = models.BooleanField(default=False)

    def __str__(self):
        return self.id


class SlackView(models.Model):
    """A modal somebody has on the screen."""

    id = models.CharField(max_length=40, primary_key=True)
    team = models.ForeignKey(SlackTeam, models.CASCADE)
    user_id = models.CharField(max_length=20)
    view = models.JSONField()
    hash = models.CharField(max_length=60)
    state = models.CharField(max_length=12, default="open")
    opened_wall = models.FloatField()

    def __str__(self):
        return self.id


class SlackHook(models.Model):
    """A response_url: five uses within thirty minutes."""

    id = models.CharField(max_length=60, primary_key=True)
    message = models.ForeignKey(SlackMessage, models.CASCADE)
    user_id = models.CharField(max_length=20)
    wall = models.FloatField()
    uses = models.PositiveIntegerField(default=0)

    def __str__(self):
        return self.id


class SlackDelivery(models.Model):
    """A request we sent to Durum, byte for byte, so that it can be replayed."""

    url = models.CharField(max_length=300)
    headers = models.JSONField()
    body = models.TextField()
    status = models.IntegerField(null=True)
    answer = models.TextField(blank=True)
    wall = models.FloatField()

    def __str__(self):
        return f"delivery {self.pk}"
