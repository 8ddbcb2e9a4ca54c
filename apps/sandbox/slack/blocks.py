"""Slack's limits on blocks, messages and modals. Pure: a list of blocks in, an error name out."""

MESSAGE_BLOCKS = 50
MODAL_BLOCKS = 100
ALL_TEXT = 13_200
TEXT = 40_000
_TYPES = {
    "section",
    "header",
    "divider",
    "context",
    "actions",
    "image",
    "input",
    "markdown",
    "rich_text",
    "video",
}
_ELEMENTS = {
    "button", "static_select", "external_select", "users_select", "conversations_select", "channels_select",
    "multi_static_select", "multi_users_select", "overflow", "datepicker", "timepicker", "datetimepicker", "checkboxes",
    "radio_buttons", "plain_text_input", "number_input", "email_text_input", "url_text_input", "image", "mrkdwn",
    "plain_text",
}  # fmt: skip


class BadBlocks(Exception):
    """Blocks Slack would refuse; `error` is the API error, the messages say where."""

    def __init__(self, error, *messages):
        super().__init__(error, *messages)
        self.error = error
        self.messages = list(messages)


def check_message(blocks, text):
    """Refuse what chat.postMessage and chat.update refuse."""
    if not isinstance(blocks, list) or len(blocks) > MESSAGE_BLOCKS:
        raise BadBlocks("invalid_blocks", f"[ERROR] no more than {MESSAGE_BLOCKS} items allowed [json-pointer:/blocks]")
    if len(text or "") > TEXT:
        raise BadBlocks("msg_too_long")
    _check_all(blocks, modal=False)
    if sum(len(value) for value in _texts(blocks)) > ALL_TEXT:
        raise BadBlocks("msg_blocks_too_long")


def check_view(view):
    """Refuse what views.open refuses."""
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        raise BadBlocks("invalid_arguments", "[ERROR] view must be a modal")
    for name in ("title", "submit", "close"):
        if name in view:
            _text(view[name], 24, f"/view/{name}", kinds=("plain_text",))
    if "title" not in view and view["type"] == "modal":
        raise BadBlocks("invalid_arguments", "[ERROR] missing required field: title [json-pointer:/view]")
    _limit(view.get("private_metadata", ""), 3000, "/view/private_metadata")
    _limit(view.get("callback_id", ""), 255, "/view/callback_id")
    blocks = view.get("blocks", [])
    if not isinstance(blocks, list) or len(blocks) > MODAL_BLOCKS:
        raise BadBlocks(
            "invalid_arguments",
            f"[ERROR] no more than {MODAL_BLOCKS} items allowed [json-pointer:/view/blocks]",
        )
    if any(block.get("type") == "input" for block in blocks) and "submit" not in view:
        raise BadBlocks("invalid_arguments", "[ERROR] submit is required with input blocks [json-pointer:/view]")
    _check_all(blocks, modal=True)


def _check_all(blocks, *, modal):
    seen = set()
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        if not isinstance(block, dict) or block.get("type") not in _TYPES:
            raise BadBlocks("invalid_blocks", f"[ERROR] unsupported type [json-pointer:{where}/type]")
        block_id = block.get("block_id", "")
        _limit(block_id, 255, f"{where}/block_id")
        if block_id and block_id in seen:
            raise BadBlocks("invalid_blocks", f"[ERROR] block_id {block_id} already exists [json-pointer:{where}]")
        seen.add(block_id)
        _CHECKS.get(block["type"], lambda *_: None)(block, where)
        if block["type"] == "input" and not modal:
            _element(block.get("element", {}), f"{where}/element")


def _section(block, where):
    if "text" not in block and not block.get("fields"):
        raise BadBlocks("invalid_blocks", f"[ERROR] text or fields required [json-pointer:{where}]")
    if "text" in block:
        _text(block["text"], 3000, f"{where}/text")
    _count(block.get("fields", []), 10, f"{where}/fields")
    for index, one in enumerate(block.get("fields", [])):
        _text(one, 2000, f"{where}/fields/{index}")
    if "accessory" in block:
        _element(block["accessory"], f"{where}/accessory")


