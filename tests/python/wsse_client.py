"""A channel guarded by WS-Security, called with what zeep makes of a user name and a password."""

import os

import requests
from lxml import etree
from zeep import Client
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

ADDRESS = os.environ['ZATO_ADDRESS']
USERNAME = os.environ['ZATO_WSSE_USERNAME']
PASSWORD = os.environ['ZATO_WSSE_PASSWORD']


def ping(wsse):
    client = Client(ADDRESS + '/zato/wsdl', wsse=wsse)
    binding = client.service._binding
    name = next(item.name for item in binding._operations.values() if item.soapaction == 'zato.ping')
    return client.create_service(binding.name, ADDRESS + '/signed')[name]()


for token in (UsernameToken(USERNAME, PASSWORD), UsernameToken(USERNAME, PASSWORD, use_digest=True)):
    assert ping(token).item.pong == 'zato'

for token in (
    None,
    UsernameToken(USERNAME, 'wrong'),
    UsernameToken(USERNAME, 'wrong', use_digest=True),
    UsernameToken('nobody', PASSWORD),
):
    try:
        ping(token)
    except Fault as fault:
        assert PASSWORD not in fault.message, 'the right password is in the reply'
    else:
        raise AssertionError('a wrong token was accepted')

# A token is good for one call: what was sent once is refused when it is sent again.
client = Client(ADDRESS + '/zato/wsdl', wsse=UsernameToken(USERNAME, PASSWORD, use_digest=True))
binding = client.service._binding
name = next(item.name for item in binding._operations.values() if item.soapaction == 'zato.ping')
message = etree.tostring(client.create_message(client.create_service(binding.name, ADDRESS + '/signed'), name))
headers = {'SOAPAction': 'zato.ping', 'Content-Type': 'text/xml'}
statuses = [requests.post(ADDRESS + '/signed', data=message, headers=headers).status_code for _ in range(2)]
assert statuses == [200, 401], statuses
