"""The four clients of zato-client 3.2.1 against a running server: successes, lists and an error each."""

import os
import time

import stand_ins  # noqa: F401, puts unpublished imports of zato.client in place
from zato.client import APIClient, AnyServiceInvoker, JSONSIOClient, SOAPSIOClient, version

ADDRESS = os.environ['ZATO_ADDRESS']
PUBAPI = ('pubapi', os.environ['ZATO_PUBAPI_PASSWORD'])
ADMIN_INVOKE = ('admin.invoke', os.environ['ZATO_ADMIN_INVOKE_PASSWORD'])
MISSING = {'cluster_id': 1, 'name': 'no.such.service'}


def is_cid(text):
    return len(text) == 30 and text[0] == 'K' and text[1:].isdigit()


def json_sio_client():
    def client(service, auth=PUBAPI):
        return JSONSIOClient(ADDRESS, '/zato/json/' + service, auth)

    response = client('zato.ping').invoke()
    assert response.ok and response.has_data, response
    assert response.data == {'pong': 'zato'}, response.data
    assert response.details == '' and is_cid(response.cid), response

    user = {'cluster_id': 1, 'name': 'Zażółć', 'is_active': True, 'username': 'python', 'realm': 'Python'}
    created = client('zato.security.basic-auth.create').invoke(user)
    assert created.ok and created.data['name'] == 'Zażółć', created
    password = {'id': created.data['id'], 'password1': 'from-python', 'password2': 'from-python'}
    changed = client('zato.security.basic-auth.change-password').invoke(password)
    assert changed.ok and not changed.has_data, changed
    listed = client('zato.security.basic-auth.get-list').invoke({'cluster_id': 1})
    assert 'Zażółć' in [item['name'] for item in listed.data], listed.data

    page = client('zato.security.basic-auth.get-list').invoke({'cluster_id': 1, 'paginate': True, 'page_size': 1})
    assert [item['name'] for item in page.data] == ['Zażółć'], page.data

    refused = client('zato.security.basic-auth.create').invoke(user)
    assert not refused.ok and refused.sio_result == 'ZATO_ERROR', refused
    assert 'HTTP Basic Auth definition [Zażółć] already exists on this cluster' in refused.details, refused.details
    assert refused.inner.status_code == 409, refused
    wrong = client('zato.ping', ('pubapi', 'wrong')).invoke()
    assert not wrong.ok and wrong.inner.status_code == 401, wrong


def soap_sio_client():
    client = SOAPSIOClient(ADDRESS, '/zato/soap', PUBAPI)

    def request(service, content):
        element = service.replace('.', '_').replace('-', '_') + '_request'
        return (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:zato="https://zato.io/ns/v1"><soapenv:Body>'
            '<zato:{0}>{1}</zato:{0}></soapenv:Body></soapenv:Envelope>'.format(element, content)
        )

    response = client.invoke('zato.ping', request('zato.ping', ''))
    assert response.ok and response.has_data and is_cid(response.cid), response
    assert response.data.item.pong == 'zato', response
    listed = client.invoke(
        'zato.security.get-list', request('zato.security.get-list', '<zato:cluster_id>1</zato:cluster_id>'))
    assert 'pubapi' in [item.name for item in listed.data.item_list.item], listed

    missing = '<zato:cluster_id>1</zato:cluster_id><zato:name>no.such.service</zato:name>'
    refused = client.invoke('zato.service.get-by-name', request('zato.service.get-by-name', missing))
    assert not refused.ok, refused
    text = refused.details.find('faultstring').text
    assert 'no.such.service' in text and refused.cid in text, refused


def any_service_invoker():
    client = AnyServiceInvoker(ADDRESS, '/zato/admin/invoke', ADMIN_INVOKE)

    response = client.invoke('zato.ping')
    assert response.ok and response.data == {'pong': 'zato'} and is_cid(response.cid), response
    found = client.invoke('zato.service.get-by-name', {'cluster_id': 1, 'name': 'zato.ping2'})
    assert found.ok and found.data['name'] == 'zato.ping2', found
    by_id = client.invoke(id=found.data['id'])
    assert by_id.ok and by_id.data == {'pong': 'zato'}, by_id
    listed = client.invoke('zato.security.get-list', {'cluster_id': 1})
    assert listed.ok and 'pubapi' in [item['name'] for item in listed.data], listed

    usage = found.data['usage'] + 1
    sent = client.invoke_async('zato.ping2')
    assert sent.ok and is_cid(sent.data) and sent.data != sent.cid, sent
    deadline = time.monotonic() + 30
    while client.invoke('zato.service.get-by-name', {'cluster_id': 1, 'name': 'zato.ping2'}).data['usage'] <= usage:
        assert time.monotonic() < deadline, 'the asynchronous call never ran'

    refused = client.invoke('zato.service.get-by-name', MISSING)
    assert not refused.ok and 'no.such.service' in refused.details, refused
    unknown = client.invoke('no.such.service')
    assert not unknown.ok and 'no.such.service' in unknown.details, unknown
    wrong = AnyServiceInvoker(ADDRESS, '/zato/admin/invoke', PUBAPI).invoke('zato.ping')
    assert not wrong.ok and wrong.inner.status_code == 401, wrong


def api_client():
    client = APIClient(ADDRESS, *PUBAPI)

    for invoke in (client.invoke, client.get, client.post, client.put, client.patch, client.delete):
        response = invoke('zato.ping')
        assert response.is_ok and response.data == {'pong': 'zato'} and is_cid(response.cid), response.details
    found = client.invoke('zato.service.get-by-name', {'cluster_id': 1, 'name': 'zato.ping'})
    assert found.is_ok and found.data['name'] == 'zato.ping', found.details
    listed = client.invoke('zato.security.basic-auth.get-list', {'cluster_id': 1})
    assert listed.is_ok and 'pubapi' in [item['name'] for item in listed.data], listed.details

    refused = client.invoke('zato.service.get-by-name', MISSING)
    assert not refused.is_ok and 'no.such.service' in refused.details, refused.details
    assert refused.inner.status_code == 404, refused.details
    unknown = client.invoke('no.such.service')
    assert not unknown.is_ok and unknown.inner.status_code == 404, unknown.details
    wrong = APIClient(ADDRESS, 'pubapi', 'wrong').invoke('zato.ping')
    assert not wrong.is_ok and wrong.inner.status_code == 401, wrong.details


if __name__ == '__main__':
    assert version == '3.2.1', version
    json_sio_client()
    soap_sio_client()
    any_service_invoker()
    api_client()
