"""A bucket on loopback that checks keys, signatures and policies: moto's server with its authentication on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

NAME, REGION = "pages", "eu-central-1"


class Moto:
    def __init__(self, endpoint: str, admin: Any, key_id: str, secret: str) -> None:
        self.endpoint, self._admin, self.key_id, self.secret = endpoint, admin, key_id, secret

    def files(self) -> dict[str, bytes]:
        """What is in the bucket, by key."""
        found = self._admin.list_objects_v2(Bucket=NAME).get("Contents", [])
        return {each["Key"]: self._admin.get_object(Bucket=NAME, Key=each["Key"])["Body"].read() for each in found}

    def hashes(self) -> dict[str, str]:
        """MD5 of what is in the bucket, by key: one request."""
        found = self._admin.list_objects_v2(Bucket=NAME).get("Contents", [])
        return {each["Key"]: each["ETag"].strip('"') for each in found}

    def headers(self, key: str) -> tuple[str, str]:
        found = self._admin.head_object(Bucket=NAME, Key=key)
        return found["ContentType"], found["CacheControl"]

    def count(self) -> int:
        """How many files there are."""
        return len(self._admin.list_objects_v2(Bucket=NAME).get("Contents", []))

    def clear(self) -> None:
        for key in self.files():
            self._admin.delete_object(Bucket=NAME, Key=key)


def _ask_for_keys(endpoint: str, after: str) -> None:
    """After so many requests from now, each must be signed with a key that may do it."""
    kind = {"Content-Type": "application/octet-stream"}
    httpx.post(f"{endpoint}/moto-api/reset-auth", content=after.encode(), headers=kind, timeout=60).raise_for_status()


@contextmanager
def running() -> Iterator[Moto]:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        _ask_for_keys(endpoint, after="inf")  # one that ran before in this process left its users, and asks already
        httpx.post(f"{endpoint}/moto-api/reset", timeout=60).raise_for_status()
        made = {"endpoint_url": endpoint, "region_name": REGION}
        nobody = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
        iam = boto3.client("iam", **made, **nobody)
        keys = []
        for user, actions in (("admin", "s3:*"), ("postern", ["s3:PutObject", "s3:DeleteObject"])):
            iam.create_user(UserName=user)
            allow = {"Effect": "Allow", "Action": actions, "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
            iam.put_user_policy(UserName=user, PolicyName="pages", PolicyDocument=policy)
            keys.append(iam.create_access_key(UserName=user)["AccessKey"])
        admin, own = keys
        s3 = boto3.client(
            "s3", **made, aws_access_key_id=admin["AccessKeyId"], aws_secret_access_key=admin["SecretAccessKey"]
        )
        s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
        _ask_for_keys(endpoint, after="0")
        yield Moto(endpoint, s3, own["AccessKeyId"], own["SecretAccessKey"])
    finally:
        server.stop()
