"""A worker of its own, to be killed: `python -m tests.suggestions.one_worker EXECUTION CLIENT`."""

import sys

import django


def main(execution_id, client_id):
    """Carry out one approved change."""
    django.setup()
    from apps.connectors import registry
    from apps.core.tenancy import use_client
    from apps.suggestions.services import execution

    with use_client(int(client_id)):
        execution.carry_out(execution_id=int(execution_id), connector_for=registry.ads)


if __name__ == "__main__":
    main(*sys.argv[1:])
