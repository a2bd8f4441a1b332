"""A SOAP client made of nothing but the server's WSDL: success, lists, dates of none, and a Fault."""

import os

import requests
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport

ADDRESS = os.environ['ZATO_ADDRESS']

# The description is public, so it is loaded without credentials.
session = requests.Session()
client = Client(ADDRESS + '/zato/wsdl', transport=Transport(session=session))
session.auth = ('pubapi', os.environ['ZATO_PUBAPI_PASSWORD'])


def operation(service):
    """The operation of a service, found by its SOAPAction: operation names are for people."""
    operations = client.service._binding._operations.values()
    name = next(operation.name for operation in operations if operation.soapaction == service)
    return client.service[name]


def items(reply):
    return reply.item_list.item


pong = operation('zato.ping')()
assert pong.item.pong == 'zato', pong
assert pong.zato_env.result == 'ZATO_OK' and pong.zato_env.cid.startswith('K'), pong

definitions = items(operation('zato.security.get-list')(cluster_id=1))
pubapi = next(definition for definition in definitions if definition.name == 'pubapi')
assert pubapi.is_active is True and isinstance(pubapi.id, int), pubapi
assert pubapi.realm == 'Zato public API', pubapi

users = operation('zato.security.basic-auth.get-list')
assert users(cluster_id=1)._meta is None
page = users(cluster_id=1, paginate=True, page_size=3, query='A')
assert [user.name for user in items(page)] == ['admin.invoke', 'pubapi', 'zato.ping.plain_http.basic_auth'], page
assert (page._meta.total, page._meta.has_next_page, page._meta.prev_page) == (4, True, None), page

create = operation('zato.security.basic-auth.create')
created = create(cluster_id=1, name='From <zeep> & co', is_active=True, username='zeep', realm='Zeep')
assert created.item.name == 'From <zeep> & co', created
try:
    create(cluster_id=1, name='From <zeep> & co', is_active=True, username='other', realm='Zeep')
except Fault as fault:
    assert fault.code == 'SOAP-ENV:Client', fault.code
    assert 'HTTP Basic Auth definition [From <zeep> & co] already exists' in fault.message, fault.message
else:
    raise AssertionError('a duplicate was accepted')

outgoing = {
    'cluster_id': 1, 'name': 'Zeep', 'is_active': True, 'connection': 'outgoing', 'transport': 'plain_http',
    'is_internal': False, 'url_path': '/zeep', 'host': 'http://peer.example',
}
operation('zato.http-soap.create')(**outgoing)
connections = items(operation('zato.http-soap.get-list')(cluster_id=1, connection='outgoing', transport='plain_http'))
assert [connection.name for connection in connections] == ['Zeep'], connections
assert connections[0].pool_size == 20 and connections[0].host == 'http://peer.example', connections[0]

# A service without output still answers with its element.
operation('zato.security.basic-auth.delete')(id=created.item.id)
remaining = items(operation('zato.security.basic-auth.get-list')(cluster_id=1))
assert created.item.id not in [definition.id for definition in remaining], remaining
