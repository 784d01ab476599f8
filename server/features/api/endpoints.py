"""Every endpoint of the API: the one table of what it takes, which permission it needs and what it answers. The description
(OpenAPI) is made from it, too.
"""

from __future__ import annotations

import re

from server.brands.reading.declared import Keys
from server.features.api import configurations, customers, portal_sessions
from server.features.api.call import Endpoint
from server.features.api.errors import ApiError

_CONFIGURATION, _CONFIGURATIONS = "billing_portal.configuration", "/v1/billing_portal/configurations"
_MAY_CONFIGURE, _MAY_READ = "portal.configurations", "customers.read"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/billing_portal/sessions",
        "Make a URL that opens the portal for one customer",
        "portal.sessions",
        portal_sessions.Create,
        portal_sessions.create,
        "billing_portal.session",
        expands={"configuration": _MAY_CONFIGURE},
    ),
    Endpoint(
        "POST",
        _CONFIGURATIONS,
        "Say what customers may do in sessions that name this",
        _MAY_CONFIGURE,
        configurations.Create,
        configurations.create,
        _CONFIGURATION,
    ),
    Endpoint(
        "GET",
        _CONFIGURATIONS,
        "List the configurations, newest first",
        _MAY_CONFIGURE,
        configurations.List,
        configurations.list_,
        _CONFIGURATION,
        is_list=True,
    ),
    Endpoint(
        "GET",
        f"{_CONFIGURATIONS}/{{id}}",
        "Read a configuration",
        _MAY_CONFIGURE,
        Keys,
        configurations.retrieve,
        _CONFIGURATION,
    ),
    Endpoint(
        "POST",
        f"{_CONFIGURATIONS}/{{id}}",
        "Change a configuration",
        _MAY_CONFIGURE,
        configurations.Update,
        configurations.update,
        _CONFIGURATION,
    ),
    Endpoint(
        "GET",
        "/v1/customers",
        "Find the customers who have an address",
        _MAY_READ,
        customers.Customers,
        customers.list_customers,
        "customer",
        is_list=True,
    ),
    Endpoint("GET", "/v1/customers/{id}", "Read a customer", _MAY_READ, Keys, customers.retrieve_customer, "customer"),
    Endpoint(
        "GET",
        "/v1/subscriptions",
        "List the subscriptions of a customer",
        _MAY_READ,
        customers.Subscriptions,
        customers.list_subscriptions,
        "subscription",
        is_list=True,
    ),
)
_FOUND = tuple((each, re.compile(each.path.replace("{id}", "([A-Za-z0-9_]{1,255})"))) for each in ENDPOINTS)


def find(method: str, path: str) -> tuple[Endpoint, str]:
    """The endpoint, and the id in the path or empty text. Raises `ApiError` in Stripe's words."""
    for endpoint, pattern in _FOUND:
        found = pattern.fullmatch(path)
        if found and endpoint.method == method:
            return endpoint, found[1] if pattern.groups else ""
    words = f"Unrecognized request URL ({method}: {path[:200]}). The API is described in docs/api.md."
    raise ApiError(words, status=404)
