"""What a host that does not read `_headers` and `_redirects` needs in their place, made from these two files.

| host | what is written |
|---|---|
| `netlify` | nothing more: it reads the two files |
| `cloudflare` | `_worker.js` and `_routes.json`: the worker passes requests on; `_headers` holds for the files |
| `vercel` | `vercel.json` |
| `cloudfront` | `_host/<site>.cloudfront.json`: a CloudFormation template of the distribution, its function and its headers |
| `nginx` | `_host/<site>.nginx.conf`, to be included in `http { }` |
| `caddy` | `_host/<site>.Caddyfile`, to be imported |

Dynamic answers bring their own headers; those of files are never put on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from server.publishing import cloudfront
from server.publishing.sites import ASIDE, PORTS, Site, as_json
from server.web import policy

AT_ROOT = ("_worker.js", "_routes.json", "vercel.json")
"""What some host wants beside the pages; everything else is written into `ASIDE`."""


def files(site: Site, host: str) -> Mapping[str, str]:
    """What this host needs, by the path below `dist/` or, for what is in `AT_ROOT`, below the site's folder. Raises `Unfit`."""
    return _WRITERS[host](site)


def aside(name: str) -> list[str]:
    """Every path in `ASIDE` that any host has written for the site of this name."""
    return [f"{ASIDE}/{name}.{ending}" for ending in ("cloudfront.json", "nginx.conf", "Caddyfile")]


def _nothing(_: Site) -> Mapping[str, str]:
    return {}


# --- Cloudflare Pages ------------------------------------------------------------------------------------------------

_WORKER = """\
// Passes what is no file on to the server; everything else is answered from the files, with the headers of _headers.
const PASSED = %s;
const MISSING = %s;

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const fits = ([path]) => path.endsWith("*") ? url.pathname.startsWith(path.slice(0, -1)) : url.pathname === path;
    const passed = PASSED.find(fits);
    if (passed) {
      const [path, to] = passed;
      const onward = new Request(to.replace(":splat", url.pathname.slice(path.length - 1)) + url.search, request);
      onward.headers.set("X-Forwarded-For", request.headers.get("CF-Connecting-IP") || "");
      return fetch(onward, { redirect: "manual" });
    }
    const answer = await env.ASSETS.fetch(request);
    if (answer.status !== 404) return answer;
    const page = await env.ASSETS.fetch(new URL(MISSING.find(fits)[1].replace(/index\\.html$/, ""), url));
    return new Response(page.body, { status: 404, headers: page.headers });
  },
};
"""


def _cloudflare(site: Site) -> Mapping[str, str]:
    worker = _WORKER % (as_json(site.passed), as_json(site.missing))
    gone = [path for path, _ in site.missing if path.endswith("/p/login/*")]
    routes = {"version": 1, "include": [*(path for path, _ in site.passed), *gone], "exclude": []}
    return {"_worker.js": worker, "_routes.json": as_json(routes) + "\n"}


# --- Vercel ----------------------------------------------------------------------------------------------------------


def _vercel(site: Site) -> Mapping[str, str]:
    routes: list[dict[str, object]] = [
        {"src": _regex(path), "dest": to.replace(":splat", "$1")} for path, to in site.passed
    ]  # first, so that no header of a file comes to a dynamic answer
    routes += [{"src": _regex(path), "headers": given, "continue": True} for path, given in site.headers]
    routes += [{"handle": "filesystem"}]
    routes += [{"src": _regex(path), "dest": to, "status": 404} for path, to in site.missing]
    return {"vercel.json": as_json({"routes": routes}) + "\n"}


def _regex(path: str) -> str:
    """`*` at the end, as a group."""
    return f"^{re.escape(path[:-1])}(.*)$" if path.endswith("*") else f"^{re.escape(path)}$"


# --- nginx -----------------------------------------------------------------------------------------------------------


