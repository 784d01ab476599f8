"""How a page words a control: its label, its hint, and the label and sentence of each value that can be chosen."""

from __future__ import annotations

import re

from server.merchant.studio.declarations import Control

LABELS = {
    "brand.icon": "Icon",
    "brand.logo": "Logo",
    "brand.dark_logo": "Logo on dark pages",
    "brand.color": "Brand color",
    "brand.accent": "Links",
    "brand.background": "Page background",
    "brand.button": "Main button",
    "brand.styles": "Style sheet",
    "shape.style": "Corners",
    "mode.default": "Light or dark",
    "type.font": "Fonts",
    "type.body": "Text",
    "type.heading": "Headings",
    "business.address.line1": "Street and number",
    "business.address.line2": "Second line",
    "business.default_return_url": "Website",
    "types": "What it is told of",
    "features.customer_update.allowed_updates": "What they may change",
    "features.subscription_cancel.mode": "When it ends",
    "features.subscription_cancel.proration_behavior": "Unused time",
    "features.subscription_cancel.cancellation_reason.options": "Reasons",
    "features.subscription_cancel.retention.coupon": "Retention coupon",
    "features.subscription_update.default_allowed_updates": "What they may change",
    "features.subscription_update.proration_behavior": "Days left of the period",
    "features.subscription_update.schedule_at_period_end.conditions": "Changes that wait for the end of the period",
    "features.subscription_update.trial_update_behavior": "Trials",
    "features.subscription_pause.max_cycles": "Longest pause",
    "login_page.link": "Token of the link",
    "mail.enabled": "All mails",
    "mail.new_login": "Log-in from a new browser",
    "mail.payment_action_required": "Confirmation needed",
    "site.url": "Your own address",
    "site.locales": "Languages",
    "site.timezone": "Time zone",
    "mail.optional": "Mails that a customer may switch off",
    "mail.renewal_reminder_days": "Days before a renewal",
}

FEATURES = {
    "subscription_cancel": "Cancellation",
    "subscription_update": "Plan changes",
    "payment_method_update": "Payment methods",
    "products": "Products",
}
"""What the pages of other tables are called."""

_REASONS = {
    "too_expensive": ("It is too expensive", ""),
    "missing_features": ("Something I need is missing", ""),
    "switched_service": ("I found something else", ""),
    "unused": ("I do not use it enough", ""),
    "customer_service": ("I was not happy with the customer service", ""),
    "too_complex": ("It is too hard to use", ""),
    "low_quality": ("The quality was not what I expected", ""),
    "other": ("Another reason", "With room for the customer's own words."),
}

