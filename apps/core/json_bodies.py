"""How the API reads JSON. Apart from `api`, whose imports need it already."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class JsonBody(JSONParser):
    """JSON that is nested deeper than anything of ours is refused: it is the sender's mistake, not a crash."""

    def parse(self, *args, **kwargs):
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise ParseError(_("It is nested too deeply.")) from None
