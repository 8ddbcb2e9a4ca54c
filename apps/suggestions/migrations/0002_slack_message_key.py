"""What leaves with a Slack message instead of its number."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("suggestions", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="slackmessage",
            name="key",
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
        ),
    ]
