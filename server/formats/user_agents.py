"""What a browser calls itself, as a word from our own lists: the visitor's text never reaches a mail or a page."""

# The first that fits: the later ones are named by the earlier ones' texts too.
_NAMES = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def family(user_agent: str) -> str:
    """Such as ``Firefox on Linux``; empty where nothing is known of it."""
    text = user_agent[:500]
    name = next((word for sign, word in _NAMES if sign in text), "")
    system = next((word for sign, word in _SYSTEMS if sign in text), "")
    return f"{name} on {system}" if name and system else name or system
