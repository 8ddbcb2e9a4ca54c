"""The base of FilterSets whose choices depend on who asks."""

import django_filters


class FilterSet(django_filters.FilterSet):
    """Makes its form fields anew for every request.

    The package keeps the field that a filter has made once, and copies it into every later FilterSet. Whoever
    looks at the class first (the OpenAPI document does, with nobody asking) would fix its choices for good.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for one in self.filters.values():
            one.__dict__.pop("_field", None)
