"""The validation queue and everything around it, for those who work in the admin."""

from . import archive, execution, proposals

__all__ = ["archive", "execution", "proposals"]
