"""Performs the cases of a JSON file with requests, each in a session of its own.

Arguments: the file, the address of the recording server.
"""

import base64
import json
import sys

import requests
from requests.auth import AuthBase


class Bearer(AuthBase):
    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def body_of(case):
    """The arguments which stand for the case's body."""
    body = case.get("body", {})
    if "text" in body:
        return {"data": body["text"].encode()}
    if "base64" in body:
        return {"data": base64.b64decode(body["base64"])}
    if "json" in body:
        return {"json": body["json"]}
    if "form" in body:
        return {"data": [tuple(pair) for pair in body["form"]]}
    if "stream" in body:
        return {"data": (piece.encode() for piece in body["stream"])}
    if "multipart" in body:
        parts = []
        for part in body["multipart"]:
            described = (part.get("file_name"), part["content"])
            if "media_type" in part:
                described += (part["media_type"],)
            parts.append((part["name"], described))
        return {"files": parts}
    return {}


def auth_of(case):
    auth = case.get("auth", {})
    if "basic" in auth:
        username, password = auth["basic"]
        return username.encode(), password.encode()
    return Bearer(auth["bearer"]) if "bearer" in auth else None


def main(file, address):
    with open(file, encoding="utf-8") as cases:
        cases = json.load(cases)
    for index, case in enumerate(cases):
        with requests.Session() as session:
            session.trust_env = False
            headers = dict(case.get("headers", []), **{"X-Case": str(index)})
            for _ in range(case.get("times", 1)):
                session.request(
                    case["method"],
                    f"http://{address}{case['path']}",
                    params=[tuple(pair) for pair in case.get("params", [])],
                    headers=headers,
                    auth=auth_of(case),
                    allow_redirects=case["method"] != "HEAD",
                    timeout=10,
                    **body_of(case),
                )


main(*sys.argv[1:])
