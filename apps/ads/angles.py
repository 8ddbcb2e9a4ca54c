"""Which angle and hook a creative has, read from what people write into names and links. Pure."""

import re

# IMG | Price | A great wine at 9 €: format, angle, hook, in the order agencies name their ads.
_PARTS = re.compile(r"\s*[|｜]\s*")
_NAMED = re.compile(r"(?:^|[\s|\[(_])angle\s*[=:]\s*([^|\])_;&]+)", re.IGNORECASE)
_LONGEST = 80


def angle_of(*names, tag=""):
    """The angle of a creative: the URL tag `angle=`, else `angle: x` in a name, else the second of three parts.

    Returned as written but without surrounding space; "" where nobody said it.
    """
    if tag.strip():
        return tag.strip()[:_LONGEST]
    for name in names:
        found = _NAMED.search(name)
        if found:
            return found[1].strip()[:_LONGEST]
    for name in names:
        parts = _PARTS.split(name.strip())
        if len(parts) >= 3:
            return parts[1].strip()[:_LONGEST]
    return ""


def hook_of(body, title=""):
    """The first line people read: of the text, else the title."""
    for text in (body, title):
        for line in text.splitlines():
            if line.strip():
                return line.strip()[:300]
    return ""
