// The stand-in for Viceroy: the app between a client and servers that say what a test wants.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import nodeTest, { after, before } from 'node:test';
import { localPath, modulePath, resource } from './app.mjs';

// What waits for ever is a mistake, too.
const test = (name, body) => nodeTest(name, { timeout: 60_000 }, body);

const started = [];
let origin;
let pushpin;
let port;

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.push(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return server.address().port;
}

// A server whose handler a test sets.
async function scripted() {
  const told = { handler: null, requests: [] };
  told.port = await listen(http.createServer((request, answer) => {
    told.requests.push(request);
    told.handler(request, answer);
  }));
  return told;
}

async function freePort() {
  const probe = net.createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const found = probe.address().port;
  probe.close();
  await once(probe, 'close');
  return found;
}

async function standIn(originPort, pushpinPort) {
  const at = await freePort();
  const child = spawn(process.execPath, ['--no-warnings', path.join(localPath, 'serve.mjs'),
    '--port', String(at), '--origin', String(originPort), '--pushpin', String(pushpinPort),
    '--module', modulePath], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(() => child.kill());
  await once(child.stdout, 'data');
  return at;
}

before(async () => {
  origin = await scripted();
  pushpin = await scripted();
  port = await standIn(origin.port, pushpin.port);
});

after(() => started.reverse().forEach((end) => end()));

// A request as it was written, and the answer's head; `body` collects the rest.
function request(options, at = port) {
  return http.request({ host: '127.0.0.1', port: at, agent: false, ...options });
}

async function answered(sent) {
  const [answer] = await once(sent, 'response');
  return answer;
}

async function body(answer) {
  const pieces = [];
  for await (const piece of answer) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function get(target, options = {}, at = port) {
  const sent = request({ path: target, ...options }, at);
  sent.end();
  const answer = await answered(sent);
  return { status: answer.statusCode, raw: answer.rawHeaders, headers: answer.headers,
    body: await body(answer) };
}

function headerValues(rawHeaders, wanted) {
  return rawHeaders.filter((_, i) => i % 2 && rawHeaders[i - 1].toLowerCase() === wanted);
}

test('headers that stand there more than once pass both ways', async () => {
  origin.handler = (incoming, answer) => {
    answer.writeHead(418, 'Odd', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Case', 'ü'.length,
      'Content-Length', '2']);
    answer.end('no');
  };
  const { status, raw, body: got } = await get('/x?y=%2F#', {
    headers: [['Host', 'chat.example'], ['X-Twice', '1'], ['X-Twice', '2'], ['Cookie', 'c=3']],
  });
  assert.equal(status, 418);
  assert.deepEqual(headerValues(raw, 'set-cookie'), ['a=1', 'b=2']);
  assert.equal(got.toString(), 'no');
  const seen = origin.requests.at(-1);
  assert.deepEqual(headerValues(seen.rawHeaders, 'x-twice'), ['1', '2']);
  assert.deepEqual(headerValues(seen.rawHeaders, 'cookie'), ['c=3']);
  assert.equal(seen.headers.host, `127.0.0.1:${origin.port}`);
});

test('a body of the origin arrives as it is written, not when it is whole', async () => {
  let go;
  origin.handler = (_, answer) => {
    answer.write('first ');
    go = () => answer.end('second');
  };
  const sent = request({ path: '/rooms/x/messages/' });
  sent.end();
  const answer = await answered(sent);
  const [first] = await once(answer, 'data');
  assert.equal(first.toString(), 'first ');
  go();
  assert.equal((await body(answer)).toString(), 'second');
});

test('a body of the client reaches the origin as it is written', async () => {
  let seen;
  const arrived = new Promise((resolve) => {
    origin.handler = (incoming, answer) => {
      incoming.once('data', async (first) => {
        resolve(first.toString());
        seen = Buffer.concat([first, await body(incoming)]).toString();
        answer.end('stored');
      });
    };
  });
  const sent = request({ path: '/rooms/x/messages/', method: 'POST' });
  sent.write('from=al&');
  assert.equal(await arrived, 'from=al&');
  sent.end('text=hello');
  assert.equal((await body(await answered(sent))).toString(), 'stored');
  assert.equal(seen, 'from=al&text=hello');
});

test('four megabytes pass both ways unchanged', async () => {
  const large = Buffer.alloc(4 << 20, 'edge ');
  origin.handler = async (incoming, answer) => {
    answer.writeHead(200, { 'Content-Length': large.length });
    answer.end(await body(incoming));
  };
  const sent = request({ path: '/', method: 'PUT', headers: { 'Content-Length': large.length } });
  sent.end(large);
  assert.ok((await body(await answered(sent))).equals(large));
});

test('paths reach the server as they were sent', async () => {
  origin.handler = pushpin.handler = (_, answer) => answer.end('ok');
  for (const target of ['/a/../b//c/%2e%2E/%2F?d=%20&d', '//rooms/x/events/', '/?', '/%']) {
    await get(target);
    assert.equal(origin.requests.at(-1).url, target);
  }
  for (const target of ['/rooms/x/events/?lastEventId=room-x%3A4&a=//', '/rooms/a%2Fb/events/']) {
    await get(target);
    assert.equal(pushpin.requests.at(-1).url, target);
  }
});

test('an event stream is Pushpin’s, and lasts while the client is there', async () => {
  const asked = origin.requests.length;
  let stream;
  // By then the app has ended: a stand-in that takes its end for a failure has answered before.
  pushpin.handler = (_, answer) => setTimeout(() => {
    answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
    answer.write('event: stream-open\n\n');
    stream = answer;
  }, 300);
  const sent = request({ path: '/rooms/x/events/', headers: { 'Last-Event-ID': 'room-x:4' } });
  sent.end();
  const answer = await answered(sent);
  assert.equal((await once(answer, 'data'))[0].toString(), 'event: stream-open\n\n');
  assert.equal(pushpin.requests.at(-1).headers['last-event-id'], 'room-x:4');
  stream.write('data: 1\n\n');
  assert.equal((await once(answer, 'data'))[0].toString(), 'data: 1\n\n');
  sent.destroy();
  await once(stream, 'close');
  assert.equal(origin.requests.length, asked);
});

test('many wait for the origin at once, and streams keep nobody waiting', async () => {
  const waiting = [];
  origin.handler = (_, answer) => waiting.push(answer);
  const answers = Array.from({ length: 12 }, (_, i) => get(`/wait/${i}`));
  while (waiting.length < 12) {
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
  assert.ok((await get('/images/screenshot.png')).body.equals(resource('screenshot.png')));
  waiting.reverse().forEach((answer) => answer.end('now'));
  for (const { body: got } of await Promise.all(answers)) {
    assert.equal(got.toString(), 'now');
  }
});

test('an origin that is not there is a 502 that says so', async () => {
  const lonely = await standIn(await freePort(), pushpin.port);
  const { status, headers, body: got } = await get('/rooms/x/messages/', {}, lonely);
  assert.equal(status, 502);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(JSON.parse(got.toString()).error.code, 'origin-unreachable');
});

test('an origin that breaks off is a 502 before its head, and a broken answer behind it', async () => {
  origin.handler = (incoming) => incoming.socket.destroy();
  assert.equal((await get('/')).status, 502);
  origin.handler = (incoming, answer) => {
    answer.writeHead(200, { 'Content-Length': 10 });
    answer.write('five.', () => {
      setTimeout(() => incoming.socket.destroy(), pause);
    });
  };
  let pause;
  for (pause of [0, 1, 2, 5, 50]) {
    await assert.rejects(get('/'), /aborted|ECONNRESET|hang up/);
  }
});

test('a client that leaves is not waited for', async () => {
  let gone;
  const asked = new Promise((resolve) => {
    origin.handler = (incoming) => {
      gone = once(incoming.socket, 'close');
      resolve();
    };
  });
  const sent = request({ path: '/slow' });
  sent.on('error', () => {});
  sent.end();
  await asked;
  sent.destroy();
  await gone;
});
