"""JSON that is kept for proof and replay, not searched: stored compressed.

As `jsonb` the same answers took half of the time of storing them (PostgreSQL parses, then compresses poorly) and
several times the room.
"""

import json
import zlib

import orjson
from django.db import models

# Higher levels cost three times the time for a third less room.
LEVEL = 1


def pack(value):
    """`value` as compressed JSON."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # a whole number beyond 64 bits, which JSON allows and orjson does not
        text = json.dumps(value, ensure_ascii=False).encode()
    return zlib.compress(text, LEVEL)


def unpack(stored):
    """What `pack` was given."""
    return json.loads(zlib.decompress(stored))


class CompressedJSONField(models.BinaryField):
    """A JSON value in a `bytea` column. Cannot be filtered by its content."""

    def get_db_prep_value(self, value, connection, prepared=False):
        if value is not None and not isinstance(value, (bytes, memoryview)):
            value = pack(value)
        return super().get_db_prep_value(value, connection, prepared)

    def from_db_value(self, value, expression, connection):
        return None if value is None else unpack(value)

    def value_to_string(self, obj):
        return json.dumps(self.value_from_object(obj))

    def to_python(self, value):
        return value
