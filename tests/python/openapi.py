"""The OpenAPI document, judged by a validator that others wrote."""

import os

import requests
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

document = requests.get(os.environ['ZATO_ADDRESS'] + '/zato/openapi.json', timeout=30).json()
validate(document, cls=OpenAPIV31SpecValidator)

operations = [operation for path in document['paths'].values() for operation in path.values()]
ids = [operation['operationId'] for operation in operations]
assert len(ids) == len(set(ids)), ids
