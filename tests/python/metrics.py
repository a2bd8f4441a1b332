"""The metrics, read by the parser of Prometheus's own client."""

import os

import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

ADDRESS = os.environ['ZATO_ADDRESS']

requests.get(ADDRESS + '/zato/ping', timeout=30)
response = requests.get(ADDRESS + '/zato/metrics', timeout=30)
parse = openmetrics if 'openmetrics' in response.headers['Content-Type'] else prometheus
families = {family.name: family for family in parse(response.text)}
calls = {sample.labels['service']: sample.value for sample in families['zato_service_calls'].samples}
assert calls['zato.ping'] == 1, calls
assert all(family.documentation for family in families.values()), families
