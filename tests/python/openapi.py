"""The OpenAPI document: valid for a validator that others wrote, and true of what the server answers."""

import os

import requests
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ADDRESS = os.environ['ZATO_ADDRESS']
session = requests.Session()
session.auth = ('pubapi', os.environ['ZATO_PUBAPI_PASSWORD'])

document = requests.get(ADDRESS + '/zato/openapi.json', timeout=30).json()
validate(document, cls=OpenAPIV31SpecValidator)
registry = Registry().with_resource('urn:openapi', DRAFT202012.create_resource(document))


def resolve(value):
    while '$ref' in value:
        target = document
        for part in value['$ref'].removeprefix('#/').split('/'):
            target = target[part.replace('~1', '/').replace('~0', '~')]
        value = target
    return value


def check(schema, instance, what):
    # References inside the document are relative to it.
    schema = {'$ref': 'urn:openapi' + schema['$ref']} if '$ref' in schema else schema
    errors = list(OAS31Validator(schema, registry=registry).iter_errors(instance))
    assert not errors, '{}: {} in {}'.format(what, errors, instance)


def call(service, request, status):
    [path] = [path for path in document['paths'] if path.endswith('/' + service)]
    response = session.post(ADDRESS + path, json=request, timeout=30)
    assert response.status_code == status, (service, response.text)
    described = resolve(document['paths'][path]['post']['responses'][str(status)])
    check(described['content']['application/json']['schema'], response.json(), service)
    if path.startswith('/zato/api/invoke/'):
        return response.json()
    return response.json().get(service.replace('.', '_').replace('-', '_') + '_response')


ids = set()
for path, operations in document['paths'].items():
    for operation in operations.values():
        assert operation['operationId'] not in ids, operation['operationId']
        ids.add(operation['operationId'])
        contents = [resolve(response).get('content', {}) for response in operation['responses'].values()]
        contents.append(operation.get('requestBody', {}).get('content', {}))
        for content in contents:
            for media in content.values():
                if 'example' in media and 'schema' in media:
                    check(media['schema'], media['example'], path)

USER = {'cluster_id': 1, 'name': 'OpenAPI', 'is_active': True, 'username': 'openapi', 'realm': 'OpenAPI'}
CHANNEL = {
    'cluster_id': 1, 'name': 'OpenAPI', 'is_active': True, 'connection': 'channel', 'transport': 'plain_http',
    'is_internal': False, 'url_path': '/openapi', 'service': 'zato.ping', 'data_format': 'json',
}
PASSWORD = {'password1': 'from-openapi', 'password2': 'from-openapi'}
CLUSTER = {'cluster_id': 1}

call('zato.ping', {}, 200)
call('zato.ping2', {}, 200)
user = call('zato.security.basic-auth.create', USER, 200)['id']
call('zato.security.basic-auth.create', USER, 409)
call('zato.security.basic-auth.edit', {**USER, 'id': user}, 200)
call('zato.security.basic-auth.change-password', {**PASSWORD, 'id': user}, 200)
call('zato.security.basic-auth.get-list', CLUSTER, 200)
call('zato.security.get-list', CLUSTER, 200)
channel = call('zato.http-soap.create', {**CHANNEL, 'security_id': user}, 200)['id']
call('zato.http-soap.edit', {**CHANNEL, 'id': channel}, 200)
call('zato.http-soap.get-list', {**CLUSTER, 'connection': 'channel', 'transport': 'plain_http'}, 200)
call('zato.http-soap.set-audit-state', {'id': channel, 'audit_enabled': True}, 200)
assert call('zato.http-soap.get-audit-config', {'id': channel}, 200)['audit_enabled'] is True
assert call('zato.http-soap.get-audit-item-list', {'conn_id': channel}, 200) == []
assert call('zato.security.rbac.client-role.get-client-def-list', CLUSTER, 200)
call('zato.http-soap.get-audit-config', {'id': 'x'}, 400)
call('zato.http-soap.ping', {'id': 'x'}, 400)
call('zato.http-soap.delete', {'id': channel}, 200)
call('zato.http-soap.delete', {'id': channel}, 404)
call('zato.security.basic-auth.delete', {'id': user}, 200)
service = call('zato.service.get-by-name', {**CLUSTER, 'name': 'zato.ping'}, 200)['id']
call('zato.service.get-list', {**CLUSTER, 'name_filter': '*'}, 200)
call('zato.service.get-channel-list', {'id': service, 'channel_type': 'soap'}, 200)
call('zato.service.edit', {'id': service, 'is_active': True, 'slow_threshold': 100}, 200)
call('zato.service.invoke', {'name': 'zato.ping'}, 200)
call('zato.service.invoke', {'name': 'no.such.service'}, 404)
session.auth = ('pubapi', 'wrong')
call('zato.ping', {}, 401)
