"""What may stand in a Slack message: builders that escape and shorten, and the limits checked before sending.

Text from people goes in through `escape` or through these builders' plain texts; otherwise a campaign named
`<!channel>` would call everybody.
"""

from django.utils.translation import gettext as _

from apps.core.errors import Rejected

MESSAGE_BLOCKS = 50
MODAL_BLOCKS = 100
SECTION_TEXT = 3000
FIELDS = 10
FIELD_TEXT = 2000
HEADER_TEXT = 150
CONTEXT_ELEMENTS = 10
ACTION_ELEMENTS = 25
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
BUTTON_URL = 3000
NAME = 255  # action_id, block_id, callback_id
PRIVATE_METADATA = 3000
MODAL_TITLE = 24
INPUT_LABEL = 2000
CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
MESSAGE_TEXT = 4000
# Slack does not document a total; messages of about 13,000 characters were refused.
TOTAL_TEXT = 10_000


def escape(text):
    """`text` with Slack's three control characters made harmless."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clip(text, length):
    """At most `length` characters, the cut shown; never through the middle of an escaped character."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    start = cut.rfind("&")
    if start > len(cut) - 5 and ";" not in cut[start:]:
        cut = cut[:start]
    return f"{cut}…"


def plain(text, length):
    return {"type": "plain_text", "text": clip(str(text), length), "emoji": True}


def mrkdwn(text, length=SECTION_TEXT):
    """`text` is mrkdwn already: whatever people wrote in it has been escaped."""
    return {"type": "mrkdwn", "text": clip(str(text), length)}


def header(text):
    return {"type": "header", "text": plain(text, HEADER_TEXT)}


def section(text, fields=(), block_id=None):
    block = {"type": "section", "text": mrkdwn(text)}
    if fields:
        block["fields"] = [mrkdwn(field, FIELD_TEXT) for field in fields]
    return block | ({"block_id": block_id} if block_id else {})


def context(*texts):
    return {"type": "context", "elements": [mrkdwn(text, FIELD_TEXT) for text in texts]}


def divider():
    return {"type": "divider"}


def actions(*elements, block_id=None):
    return {"type": "actions", "elements": list(elements)} | ({"block_id": block_id} if block_id else {})


def button(text, action_id, *, value=None, url=None, style=None, confirm=None):
    element = {"type": "button", "text": plain(text, BUTTON_TEXT), "action_id": action_id}
    optional = {"value": value, "url": url, "style": style, "confirm": confirm}
    return element | {name: given for name, given in optional.items() if given}


def confirm_dialog(title, text, confirm, deny):
    """Asked by Slack before the click is sent. Plain text: nothing in it is markup."""
    given = {"title": title, "text": text, "confirm": confirm, "deny": deny}
    return {name: {"type": "plain_text", "text": clip(str(words), CONFIRM[name])} for name, words in given.items()}


def text_input(label, *, block_id, action_id, placeholder="", multiline=True, max_length=2000):
    element = {"type": "plain_text_input", "action_id": action_id, "multiline": multiline, "max_length": max_length}
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    return {"type": "input", "block_id": block_id, "label": plain(label, INPUT_LABEL), "element": element}


def modal(title, *blocks, callback_id, submit, close, private_metadata=""):
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": private_metadata,
        "title": plain(title, MODAL_TITLE),
        "submit": plain(submit, MODAL_TITLE),
        "close": plain(close, MODAL_TITLE),
        "blocks": list(blocks),
    }


def check_message(text, blocks):
    """Raise `Rejected` with what breaks Slack's limits; returns the text, shortened to what Slack advises."""
    problems = _problems(blocks, MESSAGE_BLOCKS)
    if not text:
        problems.append("text is empty")
    _refuse(problems)
    return clip(text, MESSAGE_TEXT)


def check_modal(view):
    """Raise `Rejected` with what breaks Slack's limits."""
    problems = _problems(view["blocks"], MODAL_BLOCKS)
    problems += [
        f"{name} over {limit}"
        for name, limit in (("callback_id", NAME), ("private_metadata", PRIVATE_METADATA))
        if len(view.get(name, "")) > limit
    ]
    problems += [
        f"{name} over {MODAL_TITLE}" for name in ("title", "submit", "close") if _length(view.get(name)) > MODAL_TITLE
    ]
    _refuse(problems)


def _refuse(problems):
    if problems:
        raise Rejected(
            _("This message breaks Slack's limits. Report it to whoever runs Durum."),
            code="invalid_blocks",
            detail="; ".join(problems),
        )


def _problems(blocks, most):
    found = [f"{len(blocks)} blocks, {most} at most"] if len(blocks) > most else []
    for place, block in enumerate(blocks):
        check = _CHECKS.get(block["type"], lambda _block: [])
        found += [f"block {place}: {problem}" for problem in check(block)]
        if len(block.get("block_id", "")) > NAME:
            found.append(f"block {place}: block_id over {NAME}")
    total = sum(_texts(blocks))
    if total > TOTAL_TEXT:
        found.append(f"{total} characters in all, {TOTAL_TEXT} at most")
    return found


def _texts(node):
    if isinstance(node, dict):
        if isinstance(node.get("text"), str):
            yield len(node["text"])
        node = node.values()
    if isinstance(node, str):
        return
    for item in node:
        if isinstance(item, (dict, list)):
            yield from _texts(item)


def _length(text):
    return len((text or {}).get("text", ""))


def _over(items):
    return [f"{name} is {length}, {limit} at most" for name, length, limit in items if length > limit]


def _section(block):
    fields = block.get("fields", [])
    empty = ["empty text"] if not (_length(block.get("text")) or fields) else []
    return empty + _over(
        [("text", _length(block.get("text")), SECTION_TEXT), ("fields", len(fields), FIELDS)]
        + [("field", _length(field), FIELD_TEXT) for field in fields]
    )


def _header(block):
    return _over([("text", _length(block["text"]), HEADER_TEXT)])


def _context(block):
    return _over([("elements", len(block["elements"]), CONTEXT_ELEMENTS)])


def _actions(block):
    found = _over([("elements", len(block["elements"]), ACTION_ELEMENTS)])
    for element in block["elements"]:
        found += _over(
            [
                ("button text", _length(element.get("text")), BUTTON_TEXT),
                ("value", len(element.get("value", "")), BUTTON_VALUE),
                ("url", len(element.get("url", "")), BUTTON_URL),
                ("action_id", len(element["action_id"]), NAME),
            ]
            + [(f"confirm {name}", _length(words), CONFIRM[name]) for name, words in element.get("confirm", {}).items()]
        )
    return found


def _input(block):
    return _over([("label", _length(block["label"]), INPUT_LABEL)])


_CHECKS = {"section": _section, "header": _header, "context": _context, "actions": _actions, "input": _input}
