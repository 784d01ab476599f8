"""CloudFront: a CloudFormation template with a bucket for the files, the distribution in front of it and of the server,
the function that knows which file a path is, and the headers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from server.publishing.sites import ASIDE, PORTS, Site, Unfit, as_json

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
  if (!known && PAGES.indexOf(path + "/") >= 0) {
    var asked = [], add = function (name) {
      var given = request.querystring[name];
      (given.multiValue || [given]).forEach(function (each) { asked.push(name + "=" + each.value); });
    };
    Object.keys(request.querystring).forEach(add);
    var location = { value: path + "/" + (asked.length ? "?" + asked.join("&") : "") };
    return { statusCode: 308, statusDescription: "Permanent Redirect", headers: { location: location } };
  }
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


def template(site: Site) -> Mapping[str, str]:
    """The file that holds it. Raises `Unfit`."""
    if site.brands != [""]:
        raise Unfit(
            "CloudFront: a distribution is one domain and takes 25 paths; give each brand its own domain ([site] url)"
        )
    function = _FUNCTION % tuple(map(as_json, (site.pages, [path for path, _ in site.kept], site.missing)))
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
    written = {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": resources}
    return {f"{ASIDE}/{site.name}.cloudfront.json": as_json(written) + "\n"}


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
                                    f"{server.scheme.upper()}Port": server.port or PORTS[server.scheme]}},
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