MEANINGS: dict[str, dict[str, tuple[str, str]]] = {
    "features.customer_update.allowed_updates": {
        "name": ("Name", ""),
        "email": ("Email address", "Proved by a code to the new one. Not where they came by your log-in link."),
        "address": ("Billing address", ""),
        "shipping": ("Shipping address", ""),
        "phone": ("Phone number", ""),
        "tax_id": ("Tax numbers", ""),
    },
    "features.subscription_cancel.mode": {
        "at_period_end": ("At the end of the paid period", "The customer keeps what is paid for. It can be taken back until then."),
        "immediately": ("At once", "The customer confirms, and it is over."),
    },
    "features.subscription_cancel.proration_behavior": {
        "none": ("Is not credited", ""),
        "create_prorations": ("Is credited", "Only where a subscription ends at once."),
    },
    "features.subscription_cancel.cancellation_reason.options": _REASONS,
    "features.subscription_update.default_allowed_updates": {
        "price": ("The plan", "To the products and prices below."),
        "quantity": ("The quantity", "Of the products that say so below."),
        "promotion_code": ("Promotion codes", "One can be entered with a change."),
    },
    "features.subscription_update.proration_behavior": {
        "none": ("Are not counted", "The new price is paid from the next period on."),
        "create_prorations": ("Are on the next invoice", "What was paid is credited, what is new is charged."),
        "always_invoice": ("Are invoiced at once", "The same, paid right away."),
    },
    "features.subscription_update.billing_cycle_anchor": {
        "unchanged": ("The day of billing stays", ""),
        "now": ("A new period begins with the change", ""),
    },
    "features.subscription_update.schedule_at_period_end.conditions": {
        "decreasing_item_amount": ("To something cheaper", ""),
        "shortening_interval": ("To a shorter interval", "Such as from a year to a month."),
    },
    "features.subscription_update.trial_update_behavior": {
        "end_trial": ("End with the change", "The new plan is paid at once."),
        "continue_trial": ("Go on", ""),
    },
    "features.subscription_update.rules[].when": {
        "now": ("At once", ""),
        "period_end": ("At the end of the period", ""),
        "never": ("Never", ""),
    },
    "dunning.after_last": {
        "cancel": ("The subscription ends", ""),
        "unpaid": ("Nothing more is billed", "Until the newest invoice is paid."),
        "past_due": ("Billing goes on", ""),
    },
    "events.endpoints[].types": {
        "billing_portal.session.created": ("billing_portal.session.created", "Your back end opened the portal for a customer."),
        "billing_portal.configuration.created": ("billing_portal.configuration.created", ""),
        "billing_portal.configuration.updated": ("billing_portal.configuration.updated", ""),
        "customer.updated": ("customer.updated", "A name, an address, a phone number, a tax number or the default payment method."),
        "customer.subscription.created": ("customer.subscription.created", ""),
        "customer.subscription.updated": ("customer.subscription.updated", "A plan, a quantity, a status, a pause, or that it will end."),
        "customer.subscription.deleted": ("customer.subscription.deleted", "It has ended."),
        "invoice.created": ("invoice.created", ""),
        "invoice.finalized": ("invoice.finalized", ""),
        "invoice.paid": ("invoice.paid", ""),
        "invoice.payment_failed": ("invoice.payment_failed", ""),
        "invoice.payment_action_required": ("invoice.payment_action_required", "The bank wants the payment confirmed."),
        "invoice.voided": ("invoice.voided", ""),
        "invoice.marked_uncollectible": ("invoice.marked_uncollectible", ""),
        "payment_method.attached": ("payment_method.attached", ""),
        "payment_method.detached": ("payment_method.detached", ""),
    },
    "mail.renewal_reminder_days": {
        "7": ("7 days", ""),
        "15": ("15 days", ""),
        "30": ("30 days", ""),
        "45": ("45 days", ""),
    },
    "mail.optional": {
        "renewal_reminder": ("Renewal reminder", "Some laws and card networks want it sent, such as California's."),
        "card_expiring": ("Card expiring", ""),
    },
    "shape.style": {
        "rounded": ("Rounded", "Calm."),
        "sharp": ("Sharp", "Technical."),
        "pill": ("Pill", "Soft."),
    },
    "mode.default": {
        "light": ("Light", ""),
        "dark": ("Dark", ""),
        "auto": ("As the visitor prefers", "Light or dark by the setting of the browser."),
    },
    "type.font[].style": {
        "normal": ("Upright", ""),
        "italic": ("Italic", ""),
    },
}  # fmt: skip
"""Label and sentence of each value, by the key in the reference."""


def label(control: Control) -> str:
    if control.path in LABELS:
        return LABELS[control.path]
    if control.kind == "switch" and (said := _whether(control.about)):
        return said[0]
    if control.declared.endswith("reasons_text"):
        return _REASONS[control.path.rpartition(".")[2]][0]
    return control.label


def hint(control: Control) -> str:
    """The sentence of the declaration, without what the label says already."""
    if control.declared.endswith("reasons_text"):
        return ""
    said = _whether(control.about) if control.kind == "switch" and control.path not in LABELS else None
    text = sentence(plain(control, said[1] if said else control.about))
    return "" if text.lower().removeprefix("the ").rstrip(".") == label(control).lower() else text


def plain(control: Control, text: str) -> str:
    """A sentence of a declaration with the labels of its pages in place of the names of keys and values."""
    table = control.declared.rpartition(".")[0]
    own = MEANINGS.get(control.declared, {})
    beside = {
        value: each[0]
        for key, among in MEANINGS.items()
        if key.startswith(f"{table}.")
        for value, each in among.items()
    }

    def labeled(found: re.Match[str]) -> str:
        word = found[1]
        known = LABELS.get(f"{table}.{word}") or LABELS.get(word) or FEATURES.get(word)
        if word.startswith("business."):
            return f"“{word.rpartition('.')[2].replace('_', ' ').capitalize()}”"
        value = own.get(word, ("",))[0] or beside.get(word, "")
        return f"“{known or value}”" if known or value else found[0]

    return re.sub("`([^`]+)`", labeled, text)


def _whether(about: str) -> tuple[str, str] | None:
    """`whether customers may cancel; …` as what is so where the switch is on, and the rest."""
    if not about.startswith("whether "):
        return None
    first, _, rest = about.removeprefix("whether ").partition(";")
    return first[:1].upper() + first[1:], rest.strip()


def sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if re.search('[.?!:]$', text) else '.'}" if text else ""


def value_label(control: Control, value: str) -> tuple[str, str]:
    """The label of a value that can be chosen, and its sentence."""
    said = MEANINGS.get(control.declared, {}).get(value)
    return said or (value.replace("_", " "), "")
