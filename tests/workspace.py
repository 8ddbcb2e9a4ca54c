"""A Slack workspace in the sandbox, and the people in it."""

from urllib.parse import urlencode

TEAM, CHANNEL, OTHER_CHANNEL = "T0SANDBOX1", "C000000001", "C000000002"
TOKEN, SECRET = "xoxb-sandbox", "sandbox-signing-secret"
NORA, ALI, STRANGER = "U000000001", "U000000002", "U000000003"
USERS = [
    {"id": NORA, "name": "Nora Vidal", "email": "nora@example.com"},
    {"id": ALI, "name": "Ali Kaya", "email": "ali@example.com"},
    {"id": STRANGER, "name": "Sam Stranger", "email": "sam@elsewhere.example"},
]


class Workspace:
    """What people in Slack do, and what they see. Durum's own requests go to the same sandbox."""

    def __init__(self, sandbox, *, rate_limit=False, interactivity_url=""):
        self.sandbox = sandbox
        sandbox.control(
            "scenario",
            {
                "slack_rate_limit": rate_limit,
                "slack": {
                    "users": USERS,
                    "channels": ["clos-des-lys", "deux"],
                    "signing_secret": SECRET,
                    "bot_token": TOKEN,
                    "interactivity_url": interactivity_url,
                },
            },
        )

    def messages(self, channel=CHANNEL):
        """What stands in the channel, oldest first, without what only one person sees."""
        return [row for row in self._all(channel) if not row["ephemeral_to"] and not row["deleted"]]

    def whispers(self, user_id, channel=CHANNEL):
        """What only this person was told."""
        return [row["blocks"][0]["text"]["text"] for row in self._all(channel) if row["ephemeral_to"] == user_id]

    def press(self, user_id, action_id, *, ts=None, channel=CHANNEL, **more):
        """Press a button; the answer as Slack got it: status, body, delivery, opened_views."""
        order = {"user_id": user_id, "action_id": action_id, "channel": channel} | ({"ts": ts} if ts else {}) | more
        return self.sandbox.control("slack/press", order)

    def submit(self, view_id, reason, **more):
        """Send the refusal form."""
        return self.sandbox.control("slack/submit", {"view_id": view_id, "values": {"reason": reason}} | more)

    def misbehave(self, kind, path, *, when="before", count=1, **params):
        return self.sandbox.control(
            "faults", {"kind": kind, "path": path, "when": when, "count": count, "params": params}
        )

    def _all(self, channel):
        path = "slack/messages?" + urlencode({"channel": channel})
        return self.sandbox._answer(self.sandbox._http.get(f"/_control/{path}"))["messages"]


def words(message, kind=""):
    """All text of a message's blocks, or only what Slack reads as `kind` (mrkdwn, plain_text)."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            if isinstance(node.get("text"), str) and kind in ("", node.get("type")):
                found.append(node["text"])
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                walk(item)

    walk(message["blocks"])
    return "\n".join(found)


def buttons(message):
    """action_id of the buttons a message still has."""
    return [
        element["action_id"]
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]
