"""An authorization server by Authlib and a resource behind it, on a free port, whose address is the only line it prints.

A client says in its id which way of authentication it has to use at /token: `basic-...` or `post-...`. Tokens are good for an hour.
/expire and /revoke put an end to those of a client, and /issued tells how many there were.
"""

import os
import secrets
import threading
import time

# The peer is on this machine.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from flask import Flask, jsonify, request
from waitress import create_server

# Authlib does not decode what Basic credentials have of the encoding of forms (RFC 6749, 2.3.1), so that these have nothing to encode.
SECRETS = {"basic": "s3cret-._~", "post": "s3cret &+/% more"}
LIFETIME = 3600


class Client(ClientMixin):
    def __init__(self, client_id):
        self.client_id = client_id
        self.way = client_id.split("-")[0]

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return " ".join(name for name in (scope or "").split() if name in ("read", "write"))

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(SECRETS[self.way], client_secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return endpoint == "token" and method == f"client_secret_{self.way}"

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"


class Token(TokenMixin):
    def __init__(self, client, issued):
        self.client = client
        self.issued = issued
        self.expires = time.time() + LIFETIME
        self.revoked = False

    def check_client(self, client):
        return self.client.client_id == client.client_id

    def get_scope(self):
        return self.issued.get("scope", "")

    def get_expires_in(self):
        return self.issued["expires_in"]

    def is_expired(self):
        return time.time() >= self.expires

    def is_revoked(self):
        return self.revoked

    def get_client(self):
        return self.client

    def get_user(self):
        return None


class Validator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return tokens.get(token_string)


class ClientCredentials(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


tokens = {}
lock = threading.Lock()


def save_token(issued, oauth_request):
    with lock:
        tokens[issued["access_token"]] = Token(oauth_request.client, issued)


app = Flask(__name__)
app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"client_credentials": LIFETIME}
authorization = AuthorizationServer(app, query_client=Client, save_token=save_token)
authorization.register_grant(ClientCredentials)
require_token = ResourceProtector()
require_token.register_token_validator(Validator())


def tokens_of(client_id):
    with lock:
        return [token for token in tokens.values() if token.client.client_id == client_id]


@app.post("/token")
def token():
    return authorization.create_token_response()


@app.route("/resource", methods=["GET", "POST"])
@require_token("read")
def resource():
    return jsonify(client=current_token.client.client_id, scope=current_token.get_scope(), body=request.get_data(as_text=True))


@app.post("/expire/<client_id>")
def expire(client_id):
    for token in tokens_of(client_id):
        token.expires = 0
    return ""


@app.post("/revoke/<client_id>")
def revoke(client_id):
    for token in tokens_of(client_id):
        token.revoked = True
    return ""


@app.get("/issued/<client_id>")
def issued(client_id):
    return jsonify(len(tokens_of(client_id)))


server = create_server(app, host="127.0.0.1", port=0, threads=16)
print(f"127.0.0.1:{server.effective_port}", flush=True)
server.run()
