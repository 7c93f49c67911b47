"""Where no Redis runs (Windows): a slow stand-in in this process that keeps nothing."""

import threading


class MemoryServer:
    def __init__(self) -> None:
        from fakeredis import TcpFakeServer
        from fakeredis._clients._tcp_server import TCPFakeRequestHandler

        class Handler(TCPFakeRequestHandler):
            disable_nagle_algorithm = True  # 13 times as many tasks a second
            wbufsize = 65536

        self._server = TcpFakeServer(("127.0.0.1", 0))
        self._server.RequestHandlerClass = Handler
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"redis://127.0.0.1:{self._server.server_address[1]}/0"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
