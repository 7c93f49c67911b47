"""The company of the demo: a consultancy with a few articles, projects and cost centres."""

from typing import Protocol

from app.sandbox.fortnox.tenant import Tenant
from app.sandbox.fortnox.tokens import SCOPES, Client

DEMO_CLIENT, DEMO_SECRET, DEMO_TENANT = "demo-client", "demo-secret", "654896"


class Host(Protocol):
    def add_client(
        self, client_id: str, secret: str, redirect_uri: str = "", scopes: str = ""
    ) -> Client: ...
    def add_tenant(self, tenant_id: str | int, name: str = ..., **company: str) -> Tenant: ...
    def consent(self, client_id: str, tenant_id: str | int, scopes: str = SCOPES) -> None: ...


def seed_demo(fortnox: Host) -> Tenant:
    """Client demo-client / demo-secret, tenant 654896 with consent to everything."""
    fortnox.add_client(DEMO_CLIENT, DEMO_SECRET)
    tenant = fortnox.add_tenant(DEMO_TENANT, "Vårt bolag AB")
    fortnox.consent(DEMO_CLIENT, DEMO_TENANT)
    tenant.add_currency("EUR", "11.25")
    tenant.add_currency("USD", "10.40")
    tenant.add_currency("NOK", "0.98")
    for code, name in (("STH", "Stockholm"), ("GBG", "Göteborg"), ("MMX", "Malmö")):
        tenant.add_cost_center(code, name)
    tenant.add_supplier(Name="Konsult & Co AB", OrganisationNumber="556100-0000", BG="555-5555")
    return tenant
