"""How Slack says no."""


class Refusal(Exception):
    """An `ok: false` answer, with its HTTP status and anything else it carries."""

    def __init__(self, error, *, status=200, headers=None, **more):
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = headers or {}
        self.more = more
