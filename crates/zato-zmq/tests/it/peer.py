"""A libzmq socket that binds and obeys: one JSON document per line, in both directions.

The first line that it writes is null, when it is bound. Orders are {"send": [frame, ...]}, {"receive": true} and, answered with null as
soon as nobody is connected any more, {"alone": true}.
"""

import json
import select
import sys

import zmq

kind, port, subscription = sys.argv[1], sys.argv[2], sys.argv[3]
socket = zmq.Context().socket(getattr(zmq, kind))
socket.setsockopt(zmq.LINGER, 10_000)
if kind == 'SUB':
    socket.setsockopt(zmq.SUBSCRIBE, subscription.encode())
if kind == 'XPUB':
    socket.setsockopt(zmq.XPUB_VERBOSE, 1)
socket.bind(f'tcp://127.0.0.1:{port}')
print('null', flush=True)
if kind == 'SUB':
    # Subscriptions are told to a new peer only while the program is inside of libzmq.
    socket.poll()
for line in sys.stdin:
    order = json.loads(line)
    if 'send' in order:
        socket.send_multipart([frame.encode() for frame in order['send']])
    elif 'alone' in order:
        # A connection that has ended is taken leave of in several steps by libzmq's own thread, and may be sent to until then.
        while socket.getsockopt(zmq.EVENTS) & zmq.POLLOUT:
            select.select([socket.getsockopt(zmq.FD)], [], [])
        print('null', flush=True)
    else:
        print(json.dumps([frame.decode() for frame in socket.recv_multipart()]), flush=True)
socket.close()
