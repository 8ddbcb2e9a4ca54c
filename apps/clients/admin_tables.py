"""Tables of the admin that people with a role may write to: the role decides, the service writes."""

from apps.clients import access
from apps.core.actors import Actor
from apps.core.admin_tables import ClientTable


class RoleTable(ClientTable):
    """`verb` (a key of `roles.NEEDS`) is what it takes to write; a person without it looks only.

    Subclasses write in `create(actor, fields)` and `change(actor, row, fields)`, each calling one service.
    """

    verb = ""
    may_add = False

    def may_for(self, request, client, verb=None):
        """Whether the person asking has the right for that client."""
        return access.may(request.user, verb or self.verb, client)

    def has_change_permission(self, request, obj=None):
        if not self.has_view_permission(request):
            return False
        return obj is None or self.may_for(request, getattr(obj, "client", obj))

    def has_add_permission(self, request):
        return self.may_add and self.has_view_permission(request)

    def get_readonly_fields(self, request, obj=None):
        # A row never moves to another client.
        fixed = ["client"] if obj is not None and hasattr(obj, "client_id") else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def save_model(self, request, obj, form, change):
        actor = Actor(request.user, "admin")
        if change:
            fields = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
            self.change(actor, obj, fields)
        else:
            row = self.create(actor, dict(form.cleaned_data))
            obj.pk = row.pk
            obj._state.adding = False

    def delete_model(self, request, obj):
        self.remove(Actor(request.user, "admin"), obj)

    def create(self, actor, fields):
        raise NotImplementedError

    def change(self, actor, row, fields):
        raise NotImplementedError

    def remove(self, actor, row):
        raise NotImplementedError
