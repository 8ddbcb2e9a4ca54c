"""What each role may do. Roles are ranks: whoever may manage may also operate and look."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    VIEWER = "viewer", _("Viewer")
    OPERATOR = "operator", _("Operator")
    MANAGER = "manager", _("Manager")
    OWNER = "owner", _("Owner")


RANK = {role: rank for rank, role in enumerate(Role.values)}

# verb -> lowest role that may do it
NEEDS = {
    "look": Role.VIEWER,
    "decide": Role.OPERATOR,
    "import": Role.OPERATOR,
    "fetch": Role.OPERATOR,
    "undo": Role.MANAGER,
    "edit_rules": Role.MANAGER,
    "edit_client": Role.MANAGER,
    "connect": Role.MANAGER,
    "edit_team": Role.OWNER,
}
