"""Other people's tables in the admin, in our look; those nobody should work with by hand are taken out."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django_celery_beat.admin import PeriodicTaskAdmin, PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

# Second factors are secrets; addresses are edited on the person; the schedules we use are two.
for _model in (EmailAddress, Authenticator, AccessFailureLog, AccessLog, SolarSchedule, ClockedSchedule):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
for _model in (Group, AccessAttempt, PeriodicTask, CrontabSchedule, IntervalSchedule):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The registered tasks, in our look."""


class JobForm(PeriodicTaskForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


@admin.register(PeriodicTask)
class JobAdmin(PeriodicTaskAdmin, ModelAdmin):
    """A scheduled job. The package's own form runs an inline script, which our policy does not let in."""

    form = JobForm
    change_form_template = None


@admin.register(CrontabSchedule, IntervalSchedule)
class ScheduleAdmin(ModelAdmin):
    """When jobs run."""


@admin.register(Group)
class GroupAdmin(GroupAdmin, ModelAdmin):
    """Rights given to several people at once."""


@admin.register(AccessAttempt)
class FailedSignInAdmin(ModelAdmin):
    """Names that were locked. Deleting a row unlocks the name at that address."""

    list_display = ["username", "ip_address", "failures_since_start", "attempt_time"]
    search_fields = ["username", "ip_address"]

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("axes.view_accessattempt")
