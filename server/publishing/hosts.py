"""What a host that does not read `_headers` and `_redirects` needs in their place, made from these two files.

| host | what is written |
|---|---|
| `netlify` | nothing more: it reads the two files |
| `cloudflare` | `_worker.js` and `_routes.json`: the worker passes requests on; `_headers` holds for the files |
| `vercel` | `vercel.json` |
| `cloudfront` | `_host/<site>.cloudfront.json`: a CloudFormation template of the distribution, its function and its headers |
| `nginx` | `_host/<site>.nginx.conf`, to be included in `http { }` |
| `caddy` | `_host/<site>.Caddyfile`, to be imported |

A site is the root of one domain: `dist/<brand>/` of a brand with its own domain, `dist/` for all the others. Dynamic
answers bring their own headers; those of files are never put on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from server.web import policy

HOSTS = ("netlify", "cloudflare", "vercel", "cloudfront", "nginx", "caddy")
ASIDE = "_host"
_PORTS = {"https": 443, "http": 80}


class Unfit(Exception):
    """This host cannot serve such a site; the message says why."""


class Site(msgspec.Struct, frozen=True):
    """What the two files say."""

    name: str
    """Of the brand, or `portal` for the brands that share a domain."""
    domain: str
    """Host and port; empty: not known."""
    root: Path
    headers: tuple[tuple[str, dict[str, str]], ...]
    """Path, with `*` at its end for whatever follows, and what is put on a file there."""
    passed: tuple[tuple[str, str], ...]
    """Path, as above, and the URL on the server whose answer it is, with `:splat` for what the `*` stood for."""
    missing: tuple[tuple[str, str], ...]
    """Path and the page that is shown with 404 where it is no file; the first that fits counts."""

    @property
    def server(self) -> str:
        """The server's origin."""
        to = urlsplit(self.passed[0][1])
        return f"{to.scheme}://{to.netloc}"

    @property
    def before(self) -> str:
        """What the server has in front of each path of this site: `/<brand>` for a brand with its own domain."""
        path, to = self.passed[0]
        return to.removeprefix(self.server).removesuffix(":splat").removesuffix(path.removesuffix("*"))

    def headers_of(self, path: str) -> dict[str, str]:
        """What a file at this path is served with."""
        fitting = [given for pattern, given in self.headers if fits(pattern, path)]
        return {key: value for given in fitting for key, value in given.items()}

    @property
    def parts(self) -> list[tuple[str, str, dict[str, str]]]:
        """Where each folder of pages begins, with the page for what is missing there and the headers of its pages."""
        return [
            (path.removesuffix("*"), page, self.headers_of(page.removesuffix("index.html")))
            for path, page in self.missing
        ]

    @property
    def brands(self) -> list[str]:
        """The paths of the brands' folders, without the slash at the end; of a brand's own domain: the empty path."""
        return [path.removesuffix("/*") for path, _ in self.missing if not path.endswith("/p/login/*")]

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https."""
        return all("Strict-Transport-Security" in headers for _, _, headers in self.parts)

    @property
    def pages(self) -> list[str]:
        """The path of each page."""
        return [path for path, _ in self.headers if not path.endswith("*")]

    @property
    def kept(self) -> list[tuple[str, dict[str, str]]]:
        """The folders whose files have other headers than the pages, with those."""
        return [(path, self.headers_of(path)) for path, _ in self.headers if path.endswith("/static/*")]


def fits(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def read(name: str, domain: str, root: Path, headers: str, redirects: str) -> Site:
    """The two files of a build that knows its server."""
    rules: list[tuple[str, dict[str, str]]] = []
    for line in headers.splitlines():
        if line.startswith("/"):
            rules.append((line.strip(), {}))
        elif line.strip() and not line.startswith("#"):
            key, _, value = line.strip().partition(": ")
            rules[-1][1][key] = value
    moves = [line.split() for line in redirects.splitlines() if line.startswith("/")]
    passed = tuple((path, to) for path, to, status in moves if status == "200")
    missing = tuple((path, to) for path, to, status in moves if status == "404")
    return Site(name, domain, root, tuple(rules), passed, missing)


def files(site: Site, host: str) -> Mapping[str, str]:
    """What this host needs, by the path below `dist/` or, for what must be at the root, below the site's folder."""
    return _WRITERS[host](site)


