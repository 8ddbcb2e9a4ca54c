import apps.core.compressed
from django.db import migrations


class Migration(migrations.Migration):
    """`jsonb` cannot be cast to `bytea`: nothing had been kept by a released version, so the column is made anew."""

    dependencies = [("ads", "0003_own_writes_and_angles")]

    operations = [
        migrations.RemoveField("rawsnapshot", "payload"),
        migrations.AddField(
            "rawsnapshot",
            "payload",
            apps.core.compressed.CompressedJSONField(default=b""),
            preserve_default=False,
        ),
    ]
