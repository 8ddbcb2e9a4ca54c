"""Nothing secret leaves in a log line, and what is no secret stays readable."""

import io
import logging

import pytest

from apps.core.redaction import RedactionFilter, redact


@pytest.mark.parametrize(
    "text",
    [
        "GET /act_1?access_token=S3CRETVALUE&fields=id",
        '{"access_token": "S3CRETVALUE", "expires": 5}',
        "{'token': 'S3CRETVALUE'}",
        "Authorization: Bearer S3CRETVALUE",
        "authorization=Token S3CRETVALUE",
        "appsecret_proof=S3CRETVALUE",
        "client_secret=S3CRETVALUE&x=1",
        "postgres://durum:S3CRETVALUE@db/durum",
        "redis://:S3CRETVALUE@cache:6379/0",
        "X-Api-Key: S3CRETVALUE, api_key=S3CRETVALUE",
        "password='S3CRETVALUE'",
        "SLACK_SIGNING_SECRET=S3CRETVALUE",
        "POST https://hooks.slack.com/actions/T1/2/S3CRETVALUE",
    ],
)
def test_secrets_are_masked(text):
    assert "S3CRETVALUE" not in redact(text)
    assert "[…]" in redact(text)


@pytest.mark.parametrize("token", ["xoxb-123456-abcdef", "xapp-1-A-b", "EAA" + "B1c" * 20])
def test_tokens_are_known_by_their_shape(token):
    assert token not in redact(f"answer was {token}.")


@pytest.mark.parametrize("text", ["Spend of 12.50 on act_5", "https://graph.facebook.com/v26.0/act_1", "3 tokens left"])
def test_the_rest_is_left_alone(text):
    assert redact(text) == text


def test_a_log_line_is_masked_whatever_wrote_it():
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactionFilter())
    logger = logging.getLogger("somebody.elses.library")
    logger.addHandler(handler)
    try:
        logger.warning("calling %s", "https://x/?access_token=S3CRETVALUE")
        try:
            raise ValueError("token=S3CRETVALUE")
        except ValueError:
            logger.exception("failed")
    finally:
        logger.removeHandler(handler)
    assert "S3CRETVALUE" not in out.getvalue()
    assert "ValueError" in out.getvalue()


@pytest.mark.django_db
def test_no_line_of_a_request_goes_past_the_log(client, capfd, caplog):
    caplog.set_level("INFO")
    client.get("/accounts/password/reset/key/1-abcdef-0123456789/?link=very-secret&password=hunter2")
    written = "".join(capfd.readouterr())

    assert "hunter2" not in written
    assert "0123456789" not in written
    assert "very-secret" not in written


@pytest.mark.parametrize(
    "address", ["POST /accounts/password/reset/key/1-abc-SECRET/", "/me/slack/?link=SECRET", "/x/?a=1&link=SECRET"]
)
def test_addresses_that_are_keys_are_masked(address):
    assert "SECRET" not in redact(f"request='{address}'")