def _nginx(site: Site) -> Mapping[str, str]:
    server = urlsplit(site.server)
    upstream = "postern_" + re.sub("[^a-z0-9]", "_", site.name)
    onward = [f"        proxy_pass {server.scheme}://{upstream}{site.before}$request_uri;", *_ONWARD]
    if server.scheme == "https":
        onward += [f"        proxy_ssl_name {server.hostname};", "        proxy_ssl_server_name on;"]
    lines = [
        "# Made by `build.py build --for nginx`, again with each build. In http { }: include …/*.nginx.conf;",
        f"upstream {upstream} {{",
        f"    server {server.hostname}:{server.port or PORTS[server.scheme]};",
        "    keepalive 16;",
        "}",
        "server {",
        "    listen 80;  # behind what ends TLS; otherwise 443 ssl, with your certificate",
        f"    server_name {urlsplit(f'//{site.domain}').hostname or '_'};",
        f"    root {_quoted(str(site.root))};",
        "    index index.html;",
        "    charset utf-8;",
        "    absolute_redirect off;",
        "    server_tokens off;",
        "    gzip on;",
        "    gzip_vary on;",
        "    gzip_types text/css text/javascript application/javascript image/svg+xml application/manifest+json text/plain;",
    ]
    for path, _ in site.passed:
        lines += [f"    location {'^~' if path.endswith('*') else '='} {path.removesuffix('*')} {{", *onward, "    }"]
    for path, headers in site.kept:
        lines += [
            f"    location ^~ {path.removesuffix('*')} {{",
            *_added(headers),
            "        try_files $uri =404;",
            "    }",
        ]
    for path, page, headers in site.parts:
        lines += [f"    location {path} {{", *_added(headers), f"        error_page 404 {page};", "    }"]
    return {f"{ASIDE}/{site.name}.nginx.conf": "\n".join([*lines, *_no_files(site), "}"]) + "\n"}


_ONWARD = (
    "        proxy_http_version 1.1;",
    '        proxy_set_header Connection "";',
    "        proxy_set_header Host $http_host;",
    "        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
)


def _no_files(site: Site) -> list[str]:
    """What is in the folders and is no page, and what is in none."""
    answers = {f"= {base}": f"308 {base}/" for base in filter(None, site.brands)}
    answers |= {f"= {base}/{name}": "404" for base in {"", *site.brands} for name in ("_headers", "_redirects")}
    if "" not in site.brands:
        answers["/"] = "404"
    bare = _added(policy.bare(secure=site.is_secure))
    return [
        line
        for where, answer in sorted(answers.items())
        for line in (f"    location {where} {{", *bare, f"        return {answer};", "    }")
    ]


def _added(headers: Mapping[str, str]) -> list[str]:
    return [f"        add_header {key} {_quoted(value)} always;" for key, value in headers.items()]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- Caddy -----------------------------------------------------------------------------------------------------------


_CADDY_FOLDERS = [
    "\t# file_server adds the slash of a folder by itself, but drops the query (seen in 2.6.2).",
    "\t@folder {",
    "\t\tnot path */",
    "\t\tfile {path}/index.html",
    '\t\texpression {query} != "" && !{path}.startsWith("//")',  # that would be another host's address
    "\t}",
    "\tredir @folder {path}/?{query} 308",
]


def _caddy(site: Site) -> Mapping[str, str]:
    lines = [
        "# Made by `build.py build --for caddy`, again with each build. In the Caddyfile: import …/*.Caddyfile",
        f"{site.domain or ':80'} {{",
        f"\troot * {_quoted(str(site.root))}",
        "\tencode gzip",
    ]
    for base in filter(None, site.brands):
        lines += [f"\tredir {base} {base}/ 308"]
    lines += _CADDY_FOLDERS
    for path, _ in site.passed:
        rewrite = [f"\t\trewrite * {site.before}{{uri}}"] if site.before else []
        lines += [
            f"\thandle {path} {{",
            *rewrite,
            f"\t\treverse_proxy {site.server} {{",
            "\t\t\theader_down -Server",
            "\t\t}",
            "\t}",
        ]
    for path, headers in [*site.kept, *((f"{begins}*", headers) for begins, _, headers in site.parts)]:
        file_server = ["\t\tfile_server {", f"\t\t\thide _headers _redirects {ASIDE}", "\t\t}"]
        lines += [f"\thandle {path} {{", *_set(headers), *file_server, "\t}"]
    if "" not in site.brands:
        lines += ["\thandle {", *_set(policy.bare(secure=site.is_secure)), "\t\trespond 404", "\t}"]
    lines += ["\thandle_errors {"]
    for begins, page, headers in site.parts:
        lines += [f"\t\thandle {begins}* {{", *_set(headers), f"\t\t\trewrite * {page}", "\t\t\tfile_server", "\t\t}"]
    return {f"{ASIDE}/{site.name}.Caddyfile": "\n".join([*lines, "\t}", "}"]) + "\n"}


def _set(headers: Mapping[str, str]) -> list[str]:
    return ["\t\theader {", *(f"\t\t\t{key} {_quoted(value)}" for key, value in headers.items()), "\t\t}"]


_WRITERS: Mapping[str, Callable[[Site], Mapping[str, str]]] = {
    "netlify": _nothing,
    "cloudflare": _cloudflare,
    "vercel": _vercel,
    "cloudfront": cloudfront.template,
    "nginx": _nginx,
    "caddy": _caddy,
}
HOSTS = tuple(_WRITERS)
