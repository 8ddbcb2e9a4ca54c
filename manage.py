#!/usr/bin/env python
"""Durum's command line: `manage.py help` lists what it can do."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durum.settings.local")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as exc:
        sys.exit(f"{exc}")
    except OperationalError as exc:
        sys.exit(
            f"PostgreSQL does not answer: {exc}\n"
            "`make run` starts Durum with its servers; `make servers` starts only the servers."
        )
