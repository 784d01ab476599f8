"""What `python -m server serve` tells Granian."""

import pytest

from server.merchant.serve import server_of

KEEP_A_CONNECTION = {"nginx": 60, "an AWS load balancer": 60, "Traefik": 90, "Firefox": 115, "Caddy": 120}
"""Seconds, by their own defaults, after which each stops using an idle connection; none sends a POST again."""


@pytest.mark.parametrize("who", KEEP_A_CONNECTION)
def test_the_server_is_not_the_first_to_close_an_idle_connection(who: str) -> None:
    idle = server_of("127.0.0.1", 8000, 1).http1_settings.header_read_timeout
    assert idle > (KEEP_A_CONNECTION[who] + 5) * 1000