def written(name: str) -> list[str]:
    """Every path that any host has written for the site of this name."""
    aside = [f"{ASIDE}/{name}.{ending}" for ending in ("cloudfront.json", "nginx.conf", "Caddyfile")]
    return ["_worker.js", "_routes.json", "vercel.json", *aside]


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
    worker = _WORKER % (_json(site.passed), _json(site.missing))
    gone = [path for path, _ in site.missing if path.endswith("/p/login/*")]
    routes = {"version": 1, "include": [*(path for path, _ in site.passed), *gone], "exclude": []}
    return {"_worker.js": worker, "_routes.json": _json(routes) + "\n"}


# --- Vercel ----------------------------------------------------------------------------------------------------------


def _vercel(site: Site) -> Mapping[str, str]:
    routes: list[dict[str, object]] = [
        {"src": _regex(path), "dest": to.replace(":splat", "$1")} for path, to in site.passed
    ]  # first, so that no header of a file comes to a dynamic answer
    routes += [{"src": _regex(path), "headers": given, "continue": True} for path, given in site.headers]
    routes += [{"handle": "filesystem"}]
    routes += [{"src": _regex(path), "dest": to, "status": 404} for path, to in site.missing]
    return {"vercel.json": _json({"routes": routes}) + "\n"}


def _regex(path: str) -> str:
    """`*` at the end, as a group."""
    return f"^{re.escape(path[:-1])}(.*)$" if path.endswith("*") else f"^{re.escape(path)}$"


# --- CloudFront ------------------------------------------------------------------------------------------------------

_FUNCTION = """\
// Which file a path is; what is none is a page for 404. The distribution runs it before and after each file.
var PAGES = %s;
var FOLDERS = %s;
var MISSING = %s;

function fits(pattern, path) {
  return pattern.slice(-1) === "*" ? path.indexOf(pattern.slice(0, -1)) === 0 : path === pattern;
}

function handler(event) {
  var request = event.request, path = request.uri, known = false, i;
  if (event.context.eventType === "viewer-response") {
    for (i = 0; i < MISSING.length; i++)
      if (path === MISSING[i][1]) { event.response.statusCode = 404; event.response.statusDescription = "Not Found"; }
    return event.response;
  }
  for (i = 0; i < FOLDERS.length; i++) known = known || fits(FOLDERS[i], path);
  if (!known && PAGES.indexOf(path + "/") >= 0)
    return { statusCode: 308, statusDescription: "Permanent Redirect", headers: { location: { value: path + "/" } } };
  if (!known && PAGES.indexOf(path) < 0) {
    for (i = 0; i < MISSING.length && !fits(MISSING[i][0], path); i++);
    request.uri = MISSING[i][1];
  } else if (path.slice(-1) === "/") request.uri = path + "index.html";
  return request;
}
"""
_OPTIMIZED, _NOT_CACHED = "658327ea-f89d-4fab-a63d-7e88639e58f6", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
"""Cache and origin request policies that Amazon keeps: what a file is cached by, nothing, everything that came."""
_SECURITY_HEADERS: Mapping[str, tuple[str, Callable[[str], dict[str, object]]]] = {
    "Content-Security-Policy": ("ContentSecurityPolicy", lambda value: {"ContentSecurityPolicy": value}),
    "X-Content-Type-Options": ("ContentTypeOptions", lambda _: {}),
    "X-Frame-Options": ("FrameOptions", lambda value: {"FrameOption": value}),
    "Referrer-Policy": ("ReferrerPolicy", lambda value: {"ReferrerPolicy": value}),
    "Strict-Transport-Security": (
        "StrictTransportSecurity",
        lambda value: {
            "AccessControlMaxAgeSec": int(value.partition("=")[2].partition(";")[0]),
            "IncludeSubdomains": True,
        },
    ),
}


