"""A file of ads comes in: kept as it is, looked at, confirmed by a person, then put in line for a worker."""

import hashlib
import zoneinfo
from contextlib import contextmanager

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.ads.importing.columns import LABELS, fingerprint
from apps.ads.importing.opening import open_tables
from apps.ads.importing.plan import Plan
from apps.ads.importing.problems import UnusableFile
from apps.ads.importing.proposing import propose
from apps.ads.importing.rows import name_key, parse_id
from apps.ads.models import AdObject
from apps.clients import access
from apps.clients.models import Client
from apps.connectors.models import ColumnMapping, RawFile, SyncRun
from apps.core import audit, clock
from apps.core.errors import Conflict, Invalid
from apps.core.exports import no_room_is_told

KIND = SyncRun.Kind.IMPORT_ADS
PIECE = 1 << 20


def receive(*, client, file, name, actor):
    """Keep `file` under its hash before anything reads it. Returns the row and whether it is new.

    The same content brought twice is one row. Raises `Invalid` for an empty or too large file and `DiskFull`
    when there is no room; then nothing is kept.
    """
    access.require(actor, "import", client)
    name = (name.replace("\\", "/").rpartition("/")[2].replace("\x00", "") or "file")[-255:]
    digest, size = _measured(file)
    known = RawFile.objects.filter(client=client, sha256=digest).first()
    if known is not None:
        return known, False
    path = None
    storage = RawFile._meta.get_field("content").storage
    target = f"raw/{client.key}/{digest[:2]}/{digest}"
    try:
        with no_room_is_told():
            if not storage.exists(target):
                path = target
                storage.save(target, File(file))
        with transaction.atomic():
            row = RawFile.objects.create(
                client=client, name=name, sha256=digest, size=size, content=target, uploaded_by=actor.user
            )
            audit.record(actor, "connectors.rawfile.received", row, size=size, sha256=digest)
    except IntegrityError:
        # Somebody brought the very same file in this moment; the stored copy is theirs as well.
        return RawFile.objects.get(client=client, sha256=digest), False
    except BaseException:
        if path is not None:
            storage.delete(path)
        raise
    return row, True


def _measured(file):
    """The hash and size of an upload, refused as soon as it is too long."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while piece := file.read(PIECE):
        size += len(piece)
        if size > settings.IMPORT_MAX_BYTES:
            raise Invalid(
                _("The file is larger than %(limit)d MB. Export a shorter period, or several files.")
                % {"limit": settings.IMPORT_MAX_BYTES // 1024**2},
                code="too_large",
            )
        digest.update(piece)
    file.seek(0)
    if not size:
        raise UnusableFile(_("The file is empty. Export it again from Ads Manager."), code="empty_file")
    return digest.hexdigest(), size


@contextmanager
def opened(raw_file):
    """The tables of a kept file, closed afterwards."""
    try:
        file = raw_file.content.open("rb")
    except FileNotFoundError as exc:
        raise UnusableFile(
            _("The stored file is missing on the server. Upload it again, or restore it from the backup."),
            code="file_missing",
            detail=exc,
        ) from exc
    try:
        yield open_tables(file, raw_file.name)
    finally:
        file.close()


def proposal(raw_file, *, sheet=""):
    """How the file might be read, with what was confirmed last time for the same headers."""

    def remembered(headers_hash):
        row = ColumnMapping.objects.filter(client_id=raw_file.client_id, kind=KIND, fingerprint=headers_hash).first()
        return Plan.from_json(row.mapping) if row else None

    with opened(raw_file) as tables:
        return propose(tables, sheet=sheet, remembered=remembered)


def account_in_file(found):
    """`(number, name)` of the account as the file's own columns give it, "" where they do not."""
    number, name = _first_sample(found, "account_id"), _first_sample(found, "account_name")
    try:
        number = parse_id(number) if number else ""
    except ValueError:
        number = ""
    return (f"act_{number}" if number.isdecimal() else number), name


def _first_sample(found, meaning):
    index = found.plan.column(meaning)
    samples = [] if index is None else found.columns[index].samples
    return samples[0] if len(samples) == 1 else ""


