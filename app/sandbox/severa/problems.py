"""Severa's refusals: the ExceptionModel of its OpenAPI document."""

import json

from starlette.responses import Response

# Which status goes with which type is not documented; these are the likely ones.
STATUS = {
    "AddonMissing": 403,
    "AddonMissingTermsOfServiceApproval": 403,
    "AuthenticationRequired": 401,
    "ConfigurationError": 400,
    "ExcludedFromTrial": 403,
    "FeatureIsNotEnabled": 403,
    "HttpsRequired": 403,
    "InsufficientApiScope": 403,
    "InternalSystemError": 500,
    "InvalidApiVersion": 400,
    "InvalidOperation": 400,
    "InvalidParameter": 400,
    "InvalidRecaptcha": 400,
    "InvalidRequest": 400,
    "NotAvailableInTrial": 403,
    "OrganizationNotActive": 403,
    "PermissionDenied": 403,
    "TermsOfServiceNotApproved": 403,
    "TrialExpired": 403,
    "UserLicenseType": 403,
}


class Problem(Exception):
    """`place`: PathParameter, RequestBody, RequestHeader or UriParameter; `name`: what is there."""

    def __init__(
        self,
        type: str,  # noqa: A002  the vendor's word
        message: str,
        place: str = "RequestBody",
        name: str | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(message)
        self.type, self.message, self.place, self.name = type, message, place, name
        self.status = status or STATUS[type]

    def response(self) -> Response:
        location = {"type": self.place, "name": self.name, "identifier": None}
        detail = {"message": self.message, "url": None, "location": location}
        error = {
            "httpStatusCode": self.status,
            "type": self.type,
            "stack": None,
            "details": [detail],
        }
        return Response(
            json.dumps({"error": error}, ensure_ascii=False),
            self.status,
            media_type="application/json",
        )


class NotFound(Exception):
    """Answered as 404 without a body."""
