"""Checks the AWS signature of each request on a free port by computing it anew with botocore. Its address is the only line it prints.

A request that is signed as it has to be gets the status 200. Any other gets 403 and the canonical request that would have been right.
"""

import datetime
import hashlib
import hmac
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

# By the ids of access keys: the secret, and the session's token.
KEYS = {"AKIDLASTING": ("s3cret/+key", None), "ASIATEMPORARY": ("0ther s3cret", "a/session+token==")}
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)
UNSIGNED = "UNSIGNED-PAYLOAD"


class Refused(Exception):
    pass


def check(method, target, headers, body):
    """Raises `Refused` unless a server of AWS would accept the request."""
    match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not match:
        raise Refused("there is no signature")
    key, day, region, service, names, signature = match.groups()
    secret, token = KEYS[key]
    if headers.get("x-amz-security-token") != token:
        raise Refused("the session's token is another one")
    names = names.split(";")
    wanted = [name for name in headers if name in ("host", "content-type") or name.startswith("x-amz-")]
    if sorted(wanted) != names:
        raise Refused(f"{names} are signed instead of {sorted(wanted)}")
    moment = headers["x-amz-date"]
    signed_at = datetime.datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs(datetime.datetime.now(datetime.timezone.utc) - signed_at) > datetime.timedelta(minutes=5) or moment[:8] != day:
        raise Refused(f"it was signed at {moment}")
    announced = headers.get("x-amz-content-sha256")
    if announced not in (None, UNSIGNED, hashlib.sha256(body).hexdigest()):
        raise Refused("the body has another hash")
    if service == "s3" and announced is None:
        raise Refused("S3 wants the hash of the body in a header")

    url = f"http://{headers['host']}{target}"
    request = AWSRequest(method, url, {name: headers[name] for name in names}, body)
    request.context["timestamp"] = moment
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key, secret, token), service, region)
    canonical = signer.canonical_request(request)
    if not hmac.compare_digest(signature, signer.signature(signer.string_to_sign(request, canonical), request)):
        raise Refused(canonical)
    return UNSIGNED if announced == UNSIGNED else "signed"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def answer(self):
        # The path as it was sent; `self.path` has no slashes twice.
        target = self.requestline.split(" ")[1]
        headers = {name.lower(): ",".join(self.headers.get_all(name)) for name in self.headers}
        try:
            status, text = 200, check(self.command, target, headers, self.body())
        except Refused as refused:
            status, text = 403, str(refused)
        text = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PROPFIND = answer

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
