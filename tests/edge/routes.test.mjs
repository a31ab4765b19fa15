// Where each request goes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from './app.mjs';

const fanout = [
  '/rooms/default/events/',
  '/rooms/default/events/?lastEventId=room-default:4',
  '/rooms/default/events/?x=/rooms/../messages/',
  '/rooms/default/events/#part',
  '/rooms/default/from/105/events/?link=next&recover=true&token=x',
  '/rooms/from/events/',
  '/rooms/from/from/1/events/',
  '/rooms/events/events/',
  '/rooms/a%2Fb/events/',
  '/rooms/%C3%BC%2C%20%3B/events/',
  '/rooms/%2e%2e%2e/events/',
  '/rooms/.../events/',
  '/rooms/..a/events/',
  '/rooms/%2Fetc/events/',
  'http://127.0.0.1:7676/rooms/default/events/',
  'https://[::1]/rooms/default/events/?a=b',
  `/rooms/${'x'.repeat(8000)}/events/`,
];

const origin = [
  '/', '/default', '/default?user=al', '/rooms/default/messages/', '/assets/chat.js',
  // The origin redirects these.
  '/rooms/default/events', '/rooms/default/events?a=/events/',
  // No room, or none that is plain.
  '/rooms/events/', '/rooms//events/', '/rooms/./events/', '/rooms/../events/',
  '/rooms/%2e/events/', '/rooms/%2E%2e/events/', '/rooms/.%2e/events/', '/rooms/%2e./events/',
  // What would have to be normalized.
  '//rooms/default/events/', '/rooms//default/events/', '/rooms/default//events/',
  '/rooms/default/events//', '/rooms/a/../default/events/', '/rooms/default/events/../messages/',
  '/rooms/default/events/..%2fmessages/', '/./rooms/default/events/', '/rooms/default/./events/',
  '/%72ooms/default/events/', '/rooms/default/%65vents/', '/rooms%2Fdefault/events/',
  '/rooms/default/events%2F', '/rooms\\default\\events\\',
  // Other places, other names.
  '/chat/rooms/default/events/', '/rooms/a/b/events/', '/rooms/default/events/more/',
  '/Rooms/default/events/', '/rooms/default/Events/', '/roomsx/default/events/',
  '/rooms/default/eventsx/', '/room/default/events/', '/rooms/default/event/',
  '/rooms/default/from/events/', '/rooms/default/from//events/', '/rooms/default/from/1x/events/',
  '/rooms/default/from/-1/events/', '/rooms/default/from/1/2/events/',
  '/rooms/default/until/1/events/', '/rooms/default/from/1/messages/',
  // The words are there, but not in the path.
  '/?/rooms/default/events/', '/#/rooms/default/events/', '/x?y=/rooms/default/events/',
  'https://rooms/default/events/', 'https://chat.example?/rooms/default/events/',
  'https://chat.example', 'https:/rooms/default/events/', 'https', '*', 'chat.example:443',
  // Near those that are answered here.
  '/.well-known/fastly/demo-manifest/', '/.well-known/fastly/demo-manifes',
  '//.well-known/fastly/demo-manifest', '/images/screenshot.png/', '/images/../images/screenshot.png',
  '/images/screenshot%2Epng',
  // Too long to be known.
  `/rooms/${'x'.repeat(9000)}/events/`,
];

for (const uri of fanout) {
  test(`handed to Fanout: ${uri.slice(0, 70)}`, () => {
    const seen = ask(uri);
    assert.equal(seen.exit, 0);
    assert.deepEqual(seen.handedOver.map(({ backend }) => backend), ['origin']);
    assert.equal(seen.handedOver[0].uri, uri.startsWith('/') ? `https://chat.example${uri}` : uri);
    // After a hand-over the client is Fanout's.
    assert.equal(seen.calls.at(-1), 'req.redirect_to_grip_proxy_v2');
    assert.deepEqual([seen.sent, seen.replied, seen.log], [[], [], '']);
  });
}

for (const uri of origin) {
  test(`sent to the origin: ${uri.slice(0, 70)}`, () => {
    const seen = ask(uri);
    assert.equal(seen.exit, 0);
    assert.deepEqual(seen.sent.map(({ backend }) => backend), ['origin']);
    assert.equal(seen.sent[0].uri, uri.startsWith('/') ? `https://chat.example${uri}` : uri);
    assert.deepEqual(seen.handedOver, []);
    assert.equal(seen.replied[0], seen.originAnswer);
    assert.equal(seen.log, '');
  });
}

for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'get', 'GETS', 'GE', '',
  'X'.repeat(32), 'X'.repeat(33), 'GET'.padEnd(4096, 'T')]) {
  test(`only GET is special: ${method.slice(0, 40)}`, () => {
    for (const uri of ['/rooms/default/events/', '/images/screenshot.png',
      '/.well-known/fastly/demo-manifest']) {
      const seen = ask(uri, { method });
      assert.equal(seen.exit, 0);
      assert.equal(seen.sent.length, 1);
      assert.equal(seen.sent[0].method, method);
      assert.deepEqual(seen.handedOver, []);
      assert.equal(seen.replied[0], seen.originAnswer);
    }
  });
}
