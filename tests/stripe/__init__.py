"""A stand-in for Stripe: an ASGI app that answers as Stripe does where the portal looks.

| part | decides |
|---|---|
| `app` | one request: key, version, idempotency, faults, the log; `asgi` and `serving` put it on a socket |
| `shapes`, `operations` | what may be sent and answered, read from the types of the installed SDK |
| `world` | the state: plain dicts in tables, the clock, the events; `loading` fills it with the sample customers |
| `rendering` | a stored dict to the JSON that is sent: missing fields, `expand` |
| `resources/` | one file for each kind of object: what its requests do |
| `money/` | prices, discounts, taxes, prorations: integers in, integers out |
| `billing/` | changing a subscription, making and paying an invoice, what time brings |
| `hosted`, `control` | the pages that Stripe hosts; what a test may order: faults, time, events, the log |

A preview is the change itself, made in a rehearsal that is undone: so it equals what the change then bills.
Run it alone with `python -m tests.stripe --port N`.
"""
