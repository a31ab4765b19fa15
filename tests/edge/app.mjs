// Runs the edge app for one request, with a world outside of it that notes what it is asked.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Host, OK } from '../../edge/local/host.mjs';

export const root = new URL('../../', import.meta.url).pathname;
// The tests of the tests name others.
export const modulePath = process.env.EDGE_MODULE ?? path.join(root, 'edge/bin/main.wasm');
export const localPath = process.env.EDGE_LOCAL ?? path.join(root, 'edge/local');
export const wasm = new WebAssembly.Module(fs.readFileSync(modulePath));

export const resource = (name) => fs.readFileSync(path.join(root, 'edge/resources', name));

// What the origin answers where a test does not say otherwise.
export function originAnswer() {
  return {
    status: 203,
    headers: [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['X-Odd', ' two  spaces ']],
    body: { of: 'the origin' },
  };
}

// `send`, `handOver` and `reply` are the statuses that the host gives; more options are those of Host.
export function ask(uri, { method = 'GET', send = OK, handOver = OK, reply = OK, ...options } = {}) {
  const seen = { sent: [], handedOver: [], replied: [], originAnswer: originAnswer() };
  const outside = {
    send(backend, request) {
      seen.sent.push({ backend, ...request });
      return { status: send, answer: send === OK ? seen.originAnswer : undefined };
    },
    handOver(backend, request) {
      seen.handedOver.push({ backend, ...request });
      return handOver;
    },
    reply(answer) {
      seen.replied.push(answer);
      return reply;
    },
  };
  const request = {
    method,
    uri: uri.startsWith('/') ? `https://chat.example${uri}` : uri,
    body: { of: 'the client' },
  };
  const host = new Host(request, outside, options);
  const log = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'edge-')), 'log');
  const stderr = fs.openSync(log, 'w');
  seen.exit = host.run(wasm, stderr);
  fs.closeSync(stderr);
  seen.log = fs.readFileSync(log, 'utf8');
  fs.rmSync(path.dirname(log), { recursive: true });
  return { ...seen, calls: host.calls };
}