def _header(block, where):
    _text(block.get("text"), 150, f"{where}/text", kinds=("plain_text",))


def _context(block, where):
    _count(block.get("elements", []), 10, f"{where}/elements", least=1)
    for index, one in enumerate(block["elements"]):
        if one.get("type") == "image":
            _image(one, f"{where}/elements/{index}")
        else:
            _text(one, 3000, f"{where}/elements/{index}")


def _actions(block, where):
    _count(block.get("elements", []), 25, f"{where}/elements", least=1)
    ids = [one.get("action_id") for one in block["elements"] if one.get("action_id")]
    if len(ids) != len(set(ids)):
        raise BadBlocks("invalid_blocks", f"[ERROR] action_id must be unique in a block [json-pointer:{where}]")
    for index, one in enumerate(block["elements"]):
        _element(one, f"{where}/elements/{index}")


def _image(block, where):
    _limit(block.get("alt_text", ""), 2000, f"{where}/alt_text", required=True)
    _limit(block.get("image_url", ""), 3000, f"{where}/image_url")


def _input(block, where):
    _text(block.get("label"), 2000, f"{where}/label", kinds=("plain_text",))
    if "hint" in block:
        _text(block["hint"], 2000, f"{where}/hint", kinds=("plain_text",))
    _element(block.get("element") or {}, f"{where}/element")


def _markdown(block, where):
    _limit(block.get("text", ""), 12_000, f"{where}/text", required=True)


_CHECKS = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "input": _input,
    "markdown": _markdown,
}


def _element(element, where):
    kind = element.get("type")
    if kind not in _ELEMENTS:
        raise BadBlocks("invalid_blocks", f"[ERROR] unsupported type {kind} [json-pointer:{where}/type]")
    _limit(element.get("action_id", ""), 255, f"{where}/action_id")
    if kind == "button":
        _text(element.get("text"), 75, f"{where}/text", kinds=("plain_text",))
        _limit(element.get("value", ""), 2000, f"{where}/value")
        _limit(element.get("url", ""), 3000, f"{where}/url")
        if element.get("style", "primary") not in {"primary", "danger"}:
            raise BadBlocks("invalid_blocks", f"[ERROR] must be primary or danger [json-pointer:{where}/style]")
    if "options" in element:
        _count(element["options"], 5 if kind == "overflow" else 100, f"{where}/options", least=1)
        for index, option in enumerate(element["options"]):
            _text(option.get("text"), 75, f"{where}/options/{index}/text")
            _limit(option.get("value", ""), 150, f"{where}/options/{index}/value")
    if "confirm" in element:
        _confirm(element["confirm"], f"{where}/confirm")


def _confirm(confirm, where):
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        if name in confirm:
            _text(confirm[name], most, f"{where}/{name}")


def _text(text, most, where, kinds=("plain_text", "mrkdwn")):
    if not isinstance(text, dict) or text.get("type") not in kinds:
        raise BadBlocks("invalid_blocks", f"[ERROR] must be a text object [json-pointer:{where}]")
    _limit(text.get("text", ""), most, f"{where}/text", required=True)


def _limit(value, most, where, *, required=False):
    if not isinstance(value, str) or (required and not value):
        raise BadBlocks("invalid_blocks", f"[ERROR] must be more than 0 characters [json-pointer:{where}]")
    if len(value) > most:
        raise BadBlocks("invalid_blocks", f"[ERROR] must be less than {most + 1} characters [json-pointer:{where}]")


def _count(items, most, where, *, least=0):
    if not isinstance(items, list) or not least <= len(items) <= most:
        raise BadBlocks("invalid_blocks", f"[ERROR] between {least} and {most} items allowed [json-pointer:{where}]")


def _texts(value):
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
