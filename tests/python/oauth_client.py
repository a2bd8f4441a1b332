"""A channel guarded by OAuth 1.0, called with what oauthlib signs."""

import os
import time

import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT, Client

ADDRESS = os.environ['ZATO_ADDRESS']
KEY = os.environ['ZATO_CONSUMER_KEY']
SECRET = os.environ['ZATO_CONSUMER_SECRET']
METHOD = os.environ['ZATO_SIGNATURE_METHOD']
PATH = os.environ['ZATO_PATH']

FORM = 'application/x-www-form-urlencoded'


def sign(path=PATH, secret=SECRET, method=METHOD, verb='POST', body=None, content_type=None, **options):
    client = Client(KEY, client_secret=secret, signature_method=method, **options)
    headers = {'Content-Type': content_type} if content_type else {}
    uri, headers, body = client.sign(ADDRESS + path, http_method=verb, body=body, headers=headers)
    return requests.Request(verb, uri, headers=headers, data=body).prepare()


def send(request):
    with requests.Session() as session:
        return session.send(request).status_code


def check(expected, *requests_):
    for request in requests_:
        status = send(request)
        assert status == expected, (status, expected, request.method, request.url, request.headers, request.body)


check(
    200,
    sign(),
    sign(verb='GET'),
    sign(path=PATH + '?b=%20x&a=1&a=&%C5%BC=%26%3D'),
    sign(body='a=1&b=2+3&a=%C3%B3', content_type=FORM),
    sign(body='a=1', content_type=FORM, path=PATH + '?a=0'),
    sign(realm='people'),
)

# Whatever a signature says of another request, another secret or another method.
check(401, sign(secret=SECRET + 'x'), sign(timestamp=str(int(time.time()) - 400)))
others = {SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT} - {METHOD}
check(401, *(sign(method=other) for other in others))
if METHOD != SIGNATURE_PLAINTEXT:
    request = sign(path=PATH + '?a=1')
    request.url = request.url.replace('a=1', 'a=2')
    check(401, request)
    request = sign(body='a=1', content_type=FORM)
    request.body = 'a=2'
    check(401, request)

# Once is enough.
request = sign()
check(200, request)
check(401, request)
