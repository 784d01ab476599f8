"""What `python -m server serve` tells Granian."""

import pytest

from server.merchant.serve import server_of

KEEP_A_CONNECTION = {"nginx": 60, "an AWS load balancer": 60, "Traefik": 90, "Firefox": 115, "Caddy": 120}
"""Seconds, by their own defaults, after which each stops using an idle connection; none sends a POST again."""


@pytest.mark.parametrize("who", KEEP_A_CONNECTION)
def test_the_server_is_not_the_first_to_close_an_idle_connection(who: str) -> None:
    idle = server_of("127.0.0.1", 8000, 1).http1_settings.header_read_timeout
    assert idle > (KEEP_A_CONNECTION[who] + 5) * 1000


@pytest.mark.parametrize("workers", [1, 8])
def test_connections_that_say_nothing_keep_nobody_out(workers: int) -> None:  # threat 95
    """As many as Granian's own number for all workers, and each has room for them beside others."""
    assert server_of("127.0.0.1", 8000, workers).backpressure > 4 * 1024
