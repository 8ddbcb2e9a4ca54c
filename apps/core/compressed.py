"""JSON that is kept for proof and replay, not searched: stored compressed.

As `jsonb` the same answers took half of the time of storing them (PostgreSQL parses, then compresses poorly) and
several times the room.
"""

import json
import zlib

from django.db import models

# Higher levels cost three times the time for a third less room.
LEVEL = 1


def pack(value):
    """`value` as compressed JSON."""
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), LEVEL)


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
