"""Nothing secret leaves in a log line, a stored answer or an error page."""

import logging
import re

MASK = "[…]"
_NAMES = (
    r"access_token|input_token|fb_exchange_token|client_secret|appsecret_proof|app_secret|token|password|secret|"
    r"authorization|api[-_]?key|signature"
)
_PATTERNS = (
    re.compile(rf"(?i)((?:[\w-]*(?:{_NAMES}))[\"']?\s*[=:]\s*[\"']?)(?:bearer\s+|token\s+|basic\s+)?[^\s&\"',}}]+"),
    re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{8,}"),
    re.compile(r"()(?:(?:xox[a-z]|xapp)-[\w-]+|EAA[A-Za-z0-9]{20,})"),
    re.compile(r"(//[^/\s:@]*:)[^/\s@]+(?=@)"),
    # Addresses that are a key: to set a password, to link a Slack account.
    re.compile(r"(password/reset/key/|[?&]link=)[^\s\"'<>&]+"),
    re.compile(r"(hooks\.slack\.com/\w+/)[^\s\"'<>]+"),
)


def redact(text):
    """`text` with every token, key and password masked."""
    text = str(text)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


class RedactionFilter(logging.Filter):
    """Masks secrets in the finished line, whatever library wrote it."""

    def filter(self, record):
        record.msg = redact(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        elif record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
