"""What higher floors want done when a client comes into being (its usual rules, for example)."""

_on_new_client = []


def on_new_client(function):
    """Register `function(client)`; called from `AppConfig.ready()`. Runs in the transaction of the creation."""
    if function not in _on_new_client:
        _on_new_client.append(function)


def run_new_client(client):
    """Call them all, in order of registration."""
    for function in _on_new_client:
        function(client)
