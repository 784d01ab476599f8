"""Stripe's JSON in our types: `mapping` reads it, for the ledger's import and for the Stripe backend alike."""
