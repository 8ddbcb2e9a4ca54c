"""`python -m tests.chaos [NAME] [SIZE]`: run one harness, or all of them, each with its control."""

import importlib
import os
import pkgutil
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"

from durum import embedded

with embedded.servers():
    import django

    django.setup()

    from tests import chaos
    from tests.chaos import report

    found = [m.name for m in pkgutil.iter_modules(chaos.__path__) if m.name.startswith("of_")]
    names = {name.removeprefix("of_"): name for name in found}
    wanted = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else None
    if wanted and wanted not in names:
        sys.exit(f"There is no harness named {wanted}. Known: {', '.join(sorted(names))}.")
    size = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None
    outcomes = []
    for short, name in sorted(names.items()):
        if wanted in (None, short):
            module = importlib.import_module(f"tests.chaos.{name}")
            outcomes += module.run(size or module.SIZE)
    sys.exit(0 if report.write(outcomes) else 1)
