"""What a column of an export means, from its header: French and English Ads Manager, and near relatives."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz, process

from .values import fold

IGNORE, BREAKDOWN = "", "breakdown"
DATES = ("day", "starts", "ends")
COUNTS = ("impressions", "reach", "clicks", "link_clicks")
AMOUNTS = ("spend", "revenue")
NUMBERS = (*COUNTS, *AMOUNTS, "leads", "purchases", "results")
NEAR_ENOUGH = 90
# The columns of a downloaded list of problems: ignored when the corrected file comes back.
OURS = "Durum: "


@dataclass(frozen=True)
class Field:
    """A meaning a column can have. `names` are headers as exporters write them; currency is left out."""

    key: str
    label: str
    names: tuple[str, ...]


FIELDS = (
    Field("day", _("Day"), ("Day", "Jour", "Date", "Date du jour", "By day", "date_start", "Report date")),
    Field("starts", _("Period starts"), ("Reporting starts", "Début des rapports", "Start date", "Date de début")),
    Field("ends", _("Period ends"), ("Reporting ends", "Fin des rapports", "End date", "Date de fin", "date_stop")),
    Field(
        "account_id",
        _("Account number"),
        ("Account ID", "ID du compte", "Identifiant du compte", "Numéro de compte", "ad_account_id"),
    ),
    Field(
        "account_name",
        _("Account name"),
        ("Account name", "Nom du compte", "Ad account name", "Nom du compte publicitaire"),
    ),
    Field(
        "campaign_id",
        _("Campaign number"),
        (
            "Campaign ID",
            "ID de la campagne",
            "Identifiant de la campagne",
            "Identifiant de campagne",
            "ID campagne",
            "xyz_campaign_id",
        ),
    ),
    Field(
        "campaign_name",
        _("Campaign name"),
        ("Campaign name", "Nom de la campagne", "Campaign", "Campagne", "Nom campagne"),
    ),
    Field(
        "adset_id",
        _("Ad set number"),
        (
            "Ad set ID",
            "adset_id",
            "ID de l'ensemble de publicités",
            "Identifiant de l'ensemble de publicités",
            "ID ensemble de publicités",
            "ID d'ensemble de publicités",
            "fb_campaign_id",
        ),
    ),
    Field(
        "adset_name",
        _("Ad set name"),
        (
            "Ad set name",
            "adset_name",
            "Nom de l'ensemble de publicités",
            "Ad set",
            "Ensemble de publicités",
            "Nom d'ensemble de publicités",
        ),
    ),
    Field(
        "ad_id",
        _("Ad number"),
        (
            "Ad ID",
            "ID de la publicité",
            "Identifiant de la publicité",
            "Identifiant",
            "ID publicité",
            "Numéro de la publicité",
        ),
    ),
    Field(
        "ad_name", _("Ad name"), ("Ad name", "Nom de la publicité", "Nom de l'annonce", "Publicité", "Nom publicité")
    ),
    Field(
        "spend",
        _("Amount spent"),
        ("Amount spent", "Montant dépensé", "Spend", "Spent", "Dépense", "Dépenses", "Cost", "Coût", "Total spent"),
    ),
    Field("impressions", _("Impressions"), ("Impressions", "Impr.", "Nombre d'impressions")),
    Field("reach", _("Reach"), ("Reach", "Couverture", "Portée")),
    Field("clicks", _("Clicks (all)"), ("Clicks (all)", "Clics (tous)", "Clicks", "Clics", "Tous les clics")),
    Field(
        "link_clicks",
        _("Link clicks"),
        ("Link clicks", "Clics sur un lien", "Clics sur le lien", "Clics sur lien", "inline_link_clicks"),
    ),
    Field(
        "leads",
        _("Leads"),
        (
            "Leads",
            "Prospects",
            "Lead",
            "Leads (form)",
            "On-Facebook leads",
            "Meta leads",
            "Website leads",
            "Prospects Facebook",
            "Prospects sur le site web",
            "Enquiries",
            "Total_Conversion",
        ),
    ),
    Field(
        "purchases",
        _("Purchases"),
        (
            "Purchases",
            "Achats",
            "Website purchases",
            "Achats sur le site web",
            "Sales",
            "Ventes",
            "Approved_Conversion",
        ),
    ),
    Field(
        "revenue",
        _("Revenue"),
        (
            "Purchases conversion value",
            "Purchase conversion value",
            "Valeur de conversion des achats",
            "Website purchases conversion value",
            "Valeur de conversion des achats sur le site web",
            "Conversion value",
            "Valeur de conversion",
            "Revenue",
            "Chiffre d'affaires",
        ),
    ),
    Field("results", _("Results"), ("Results", "Résultats")),
    Field(
        "result_kind",
        _("Kind of result"),
        ("Result indicator", "Indicateur de résultats", "Indicateur de résultat", "Result type", "Type de résultat"),
    ),
    Field("currency", _("Currency"), ("Currency", "Devise", "Account currency")),
    Field(
        "delivery",
        _("Delivery"),
        (
            "Ad delivery",
            "Diffusion de la publicité",
            "Ad set delivery",
            "Diffusion de l'ensemble de publicités",
            "Campaign delivery",
            "Diffusion de la campagne",
            "Delivery",
            "Diffusion",
            "Delivery status",
            "Statut de diffusion",
        ),
    ),
    Field(
        BREAKDOWN,
        _("Breakdown (rows are added up)"),
        (
            "Age",
            "Âge",
            "Gender",
            "Genre",
            "Sexe",
            "Country",
            "Pays",
            "Region",
            "Région",
            "Platform",
            "Plateforme",
            "Placement",
            "Emplacement",
            "Device",
            "Appareil",
            "Impression device",
            "Appareil d'impression",
            "Platform device",
            "Device platform",
            "Publisher platform",
            "DMA region",
            "Time of day (ad account time zone)",
            "Time of day (viewer's time zone)",
            "Heure de la journée (fuseau horaire du compte publicitaire)",
            "Interest",
            "Objective",
            "Conversion device",
            "Product ID",
        ),
    ),
)
LABELS = {field.key: field.label for field in FIELDS}

# Ratios and costs look like the column they are made of ("Cost per lead", "Coût par clic"), and are no figure to add.
_RATIO = re.compile(
    r"\b(cost per|cout par|cout pour|cpm|cpc|ctr|cpa|cpl|cpp|roas|taux|rate|frequency|repetition|per result|"
    r"par resultat|average|moyen|moyenne|unique|uniques|%|ranking|classement|attribution|budget|bid|enchere)\b|%"
)
_UNIT = re.compile(r"\s*[(\[]\s*([A-Za-z]{3}|[€$£¥₹])\s*[)\]]\s*$")
_SYMBOLS = {"€": "EUR", "£": "GBP", "₹": "INR"}
_NOT_CURRENCIES = {"ALL", "TOUS", "ADS"}


@dataclass(frozen=True)
class Guess:
    """What a header probably means; `score` 100 is a name we know, less is a near match."""

    field: str
    score: int
    currency: str = ""


def plain(header):
    """A header as it is compared: folded, without its currency, with broken UTF-8 repaired."""
    return _NOT_LETTERS.sub(" ", fold(_split_unit(_mended(str(header)))[0])).strip()


_NOT_LETTERS = re.compile(r"[^a-z0-9%()']+")


@lru_cache(maxsize=1)
def _known():
    return {plain(name): field.key for field in FIELDS for name in field.names}


def guess(header):
    """The best meaning for one header, or `Guess("", 0)`."""
    text, currency = _split_unit(_mended(str(header)))
    name = plain(text)
    if not name or text.startswith(OURS):
        return Guess(IGNORE, 0)
    known = _known()
    if name in known:
        return Guess(known[name], 100, currency if known[name] in AMOUNTS else "")
    if _RATIO.search(name):
        return Guess(IGNORE, 0)
    match = process.extractOne(name, known.keys(), scorer=fuzz.ratio, score_cutoff=NEAR_ENOUGH)
    if match is None:
        return Guess(IGNORE, 0)
    return Guess(known[match[0]], min(int(match[1]), 99), currency if known[match[0]] in AMOUNTS else "")


def propose(headers):
    """One meaning per column; of two columns for the same one the better match, then the first, wins."""
    guesses = [guess(header) for header in headers]
    taken = {}
    for index, found in enumerate(guesses):
        if not found.field or found.field == BREAKDOWN:
            continue
        holder = taken.get(found.field)
        if holder is None or guesses[holder].score < found.score:
            taken[found.field] = index
    return [
        found if found.field == BREAKDOWN or taken.get(found.field) == index else Guess(IGNORE, 0)
        for index, found in enumerate(guesses)
    ]


def recognised(cells):
    """How many cells of a row look like headers we know: the header row is the one with most."""
    return sum(1 for cell in cells if isinstance(cell, str) and guess(cell).field)


def fingerprint(headers):
    """The same for two files with the same columns in the same order, whatever Durum has written beside them."""
    theirs = [fold(str(header)) for header in headers if not str(header).startswith(OURS)]
    return hashlib.sha256("\x1f".join(theirs).encode()).hexdigest()


def _split_unit(header):
    match = _UNIT.search(header)
    if not match or match[1].upper() in _NOT_CURRENCIES:
        return header, ""
    unit = _SYMBOLS.get(match[1], match[1].upper())
    return header[: match.start()], unit if unit.isalpha() else ""


def _mended(header):
    """UTF-8 that was once read as cp1252 and saved again: "Montant dÃ©pensÃ©"."""
    if "Ã" not in header and "â€" not in header:
        return header
    try:
        return header.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return header
