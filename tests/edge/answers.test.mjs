// What a client gets: the origin's answer untouched, or one of the two files.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask, originAnswer, resource, wasm } from './app.mjs';

test('the origin’s answer passes as it is, in one piece with its body', () => {
  const seen = ask('/rooms/default/messages/', { method: 'POST' });
  assert.equal(seen.replied.length, 1);
  assert.equal(seen.replied[0], seen.originAnswer);
  assert.deepEqual(seen.replied[0], originAnswer());
  assert.deepEqual(seen.replied[0].headers.filter(([name]) => name === 'Set-Cookie'),
    [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']]);
});

test('the client’s request passes as it is, with its body, and past the cache', () => {
  const seen = ask('/rooms/default/messages/?a=%2F..%2f&a=b', { method: 'POST' });
  assert.deepEqual(seen.sent, [{
    backend: 'origin', method: 'POST', uri: 'https://chat.example/rooms/default/messages/?a=%2F..%2f&a=b',
    body: { of: 'the client' }, pass: true,
  }]);
});

test('the cache is kept out before anything is sent', () => {
  const { calls } = ask('/');
  assert.ok(calls.indexOf('req.cache_override_set') >= 0);
  assert.ok(calls.indexOf('req.cache_override_set') < calls.indexOf('req.send'));
});

test('the module can neither read a body nor change a request', () => {
  const imports = WebAssembly.Module.imports(wasm).map(({ module, name }) => `${module}.${name}`);
  assert.deepEqual(imports.sort(), [
    'fastly_abi.init',
    'fastly_http_body.new', 'fastly_http_body.write',
    'fastly_http_req.body_downstream_get', 'fastly_http_req.cache_override_set',
    'fastly_http_req.method_get', 'fastly_http_req.redirect_to_grip_proxy_v2',
    'fastly_http_req.send', 'fastly_http_req.uri_get',
    'fastly_http_resp.header_insert', 'fastly_http_resp.new', 'fastly_http_resp.send_downstream',
    'fastly_http_resp.status_set',
    'wasi_snapshot_preview1.fd_write', 'wasi_snapshot_preview1.proc_exit',
  ]);
});

test('it has what Compute starts and looks into, and nothing else', () => {
  const exports = WebAssembly.Module.exports(wasm).map(({ kind, name }) => `${kind} ${name}`);
  assert.deepEqual(exports.sort(), ['function _start', 'memory memory']);
});

const files = [
  ['/.well-known/fastly/demo-manifest', 'demo-manifest.txt', 'text/plain; charset=utf-8'],
  ['/images/screenshot.png', 'screenshot.png', 'image/png'],
];

for (const [uri, name, type] of files) {
  for (const [how, options] of [['at once', {}], ['piece by piece', { bodyStep: 1000 }],
    ['byte by byte', { bodyStep: 1 }]]) {
    test(`${uri} is answered by the app, ${how}`, () => {
      const seen = ask(`${uri}?v=1`, options);
      assert.equal(seen.exit, 0);
      assert.deepEqual([seen.sent, seen.handedOver, seen.log], [[], [], '']);
      const [answer] = seen.replied;
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.headers, [['Content-Type', type],
        ['Cache-Control', 'public, max-age=3600'], ['X-Content-Type-Options', 'nosniff']]);
      assert.ok(answer.body.equals(resource(name)), 'not the file');
    });
  }
}

test('the picture is a PNG of at most 100 KB', () => {
  const picture = resource('screenshot.png');
  assert.ok(picture.length <= 100_000, `${picture.length} bytes`);
  assert.equal(picture.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
});

test('the manifest names the picture and the page', () => {
  const text = resource('demo-manifest.txt').toString('utf8');
  assert.match(text, /^---\nschemaVersion: 1\n/);
  assert.match(text, /\n {2}href: \/images\/screenshot\.png\n/);
  assert.match(text, /\n {4}href: \/\n/);
});
