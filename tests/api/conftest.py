"""Programs that call the API: a person's token in the header, over Django's test client."""

import pytest
from django.test import Client as Browser

from apps.clients.services.tokens import make_token
from apps.core.actors import Actor


class Program(Browser):
    """A test client that sends a token and JSON, and answers with what came back."""

    def __init__(self, token="", **options):
        super().__init__(**options)
        self.token = token

    def request(self, **request):
        if self.token:
            request["HTTP_AUTHORIZATION"] = f"Token {self.token}"
        request.setdefault("HTTP_ACCEPT_LANGUAGE", "en")
        return super().request(**request)

    def send(self, path, body=None, *, key=None, **headers):
        """POST JSON to an endpoint below /api/v1/."""
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.post(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)

    def read(self, path, **query):
        """GET an endpoint below /api/v1/."""
        return self.get(f"/api/v1/{path}", query)


@pytest.fixture
def program(db, redis_client):
    """`program(user)` makes a token of the person and returns what calls with it."""

    def make(user, **options):
        _row, token = make_token(name="a script", lifetime="never", actor=Actor(user, "web"))
        return Program(token, **options)

    return make
