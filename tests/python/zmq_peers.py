"""ZeroMQ sockets of libzmq on the other side of channels and outgoing connections."""

import os
import time

import requests
import zmq

ADDRESS = os.environ['ZATO_ADDRESS']
AUTH = ('pubapi', os.environ['ZATO_PUBAPI_PASSWORD'])


def call(service, /, **request):
    response = requests.post(f'{ADDRESS}/zato/json/{service}', json=request, auth=AUTH, timeout=30)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body['zato_env']['result'] == 'ZATO_OK', body
    return body.get(service.replace('.', '_').replace('-', '_') + '_response')


def bind(kind):
    socket = context.socket(kind)
    socket.setsockopt(zmq.RCVTIMEO, 30_000)
    port = socket.bind_to_random_port('tcp://127.0.0.1')
    return socket, f'tcp://127.0.0.1:{port}'


def status():
    return call('zato.channel.zmq.get-list', cluster_id=1)[0]['status']


def eventually(ask):
    deadline = time.monotonic() + 30
    while not ask():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def usage(service):
    services = call('zato.service.get-by-name', cluster_id=1, name=service)
    return int(services['usage'])


context = zmq.Context()

# A service that sends.
pull, address = bind(zmq.PULL)
outgoing = {'cluster_id': 1, 'name': 'Announcements', 'is_active': True, 'address': address, 'socket_type': 'PUSH'}
outgoing['id'] = call('zato.outgoing.zmq.create', **outgoing)['id']
call('zato.http-soap.create', cluster_id=1, name='Announce', is_active=True, connection='channel',
     transport='plain_http', is_internal=False, url_path='/announce', service='orders.announce', data_format='json')
order = {'id': 1, 'item': 'a book'}
assert requests.post(f'{ADDRESS}/announce', json=order, timeout=30).status_code == 200
assert pull.recv_json() == order

# Another address is in effect at once, and so is inactivity.
other, address = bind(zmq.PULL)
call('zato.outgoing.zmq.edit', **{**outgoing, 'address': address})
assert requests.post(f'{ADDRESS}/announce', json=order, timeout=30).status_code == 200
assert other.recv_json() == order
call('zato.outgoing.zmq.edit', **{**outgoing, 'is_active': False})
assert requests.post(f'{ADDRESS}/announce', json=order, timeout=30).status_code >= 400

# A channel that pulls.
push, address = bind(zmq.PUSH)
service = 'zato.helpers.input-logger'
channel = {'cluster_id': 1, 'name': 'Prices', 'is_active': True, 'address': address, 'socket_type': 'PULL',
           'service': service, 'data_format': 'json'}
channel['id'] = call('zato.channel.zmq.create', **channel)['id']
push.send_json({'price': 1})
eventually(lambda: usage(service) == 1)
assert status() == 'connected', status()

# The same channel as a subscriber. The key that it was chosen by is no message.
publish, address = bind(zmq.XPUB)
call('zato.channel.zmq.edit', **{**channel, 'address': address, 'socket_type': 'SUB', 'sub_key': 'price.'})
assert publish.recv() == b'\x01price.'
publish.send_multipart([b'weather', b'"sun"'])
publish.send_multipart([b'price.eur', b'{"price": 2}'])
eventually(lambda: usage(service) == 2)

call('zato.channel.zmq.edit', **{**channel, 'is_active': False})
assert status() == 'inactive', status()
call('zato.channel.zmq.delete', id=channel['id'])
call('zato.outgoing.zmq.delete', id=outgoing['id'])
context.destroy(linger=0)