def _cloudfront(site: Site) -> Mapping[str, str]:
    if site.brands != [""]:
        raise Unfit(
            "CloudFront: a distribution is one domain and takes 25 paths; give each brand its own domain ([site] url)"
        )
    function = _FUNCTION % tuple(map(_json, (site.pages, [path for path, _ in site.kept], site.missing)))
    name = re.sub("[^a-zA-Z0-9]", "-", site.name)
    access = {
        "Name": f"postern-{name}",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Access": {"Type": "AWS::CloudFront::OriginAccessControl", "Properties": {"OriginAccessControlConfig": access}},
        "Readable": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": _READABLE}},
        "Pages": _policy(f"postern-{name}-pages", site.parts[-1][2]),
        "Kept": _policy(f"postern-{name}-kept", site.kept[0][1]),
        "Function": {"Type": "AWS::CloudFront::Function", "Properties": {
            "Name": f"postern-{name}", "AutoPublish": True, "FunctionCode": function,
            "FunctionConfig": {"Comment": "Which file a path is", "Runtime": "cloudfront-js-2.0"}}},
        "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": _distribution(site)}},
    }  # fmt: skip
    certificate = {"Type": "String", "Description": f"The ARN of a certificate for {site.domain}, in us-east-1"}
    parameters = {"Certificate": certificate}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": resources}
    return {f"{ASIDE}/{site.name}.cloudfront.json": _json(template) + "\n"}


def _distribution(site: Site) -> dict[str, object]:
    """Files and server behind one domain."""
    static = {"TargetOriginId": "files", "ViewerProtocolPolicy": "redirect-to-https", "Compress": True}
    static |= {"CachePolicyId": _OPTIMIZED, "FunctionAssociations": [
        {"EventType": event, "FunctionARN": {"Fn::GetAtt": ["Function", "FunctionMetadata.FunctionARN"]}}
        for event in ("viewer-request", "viewer-response")
    ]}  # fmt: skip
    every = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
    dynamic = {"TargetOriginId": "server", "ViewerProtocolPolicy": "redirect-to-https", "Compress": True}
    dynamic |= {"CachePolicyId": _NOT_CACHED, "OriginRequestPolicyId": _ALL_VIEWER, "AllowedMethods": every}
    server = urlsplit(site.server)
    return {
        "Enabled": True,
        "HttpVersion": "http2and3",
        "Aliases": [site.domain],
        "ViewerCertificate": {"AcmCertificateArn": {"Ref": "Certificate"}, "SslSupportMethod": "sni-only",
                              "MinimumProtocolVersion": "TLSv1.2_2021"},
        "Origins": [
            {"Id": "files", "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}, "S3OriginConfig": {},
             "OriginAccessControlId": {"Ref": "Access"}},
            {"Id": "server", "DomainName": server.hostname, "OriginPath": site.before,
             "CustomOriginConfig": {"OriginProtocolPolicy": f"{server.scheme}-only",
                                    f"{server.scheme.upper()}Port": server.port or _PORTS[server.scheme]}},
        ],
        "DefaultCacheBehavior": {**static, "ResponseHeadersPolicyId": {"Ref": "Pages"}},
        "CacheBehaviors": [
            *({"PathPattern": path, **dynamic} for path, _ in site.passed),
            *({"PathPattern": path, **static, "ResponseHeadersPolicyId": {"Ref": "Kept"}} for path, _ in site.kept),
        ],
    }  # fmt: skip


_READABLE = {
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
        "Condition": {"StringEquals": {
            "AWS:SourceArn": {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"}}},
    }],
}  # fmt: skip


def _policy(name: str, headers: Mapping[str, str]) -> dict[str, object]:
    security = {_SECURITY_HEADERS[key][0]: {"Override": True, **_SECURITY_HEADERS[key][1](value)}
                for key, value in headers.items() if key in _SECURITY_HEADERS}  # fmt: skip
    others = [
        {"Header": key, "Value": value, "Override": True}
        for key, value in headers.items()
        if key not in _SECURITY_HEADERS
    ]
    config = {"Name": name, "SecurityHeadersConfig": security, "CustomHeadersConfig": {"Items": others}}
    return {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": {"ResponseHeadersPolicyConfig": config}}


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
        f"    server {server.hostname}:{server.port or _PORTS[server.scheme]};",
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


def _caddy(site: Site) -> Mapping[str, str]:
    lines = [
        "# Made by `build.py build --for caddy`, again with each build. In the Caddyfile: import …/*.Caddyfile",
        f"{site.domain or ':80'} {{",
        f"\troot * {_quoted(str(site.root))}",
        "\tencode gzip",
    ]
    for base in filter(None, site.brands):
        lines += [f"\tredir {base} {base}/ 308"]
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


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


_WRITERS: Mapping[str, Callable[[Site], Mapping[str, str]]] = {
    "netlify": _nothing,
    "cloudflare": _cloudflare,
    "vercel": _vercel,
    "cloudfront": _cloudfront,
    "nginx": _nginx,
    "caddy": _caddy,
}
