"""A channel guarded by a JWT definition, called with tokens that PyJWT signs."""

import os
import time

import jwt
import requests

ADDRESS = os.environ['ZATO_ADDRESS']
ALGORITHM = os.environ['ZATO_JWT_ALGORITHM']
KEY = os.environ['ZATO_JWT_KEY']

OTHERS = {
    'HS256': ('HS384', 'HS512'),
    'HS384': ('HS256', 'HS512'),
    'HS512': ('HS256', 'HS384'),
    'RS256': ('RS384', 'RS512', 'PS256'),
    'ES256': (),
}


def token(algorithm=ALGORITHM, key=KEY, without=(), **changes):
    claims = {'iss': 'https://idp.example.com', 'aud': 'orders', 'sub': 'ann', 'exp': int(time.time()) + 300}
    claims.update(changes)
    for name in without:
        del claims[name]
    return jwt.encode(claims, key, algorithm=algorithm)


def check(expected, *tokens):
    for value in tokens:
        headers = {'Authorization': 'Bearer ' + value}
        status = requests.get(ADDRESS + '/tokens', headers=headers, timeout=30).status_code
        assert status == expected, (status, expected, jwt.get_unverified_header(value), value)


now = int(time.time())
check(200, token(), token(aud=['crm', 'orders']), token(nbf=now - 10, iat=now), token(exp=now - 5))
check(
    401,
    token(exp=now - 60),
    token(without=['exp']),
    token(nbf=now + 120),
    token(iss='https://other.example.com'),
    token(without=['iss']),
    token(aud='crm'),
    token(without=['aud']),
    *(token(algorithm=other) for other in OTHERS[ALGORITHM]),
    jwt.encode({'iss': 'https://idp.example.com', 'aud': 'orders', 'exp': now + 300}, None, algorithm='none'),
)

# A token whose claims were changed has a signature of others.
header, claims, signature = token().split('.')
check(401, '.'.join([header, token(sub='bob').split('.')[1], signature]))

# Whoever knows the public key can't use it as a secret.
if not ALGORITHM.startswith('HS'):
    public = os.environ['ZATO_JWT_PUBLIC_KEY']
    import base64
    import hashlib
    import hmac

    encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b'=')
    forged = encode(b'{"alg":"HS256"}') + b'.' + claims.encode()
    signature = encode(hmac.new(public.encode(), forged, hashlib.sha256).digest())
    check(401, (forged + b'.' + signature).decode())
