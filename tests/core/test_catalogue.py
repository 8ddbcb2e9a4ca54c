"""The French catalogue: whole, true to its source, well set, and what people in fact see."""

import html
import re
import shutil
from pathlib import Path

import django_celery_beat
import polib
import pytest
import unfold
from django.urls import reverse
from django.utils import translation

from apps.clients.roles import Role
from durum import catalogue
from tests.architecture.urls import LINES, every_address
from tests.factories.clients import ClientFactory, member

# Words that no French sentence has; names of rows below are chosen without them.
ENGLISH = re.compile(
    r"\b(the|and|of|with|without|your|you|this|that|is|are|was|were|has|have|not|from|for|by|before|which|what|who"
    r"|new|all|show|search|choose|delete|save|add|yes|today|days?|hours?|ago)\b",
    re.IGNORECASE,
)
OF_THE_FILE = "Day"  # the header of the file in the table of addresses
NOT_PAGES = {"healthz", "ads:import_progress", "ads:import_findings_csv"}
PAGES = [
    name
    for name, line in LINES.items()
    if line.method == "get" and line.statuses.endswith("200") and name not in NOT_PAGES
]
ENTRIES = polib.pofile(str(catalogue.PO))


@pytest.fixture
def broken(monkeypatch, tmp_path):
    """`broken(change)` is what is found once `change` was done to a copy of the catalogue."""
    monkeypatch.setattr(catalogue, "PO", tmp_path / "django.po")
    monkeypatch.setattr(catalogue, "MO", tmp_path / "django.mo")
    monkeypatch.setattr(catalogue.shutil, "which", lambda _name: None)

    def problems(change):
        copy = polib.pofile(str(ENTRIES.fpath))
        change(copy)
        copy.save(str(catalogue.PO))
        catalogue.compile_catalogue()
        return catalogue.problems()

    return problems


def test_nothing_is_missing_fuzzy_or_uncompiled():
    """Where gettext is installed this collects the code's strings anew, so that a new one fails without French."""
    assert catalogue.problems() == []


def test_the_collecting_leaves_the_catalogue_alone():
    if not shutil.which("xgettext"):
        pytest.skip("GNU gettext is not installed")
    before = catalogue.PO.read_bytes()

    assert len(catalogue._collected()) == len(ENTRIES)
    assert catalogue.PO.read_bytes() == before


def test_the_check_sees_what_is_wrong(broken):
    def spoil(copy):
        copy.find("Ads").msgstr = ""
        copy.find("Imports").flags.append("fuzzy")
        copy.find("%(name)s is not an ad account.").msgstr = "%(nom)s n’est pas un compte publicitaire."

    assert broken(lambda copy: None) == []
    assert broken(spoil) == [
        "no French for: 'Ads'",
        "still fuzzy: 'Imports'",
        "placeholders differ: '%(name)s is not an ad account.'",
    ]


def test_the_check_sees_a_compiled_file_left_behind(broken):
    assert broken(lambda copy: None) == []
    polib.POFile().save_as_mofile(str(catalogue.MO))

    assert catalogue.problems() == ["the .mo is behind: run python -m durum.catalogue --compile"]


def test_packages_still_say_what_is_translated_for_them():
    folders = [Path(package.__file__).parent for package in (unfold, django_celery_beat)]
    files = [file for folder in folders for kind in ("*.html", "*.py") for file in folder.rglob(kind)]
    text = "\n".join(file.read_text() for file in files)

    assert [said for said in map(str, catalogue.BORROWED) if said not in text] == []


def test_plurals_follow_french():
    assert ENTRIES.metadata["Plural-Forms"] == "nplurals=2; plural=(n > 1);"
    assert {len(entry.msgstr_plural) for entry in ENTRIES if entry.msgid_plural} == {2}
    with translation.override("fr"):
        said = [translation.ngettext("%(count)d hour", "%(count)d hours", n) % {"count": n} for n in (0, 1, 2)]
    assert said == ["0 heure", "1 heure", "2 heures"]


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (r"\w'\w", "a straight apostrophe"),
        (r"[ \u00a0][:;!?»]|[ \u00a0]%(?![(sd])", "a wide space before a sign"),
        (r"«(?!\u202f)|(?<!\u202f)»", "quotes without their narrow space"),
        (r"\.\.\.|[“”]", "dots or quotes of another language"),
        (r"\w[?!;](?=\s|$)", "a sign without its space"),
        (r"^ | $|  ", "a space too many"),
    ],
)
def test_the_typography_is_french(wrong, name):
    said = [text for entry in ENTRIES for text in (entry.msgstr, *entry.msgstr_plural.values())]

    assert [text for text in said if re.search(wrong, text)] == []


def test_source_and_french_end_alike():
    """A sentence stays a sentence, a label stays a label, an ellipsis stays an ellipsis."""
    pairs = [(entry.msgid.replace("...", "…"), entry.msgstr or entry.msgstr_plural[1]) for entry in ENTRIES]

    assert [pair for pair in pairs if {pair[0][-1], pair[1][-1]} & set(".…?:") and pair[0][-1] != pair[1][-1]] == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_french_through_and_through(client, name):
    shop = ClientFactory(name="Vignes", key="vignes")
    line = LINES[name]
    kwargs = {"client_key": shop.key} if "client_key" in dict(every_address())[name] else {}
    if line.row is not None:
        kwargs["pk"] = line.row(shop).pk
    client.force_login(member(shop, Role.OWNER))

    assert english_in(client, reverse(name, kwargs=kwargs)) == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/", "/nowhere/"])
def test_doors_and_errors_are_french(client, path):
    assert english_in(client, path) == []


def english_in(client, address):
    """English found in what a person sees of a page asked for in French."""
    page = client.get(address, headers={"accept-language": "fr"}).content.decode()
    assert '<html lang="fr"' in page
    page = re.sub(
        r"[A-Z]\w+( \w+)? of Vignes|Scale what earns", "Vignes", page
    )  # names in rows and files are nobody's language
    page = re.sub(r"<(script(?! id=.texts)|style|pre|svg|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    titles = re.findall(r'(?:title|placeholder|aria-label|alt|data-confirm[a-z-]*|hx-confirm)="([^"]*)"', page)
    seen = html.unescape("\n".join([*re.sub(r"<[^>]+>", "\n", page).splitlines(), *titles]))
    return [text.strip() for text in seen.splitlines() if ENGLISH.search(text) and text.strip() != OF_THE_FILE]
