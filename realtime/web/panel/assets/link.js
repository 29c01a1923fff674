// A WebSocket that comes back by itself, and the pictures that arrive on it.

import { AWAY, GONE } from "/assets/base.js";

const PAUSES = [250, 500, 1000, 2000]; // ms before each next attempt; the last one repeats
const SILENCE = 5000; // ms without a message after which the program counts as hung

/** Take JSON and pictures from `path`; `on` has text, picture, opened and away. */
export class Link {
  constructor(path, on) {
    this.path = path;
    this.on = on;
    this.failures = 0;
    this.open();
  }

  open() {
    const socket = new WebSocket(this.path);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.failures = 0;
      this.socket = socket;
      this.silent = false;
      this.on.opened?.();
      this.heard();
    };
    socket.onmessage = async ({ data }) => {
      this.heard();
      if (typeof data === "string") {
        this.on.text?.(JSON.parse(data));
        return;
      }
      const { header, parts } = taken(data);
      try {
        await this.on.picture(header, parts);
      } finally {
        if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ack: header.number }));
      }
    };
    socket.onclose = async () => {
      this.socket = null;
      clearTimeout(this.timer);
      const pause = PAUSES[Math.min(this.failures++, PAUSES.length - 1)];
      // One that runs but refuses was started again: it wants another token.
      const answer = await fetch("/assets/mark.svg", { signal: AbortSignal.timeout(SILENCE) }).catch(() => null);
      this.on.away?.(answer?.status === 403 ? GONE : AWAY);
      setTimeout(() => this.open(), pause);
    };
  }

  /** A program that hangs closes nothing; its last picture must not stay as if it were live. */
  heard() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.silent = true;
      this.on.away?.(AWAY);
    }, SILENCE);
    if (!this.silent) return;
    this.silent = false;
    this.on.opened?.();
  }

  /** Whether a message could be sent. */
  send(message) {
    this.socket?.send(JSON.stringify(message));
    return Boolean(this.socket);
  }
}

/** A message's header, and its parts as blobs. */
function taken(data) {
  const length = new DataView(data).getUint32(0);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  let at = 4 + length;
  const parts = header.parts.map((size) => {
    const part = new Blob([new Uint8Array(data, at, size)]);
    at += size;
    return part;
  });
  return { header, parts };
}
