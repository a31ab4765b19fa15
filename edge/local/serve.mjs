#!/usr/bin/env node
// Stands in for Viceroy where that is not at hand: serves HTTP with the edge app itself, bin/main.wasm, and
// is the host around it. Backend "origin" is an Apache on loopback; what the app hands to Fanout goes to a
// Pushpin on loopback. It is for development and tests: HTTP/1.1 without TLS, no cache, no limits.
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { ERROR, OK } from './host.mjs';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '7676' },
    origin: { type: 'string', default: '3000' },
    pushpin: { type: 'string', default: '7999' },
    module: { type: 'string', default: new URL('../bin/main.wasm', import.meta.url).pathname },
  },
});
const wasm = new WebAssembly.Module(readFileSync(options.module));

// What belongs to one connection and not to the message.
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade']);

function pairs(rawHeaders) {
  const found = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    found.push([rawHeaders[i], rawHeaders[i + 1]]);
  }
  return found;
}

function requestHeaders(incoming, port) {
  const kept = pairs(incoming.rawHeaders).filter(([name]) =>
    !HOP_BY_HOP.has(name.toLowerCase()) && !['host', 'expect'].includes(name.toLowerCase()));
  kept.push(['Host', `127.0.0.1:${port}`]);
  if (incoming.headers['transfer-encoding'] !== undefined) {
    kept.push(['Transfer-Encoding', 'chunked']);
  }
  return kept;
}

// Sends the client's request on, its body as it comes, and gives the answer when its head is there.
function forward(exchange, port, done) {
  const { incoming, outgoing } = exchange;
  const upstream = http.request({
    host: '127.0.0.1', port, method: incoming.method, path: exchange.path, agent: false,
    headers: requestHeaders(incoming, port),
  });
  outgoing.on('close', () => upstream.destroy());
  upstream.on('response', (answer) => done(answer));
  upstream.on('error', () => done(null));
  incoming.pipe(upstream);
}

// An answer of a server goes to the client as it is, its body as it comes.
function passOn(answer, outgoing) {
  const headers = pairs(answer.rawHeaders).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()));
  outgoing.writeHead(answer.statusCode, answer.statusMessage, headers.flat());
  outgoing.flushHeaders();
  // It may have broken off already, while the app was asked. That breaks the client's off as well.
  pipeline(answer, outgoing, () => {});
}

function fail(outgoing, text) {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing.writeHead(500, { 'Content-Type': 'text/plain' });
  outgoing.end(`${text}\n`);
}

const calls = {
  send(exchange, { backend }, done) {
    if (backend !== 'origin') {
      done(ERROR);
      return;
    }
    forward(exchange, options.origin, (answer) => {
      exchange.answer ??= answer;
      done(answer ? OK : ERROR);
    });
  },
  handOver(exchange, { backend }, done) {
    if (backend !== 'origin') {
      done(ERROR);
      return;
    }
    // The app is told that all is well, as Fanout would take the request from here.
    exchange.isHandedOver = true;
    done(OK);
    forward(exchange, options.pushpin, (answer) => {
      if (answer) {
        passOn(answer, exchange.outgoing);
      } else {
        fail(exchange.outgoing, 'Pushpin does not answer');
      }
    });
  },
  reply(exchange, { answer }, done) {
    if (answer.isOrigins) {
      passOn(exchange.answer, exchange.outgoing);
    } else {
      const body = Buffer.from(answer.body);
      exchange.outgoing.writeHead(answer.status,
        [...answer.headers.flat(), 'Content-Length', String(body.length)]);
      exchange.outgoing.end(body);
    }
    exchange.isAnswered = true;
    done(OK);
  },
};

// One request at a time; as many threads as there are requests whose head is awaited.
class Thread {
  constructor(whenIdle) {
    this.shared = new Int32Array(new SharedArrayBuffer(8));
    this.worker = new Worker(new URL('worker.mjs', import.meta.url), {
      workerData: { module: wasm, shared: this.shared.buffer }, execArgv: ['--no-warnings'],
    });
    this.worker.on('message', (message) => this.#answer(message));
    this.whenIdle = whenIdle;
    this.exchange = null;
  }

  start(exchange) {
    this.exchange = exchange;
    this.worker.postMessage({ method: exchange.incoming.method, uri: exchange.uri });
  }

  #answer(message) {
    const { exchange } = this;
    if (message.call === 'exit') {
      if (!exchange.isAnswered && !exchange.isHandedOver) {
        fail(exchange.outgoing, `the edge app ended with ${message.exit} and without an answer`);
      }
      this.exchange = null;
      this.whenIdle(this);
      return;
    }
    let isDone = false;
    calls[message.call](exchange, message, (status) => {
      if (!isDone) {
        isDone = true;
        this.shared[1] = status;
        Atomics.store(this.shared, 0, 1);
        Atomics.notify(this.shared, 0);
      }
    });
  }
}

const idle = [];

http.createServer((incoming, outgoing) => {
  const isAbsolute = !incoming.url.startsWith('/');
  const uri = isAbsolute ? incoming.url : `http://${incoming.headers.host ?? 'localhost'}${incoming.url}`;
  const path = isAbsolute ? incoming.url.replace(/^[a-z]+:\/\/[^/?#]*/i, '') || '/' : incoming.url;
  const thread = idle.pop() ?? new Thread((free) => idle.push(free));
  thread.start({ incoming, outgoing, uri, path });
}).listen(Number(options.port), '127.0.0.1', () => {
  console.log(`edge: http://localhost:${options.port}/`);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => process.exit(0));
}
