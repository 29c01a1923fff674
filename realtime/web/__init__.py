"""Pages in the browser: one small server on this machine, behind a gate.

A page is a folder below this one with a list of Starlette routes and its own `assets`; a command
puts the lists of the pages that it shows together:

    routes = [
        Route("/", page(HERE / "assets" / "index.html")),   # realtime.web.pages
        assets("/photo", HERE / "assets"),                  # /photo/photo.css, /photo/photo.js
        Route("/toon", toon, methods=["POST"]),
        WebSocketRoute("/live", live),
    ]
    with WebServer(routes, port=8765, say=say) as server:   # realtime.web.server
        say_whole(server.url("/"))                            # the address with its token

The server runs in a thread of its own and adds what all pages share: `realtime/web/assets` at
`/assets/` (`base.css`, `base.js`). `realtime.web.gate` stands before every route and every
WebSocket: a handler that is called belongs to the user's own browser, and needs no further check.

Rules for pages:

- Scripts and styles are files: the content policy refuses inline ones, other origins and
  `innerHTML`. Styles may be set from scripts (`element.style`). Pictures may be `blob:` or `data:`.
- `fetch` and `new WebSocket` take paths (`"/toon"`, `"/live"`). The token is in a cookie that
  scripts cannot see. Forms are sent with `fetch`.
- Handlers run on the server's event loop: work goes to threads (`asyncio.to_thread`).
- A refusal is one sentence for the user: `refuse(status, sentence)` from `realtime.web.pages`.
- Addresses, tokens and pictures are never logged.
"""

from __future__ import annotations
