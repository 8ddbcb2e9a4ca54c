"""Meta's error codes become the right kind of failure, whatever the HTTP status says."""

import pytest

from apps.connectors.providers.meta_ads.errors import error_of
from apps.connectors.providers.meta_ads.usage import read_usage, wait_in
from apps.core.errors import NeedsReconnect, Rejected, TooMuchData, Unavailable

REGAIN = {
    "X-Business-Use-Case-Usage": '{"900":[{"type":"ads_management","call_count":100,"total_cputime":3,"total_time":4,'
    '"estimated_time_to_regain_access":12}]}'
}


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind", "word"),
    [
        (1, None, 500, Unavailable, ""),
        (2, None, 400, Unavailable, ""),
        (2, 1504044, 200, Unavailable, ""),
        (-2, 2490547, 400, Unavailable, ""),
        (960, None, 400, Unavailable, ""),
        (2, 1504038, 500, TooMuchData, ""),
        (100, 1504018, 400, TooMuchData, ""),
        (100, 1487534, 400, TooMuchData, ""),
        (-3, 1504045, 400, TooMuchData, ""),
        (2, 1504041, 400, Rejected, ""),
        (4, None, 400, Unavailable, "pause"),
        (4, 1504022, 403, Unavailable, "pause"),
        (17, 2446079, 400, Unavailable, "pause"),
        (613, None, 400, Unavailable, "pause"),
        (613, 1996, 400, Unavailable, "pause"),
        (80000, 2446079, 400, Unavailable, "pause"),
        (80004, 2446079, 429, Unavailable, "pause"),
        (341, None, 400, Unavailable, "pause"),
        (613, 1487632, 400, Rejected, "budget changes"),
        (17, 1885172, 400, Rejected, "budget changes"),
        (190, 463, 400, NeedsReconnect, "Connect the ad account again"),
        (190, 460, 401, NeedsReconnect, "Connect the ad account again"),
        (190, 492, 400, NeedsReconnect, "role"),
        (102, None, 400, NeedsReconnect, "Connect"),
        (10, None, 403, NeedsReconnect, "right"),
        (200, None, 403, NeedsReconnect, "right"),
        (294, None, 400, NeedsReconnect, "right"),
        (100, 33, 400, Rejected, "deleted"),
        (100, 1487056, 400, Rejected, "archived"),
        (100, 1885272, 400, Rejected, "too small"),
        (100, None, 500, Rejected, ""),
        (2635, None, 400, Rejected, "updated"),
        (3018, None, 400, Rejected, ""),
        (368, None, 400, Rejected, "blocked"),
        (2500, None, 400, Rejected, ""),
    ],
)
def test_the_code_decides(code, subcode, status, kind, word):
    error = error_of(
        {"error": {"message": "m", "code": code, "error_subcode": subcode, "fbtrace_id": "Trace1"}}, status=status
    )

    assert type(error) is kind
    assert word in str(error.message)
    assert f"code {code}" in error.detail
    assert "fbtrace_id Trace1" in error.detail


def test_reduce_the_amount_of_data_is_too_much_data_whatever_its_code():
    error = error_of(
        {"error": {"code": 1, "message": "Please reduce the amount of data you're asking for"}}, status=500
    )

    assert isinstance(error, TooMuchData)


def test_what_meta_wrote_for_people_is_shown_and_fields_are_for_engineers():
    error = error_of(
        {
            "error": {
                "code": 100,
                "message": "Invalid parameter",
                "error_user_msg": "The end must be later than the start.",
                "error_data": '{"blame_field_specs":[["end_time"]]}',
            }
        }
    )

    assert str(error.message) == "Meta refused: The end must be later than the start."
    assert "end_time" in error.detail


def test_the_pause_is_as_long_as_the_headers_say():
    error = error_of({"error": {"code": 80004, "message": "too many"}}, headers=REGAIN)

    assert error.retry_after == 12 * 60
    assert wait_in({"x-ad-account-usage": '{"acc_id_util_pct":100,"reset_time_duration":90}'}) == 90
    assert wait_in({"X-Ad-Account-Usage": '{"acc_id_util_pct":9.6,"reset_time_duration":90}'}) is None


def test_no_error_in_an_answer_without_one():
    assert error_of({"data": []}) is None
    assert error_of([1]) is None


class Answer:
    def __init__(self, **headers):
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (None, None)),
        ({"X_App_Usage": '{"call_count":28,"total_time":25,"total_cputime":25}'}, (28.0, None)),
        ({"X_App_Usage": '{"call_count":96,"total_time":25,"total_cputime":25}'}, (96.0, 60)),
        ({"X_Ad_Account_Usage": '{"acc_id_util_pct":97.5,"reset_time_duration":100}'}, (97.5, 100)),
        ({"X_FB_Ads_Insights_Throttle": '{"app_id_util_pct":100,"acc_id_util_pct":10}'}, (100.0, 60)),
        ({"X_Business_Use_Case_Usage": REGAIN["X-Business-Use-Case-Usage"]}, (100.0, 720)),
        ({"X_App_Usage": "not json"}, (None, None)),
    ],
)
def test_usage_is_the_fullest_of_all_headers(headers, expected):
    assert read_usage(Answer(**headers)) == expected
