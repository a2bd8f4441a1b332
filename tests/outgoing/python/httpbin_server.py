"""httpbin on a free port, whose address is the only line it prints."""

from httpbin import app
from waitress import create_server

server = create_server(app, host="127.0.0.1", port=0, threads=16)
print(f"127.0.0.1:{server.effective_port}", flush=True)
server.run()
