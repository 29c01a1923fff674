"""A GPU in another room: the network runs on a server that speaks the KServe v2 protocol (gRPC).

`remote:HOST:PORT` asks for the model by its usual name (see `ToonNetwork.label`), and
`remote:HOST:PORT/MODEL` for one of another name; `remote:tls://HOST:PORT` encrypts. Triton, KServe
and OpenVINO Model Server serve what `engines.backends.remote.repository` writes.

It is taken only if asked for by name, because crops of faces leave the machine.
"""

from __future__ import annotations
