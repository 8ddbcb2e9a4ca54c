"""Refusals of the Graph API in Meta's envelope."""


class GraphError(Exception):
    """A call that Meta answers with an error object."""

    def __init__(
        self,
        code,
        message,
        *,
        subcode=None,
        status=400,
        title=None,
        user_message=None,
        blame=None,
        transient=False,
        kind="OAuthException",
        headers=None,
    ):
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body = {"message": message, "type": kind, "code": code}
        if subcode is not None:
            self.body["error_subcode"] = subcode
        self.body["is_transient"] = transient
        if title:
            self.body["error_user_title"] = title
        if user_message:
            self.body["error_user_msg"] = user_message
        if blame:
            self.body["error_data"] = {"blame_field_specs": [[blame]]}

    def envelope(self, trace_id):
        """The JSON body of the answer."""
        return {"error": self.body | {"fbtrace_id": trace_id}}


def bad_parameter(message, **more):
    """Code 100: the request itself is wrong."""
    return GraphError(100, f"(#100) {message}", **more)


def invisible(object_id):
    """Code 100/33: unknown, deleted or not ours to see; Meta does not say which."""
    return GraphError(
        100,
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        subcode=33,
        kind="GraphMethodException",
    )


def no_such_field(name, kind):
    """Code 100: a field this node type does not have."""
    return bad_parameter(f"Tried accessing nonexisting field ({name}) on node type ({kind})")


def bad_token(subcode, message):
    """Code 190: the token is dead; only a new one helps."""
    return GraphError(190, message, subcode=subcode, status=401)


def missing_permission(scope):
    """Code 200: the token lacks a scope or its user lacks the role."""
    return GraphError(
        200,
        f"(#200) Ad account owner has NOT grant {scope} permission",
        status=403,
        user_message=f"The {scope} permission is missing.",
    )


def dead_version(current):
    """Code 2635: this version of the Ads API is gone."""
    return GraphError(
        2635,
        f"(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: {current}.",
    )
