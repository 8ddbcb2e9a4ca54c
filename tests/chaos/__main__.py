"""`python -m tests.chaos [NAME] [SIZE]`: run one harness, or all of them, each with its control."""

import argparse
import importlib
import os
import pkgutil
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"


def main():
    """Torment, print, write; exit code 1 when something was doubled or lost."""
    import tests.chaos as folder

    found = (m.name for m in pkgutil.iter_modules(folder.__path__))
    names = {name.removeprefix("of_"): name for name in sorted(found) if name.startswith("of_")}
    parser = argparse.ArgumentParser(prog="make chaos", description=folder.__doc__)
    parser.add_argument("name", nargs="?", choices=names, help="which one (default: all)")
    parser.add_argument("size", nargs="?", type=int, help="how much work (default: its own)")
    given = parser.parse_args()

    import django

    from durum import embedded

    with embedded.servers():
        django.setup()
        from tests.chaos import report

        outcomes = []
        for name in [given.name] if given.name else names:
            module = importlib.import_module(f"tests.chaos.{names[name]}")
            sys.stdout.write(f"{name}: {module.__doc__.strip()}\n")
            outcomes += module.run(given.size or module.SIZE)
        return 0 if report.write(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
