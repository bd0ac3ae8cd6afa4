"""The client against gateways that misbehave."""

from __future__ import annotations

import socket
import threading

import pytest

from gatehook.cli.client import Client
from gatehook.diagnostics import GatehookError
from gatehook.gateway import protocol


@pytest.fixture
def answering(tmp_path):
    """Serve one connection: read a request, send bytes, close."""
    servers = []

    def serve(answer: bytes):
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(tmp_path / protocol.SOCKET))
        server.listen(1)

        def run():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=run)
        thread.start()
        servers.append((server, thread))
        return Client(tmp_path)

    yield serve
    for server, thread in servers:
        thread.join(10)
        server.close()


@pytest.mark.parametrize("answer", [b"", b"junk\n", b"[]\n", b'{"id": 1, "item": 5}\n', b"\xff\xfe\n"])
def test_an_answer_that_is_none_is_a_coded_error(answering, answer):
    with pytest.raises(GatehookError) as failed:
        answering(answer).call("status", timeout=5)
    assert failed.value.diagnostics[0].code == "cli.no-answer"


def test_a_gateway_that_never_answers_is_left_in_time(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / protocol.SOCKET))
        server.listen(1)
        with pytest.raises(GatehookError) as failed:
            Client(tmp_path).call("status", timeout=0.1)
    assert failed.value.diagnostics[0].code == "cli.no-answer"
    assert "timed out" in failed.value.diagnostics[0].message


def test_a_path_that_no_socket_can_have_is_a_coded_error(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 120)
    monkeypatch.setattr(protocol, "DESCRIPTORS", tmp_path / "no-proc")
    with pytest.raises(GatehookError) as failed:
        Client(deep).call("status")
    assert failed.value.diagnostics[0].code == "gateway.socket-path-too-long"