@transaction.atomic
def make_account(*, client, name, number="", currency="", time_zone="", actor):
    """The account a file belongs to, for accounts Durum does not read by itself. An existing one is returned."""
    access.require(actor, "import", client)
    name, currency = name.strip()[:400], (currency or client.currency).upper()
    if not name:
        raise Invalid(_("Give the ad account a name."), fields={"account_name": _("Give the ad account a name.")})
    if len(currency) != 3 or not currency.isalpha() or not currency.isascii():
        raise Invalid(_("Write the currency as three capitals, e.g. EUR."), fields={"currency": _("Three capitals.")})
    zone = time_zone or client.time_zone
    if zone not in zoneinfo.available_timezones():
        raise Invalid(_("“%(name)s” is not a time zone. Write it like Europe/Paris.") % {"name": zone})
    external = number or f"file_{slugify(name)[:30]}_{name_key('account', name)[5:13]}"
    row, made = AdObject.objects.get_or_create(
        client=client,
        level=AdObject.Level.ACCOUNT,
        external_id=external[:80],
        defaults={"name": name, "currency": currency, "time_zone": zone},
    )
    if made:
        audit.record(actor, "ads.adobject.created", row, name=name, currency=currency, time_zone=zone)
    return row


@transaction.atomic
def confirm(*, raw_file_id, plan, account_id, actor):
    """Put the file in line, to be read by `plan` into `account_id`; the plan is remembered for these headers.

    The caller may nudge a worker (`tasks.import_file`); the sweep finds the run in any case.

    Raises `Invalid` for a plan that cannot work and `Conflict` while the same file is being imported.
    """
    raw_file = RawFile.objects.select_for_update(of=("self",)).get(pk=raw_file_id)
    client = Client.objects.get(pk=raw_file.client_id)
    access.require(actor, "import", client)
    plan.check()
    account = AdObject.objects.get(pk=account_id, client=client, level=AdObject.Level.ACCOUNT)
    if plan.currency and plan.currency != account.currency:
        raise Invalid(
            _(
                "The amounts of the file are in %(file)s, the account “%(account)s” is in %(currency)s. "
                "Choose another account."
            )
            % {"file": plan.currency, "account": account.name, "currency": account.currency},
            code="currency_differs",
        )
    if SyncRun.objects.moving().filter(raw_file=raw_file, kind=KIND).exists():
        raise Conflict(_("This file is being imported already. Wait for it to finish, or cancel it."))
    ColumnMapping.objects.update_or_create(
        client=client,
        kind=KIND,
        fingerprint=fingerprint(plan.headers),
        defaults={"mapping": plan.as_json(), "confirmed_by": actor.user, "updated_at": clock.now()},
    )
    run = SyncRun.objects.create(
        client=client,
        kind=KIND,
        raw_file=raw_file,
        not_before=clock.now(),
        options={"plan": plan.as_json(), "account": account.pk},
        created_by=actor.user,
    )
    audit.record(
        actor,
        "connectors.syncrun.created",
        run,
        file=raw_file.name,
        account=account.name,
        columns={header: str(LABELS[f]) for header, f in zip(plan.headers, plan.fields, strict=True) if f},
    )
    return run


@transaction.atomic
def cancel(*, run_id, actor):
    """Stop an import that has not stored its rows yet; nothing of it stays. Raises `Conflict` when it is over."""
    run = SyncRun.objects.select_for_update(of=("self",)).get(pk=run_id, kind=KIND)
    access.require(actor, "import", Client.objects.get(pk=run.client_id))
    if not run.is_moving:
        raise Conflict(
            _("This import is over: %(state)s. There is nothing to cancel.") % {"state": run.get_state_display()}
        )
    # The attempt goes up, so that a worker in the middle of it finds that the run is no longer its own.
    SyncRun.objects.filter(pk=run.pk).update(
        state=SyncRun.State.CANCELLED,
        finished_at=clock.now(),
        claimed_by="",
        lease_until=None,
        attempts=F("attempts") + 1,
        stage="",
    )
    run.findings.all().delete()
    run.refresh_from_db()
    audit.record(actor, "connectors.syncrun.cancelled", run)
    return run


def last_run_of(raw_file):
    """The last finished import of this very file, or None."""
    return (
        SyncRun.objects.filter(raw_file=raw_file, kind=KIND, state=SyncRun.State.DONE)
        .order_by("-finished_at", "-pk")
        .first()
    )
