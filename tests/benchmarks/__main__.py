"""Runs the benchmarks: all of them, or one by name, at its own size or the one given."""

import argparse
import importlib
import os
import pkgutil
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "durum.settings.test")


def main():
    """Measure, print, write; exit code 1 when something missed its bound."""
    import tests.benchmarks as folder

    names = [m.name for m in pkgutil.iter_modules(folder.__path__) if m.name not in ("__main__", "report")]
    parser = argparse.ArgumentParser(prog="make bench", description=folder.__doc__)
    parser.add_argument("name", nargs="?", choices=names, help="which one (default: all)")
    parser.add_argument("size", nargs="?", type=int, help="its size (default: its own)")
    given = parser.parse_args()
    wanted = [given.name] if given.name else names

    import django

    from durum import embedded

    with embedded.servers():
        django.setup()
        from django.conf import settings
        from django.test.runner import DiscoverRunner

        from tests.benchmarks import report

        settings.DATABASES["default"]["TEST"]["NAME"] = "bench_durum"
        runner = DiscoverRunner(verbosity=0, interactive=False)
        databases = runner.setup_databases(suffix=None)
        found = []
        try:
            for name in wanted:
                module = importlib.import_module(f"tests.benchmarks.{name}")
                if not hasattr(module, "run"):
                    continue
                print(f"{name}: {module.__doc__.strip().splitlines()[0]}", flush=True)
                found += module.run(given.size)
        finally:
            runner.teardown_databases(databases)
    print()
    report.show(found)
    report.write(found)
    return 0 if all(result.holds for result in found) else 1


if __name__ == "__main__":
    sys.exit(main())
