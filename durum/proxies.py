"""Who is really asking, when a proxy of ours stands in front."""


def client_ip(request):
    """The address our proxy saw. It appends it as the last entry; earlier ones are whatever the client wrote."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR")
