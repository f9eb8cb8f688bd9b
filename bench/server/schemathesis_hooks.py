"""What Schemathesis must not do to the one as whom it asks."""

import schemathesis


@schemathesis.hook
def filter_case(context, case):
    """Whoever accepts an invitation under a name is signed in anew, and everywhere else no longer."""
    is_invitation = case.operation.label == "POST /api/v1/users" and isinstance(case.body, dict)
    return not (is_invitation and case.body.get("name") in ("ann", "bob"))
