"""The French catalogue: `python -m durum.catalogue [--update | --compile | --check]`.

    --update   collect the strings of the code into locale/fr (needs GNU gettext)
    --compile  write the .mo that Django reads (needs nothing)
    --check    exit 1 when a string has no French, is fuzzy, lost a placeholder, or the .mo is behind

The .mo is committed: whoever runs Durum needs no gettext. Where gettext is present, the check also collects
the strings anew and names those the catalogue does not know yet.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib
from django.utils.translation import gettext_lazy as _

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
# %(name)s, {name}, %s
PLACEHOLDER = re.compile(r"%\(\w+\)[sdfr]|\{\w+\}|(?<!%)%[sd]")
# The theme of the admin speaks English only, and the scheduler bad French: what our pages show of them is
# collected as if it were ours.
BORROWED = (
    _("Periodic Tasks"),
    _("periodic task"),
    _("periodic tasks"),
    _("All applications"),
    _("Apply Filters"),
    _("Clear all filters"),
    _("Click to download"),
    _("Filter navigation items"),
    _("Filters"),
    _("Go back"),
    _("Hide counts"),
    _("Loading more results..."),
    _("More actions"),
    _("No data"),
    _("No recent searches"),
    _("No results found"),
    _("No results matching your query"),
    _("Recent searches"),
    _("Reset filters"),
    _("Return to site"),
    _("Search apps and models..."),
    _("Select action"),
    _("Select action to run"),
    _("Select all rows"),
    _("Select record"),
    _("Select value"),
    _("Show counts"),
    _("This page yielded into no results. Create a new item or reset your filters."),
    _("Toggle password visibility"),
    _("Type to search"),
)
SOURCES = ("apps", "durum", "templates", "manage.py", "locale")


def collect(root=ROOT):
    """Run makemessages over `root`."""
    arguments = ["makemessages", "--locale", "fr", "--no-obsolete", "--no-wrap", "--add-location", "file"]
    ignored = [f"--ignore={name}" for name in (".venv", "var", "static", "staticfiles", "apps/sandbox", "tests")]
    command = [sys.executable, "-m", "django", *arguments, *ignored]
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  (fixed words only)


def compile_catalogue():
    """Write the .mo beside the .po."""
    polib.pofile(str(PO)).save_as_mofile(str(MO))


def problems():
    """Every reason why the catalogue is not complete, as sentences."""
    catalogue = polib.pofile(str(PO))
    found = [f"no French for: {entry.msgid!r}" for entry in catalogue.untranslated_entries()]
    found += [f"still fuzzy: {entry.msgid!r}" for entry in catalogue.fuzzy_entries()]
    found += [f"placeholders differ: {entry.msgid!r}" for entry in catalogue.translated_entries() if _differs(entry)]
    if not MO.exists() or _pairs(polib.mofile(str(MO))) != _pairs(catalogue):
        found.append("the .mo is behind: run python -m durum.catalogue --compile")
    if shutil.which("xgettext"):
        found += [f"not collected yet: {key!r}" for key in sorted(_collected() - _keys(catalogue), key=str)]
    else:
        print("GNU gettext is not installed: new strings cannot be looked for.")  # noqa: T201  (a command)
    return found


def _differs(entry):
    wanted = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural or ""))
    said = set(PLACEHOLDER.findall(entry.msgstr)).union(*map(PLACEHOLDER.findall, entry.msgstr_plural.values()))
    return wanted != said


def _pairs(catalogue):
    pairs = {
        (entry.msgctxt, entry.msgid): entry.msgstr or tuple(entry.msgstr_plural.values())
        for entry in catalogue
        if "fuzzy" not in getattr(entry, "flags", ())  # entries of a .mo have none
    }
    return {key: said for key, said in pairs.items() if said and all(said)}


def _keys(catalogue):
    return {(entry.msgctxt, entry.msgid) for entry in catalogue if not entry.obsolete}


def _collected():
    """The strings of the code as they are now, collected in a copy: the catalogue stays untouched."""
    with tempfile.TemporaryDirectory() as directory:
        for name in SOURCES:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, Path(directory) / name)
        collect(directory)
        return _keys(polib.pofile(str(Path(directory) / PO.relative_to(ROOT))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--check", action="store_true")
    wanted = parser.parse_args()
    if wanted.update:
        collect()
    if wanted.update or wanted.compile:
        compile_catalogue()
    found = problems() if wanted.check else []
    for sentence in found:
        print(sentence)  # noqa: T201  (a command)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
