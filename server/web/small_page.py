"""The page of a refusal where no brand is known, or where the brand's own page cannot be made: a heading and a sentence.

It needs no template, no style and no script, so nothing that is broken elsewhere keeps it from being shown. A browser gets
it as a page; every other client gets the sentence alone.
"""

from __future__ import annotations

from html import escape

from server.web.client_address import Headers

_HEADINGS = {
    403: "This request was refused",
    404: "Page not found",
    405: "Page not found",
    429: "Too much at once",
    500: "Something went wrong on our side",
}
_PAGE = """\
<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{heading}</title>
</head>
<body>
<main>
<h1>{heading}</h1>
<p>{sentence}</p>
</main>
</body>
</html>
"""


def small_page(headers: Headers, status: int, sentence: str) -> tuple[bytes, bytes]:
    """The type and the body of the answer to a request with these `headers`; no body where there is nothing to say."""
    if not sentence or not opens_pages(headers):
        return b"text/plain; charset=utf-8", f"{sentence}\n".encode() if sentence else b""
    heading = _HEADINGS.get(status, "We could not read that request")
    return b"text/html; charset=utf-8", _PAGE.format(heading=heading, sentence=escape(sentence)).encode()


def opens_pages(headers: Headers) -> bool:
    """Whether the answer is shown to a person: the browser navigates. Browsers that do not say so ask for HTML."""
    named = {key.lower(): value for key, value in headers}
    if b"sec-fetch-dest" in named:
        return named[b"sec-fetch-dest"] == b"document"
    return b"text/html" in named.get(b"accept", b"")
