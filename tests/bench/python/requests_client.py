"""Prints how many seconds some calls take: the URL, the body, the headers as JSON, threads and calls are the arguments."""

import json
import sys
import threading
import time

import requests

url, body, headers = sys.argv[1], sys.argv[2].encode(), json.loads(sys.argv[3])
threads, calls = int(sys.argv[4]), int(sys.argv[5])


def work(barrier, count):
    with requests.Session() as session:
        session.trust_env = False
        session.post(url, data=body, headers=headers, timeout=30).raise_for_status()
        barrier.wait()
        for _ in range(count):
            assert len(session.post(url, data=body, headers=headers, timeout=30).content) >= 1000


ready = threading.Barrier(threads + 1)
shares = [calls // threads + (index < calls % threads) for index in range(threads)]
workers = [threading.Thread(target=work, args=(ready, share)) for share in shares]
for worker in workers:
    worker.start()
ready.wait()
begun = time.perf_counter()
for worker in workers:
    worker.join()
print(time.perf_counter() - begun)
