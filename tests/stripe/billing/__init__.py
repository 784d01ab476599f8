"""What happens to subscriptions and invoices: by a request, by a payment, by time."""
