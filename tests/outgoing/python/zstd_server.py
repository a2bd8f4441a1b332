"""A Flask application behind Flask-Compress, which sends everything with zstd. Its address is the only line it prints.

What the extension would not send is compressed here, by the zstd library of its own choice: several frames, windows of a given size,
replies that end too early. Their paths begin with `/made`.
"""

from backports.zstd import CompressionParameter, ZstdCompressor, compress
from flask import Flask, Response, request
from flask_compress import Compress
from waitress import create_server

app = Flask(__name__)
# The only coding; the smallest size is the extension's own.
app.config.update(COMPRESS_ALGORITHM=["zstd"], COMPRESS_ALGORITHM_STREAMING=["zstd"])
Compress(app)

# A frame that decoders skip (RFC 8878, 3.1.2).
SKIPPED = bytes.fromhex("502a4d18") + (5).to_bytes(4, "little") + b"aside"


def lines(begin, end):
    return "".join(f"{number} {number * number}\n" for number in range(begin, end)).encode()


@app.get("/whole/<int:count>")
def whole(count):
    return Response(lines(0, count), mimetype="text/plain")


@app.get("/streamed/<int:count>")
def streamed(count):
    return Response((lines(at, min(at + 1000, count)) for at in range(0, count, 1000)), mimetype="text/plain")


def made(body):
    """A reply that is compressed already, which the extension leaves alone; cut as the query says."""
    body = body[: len(body) - request.args.get("cut", 0, int)]
    return Response(body, mimetype="text/plain", headers={"Content-Encoding": "zstd"})


@app.get("/made/frames/<int:count>")
def frames(count):
    pieces = [compress(lines(number * 1000, number * 1000 + 1000)) for number in range(count)]
    return made(SKIPPED.join(pieces))


@app.get("/made/window/<int:window_log>")
def window(window_log):
    # Without the content's size in it a frame has to say how large its window is, whatever is in it.
    options = {CompressionParameter.window_log: window_log, CompressionParameter.content_size_flag: 0}
    compressor = ZstdCompressor(options=options)
    return made(compressor.compress(lines(0, 1000)) + compressor.flush())


@app.get("/made/damaged")
def damaged():
    # The checksum tells what decompresses, but to something else.
    compressor = ZstdCompressor(options={CompressionParameter.checksum_flag: 1})
    body = bytearray(compressor.compress(lines(0, 1000)) + compressor.flush())
    body[-1] ^= 1
    return made(bytes(body))


server = create_server(app, host="127.0.0.1", port=0, threads=16)
print(f"127.0.0.1:{server.effective_port}", flush=True)
server.run()
