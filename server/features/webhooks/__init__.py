"""What other services tell the portal."""
